"""An identity officer's desk: a store with a small cross-reference, and what carries out acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from engine.core.references import References
from engine.operations.desk import Desk
from engine.operations.service import Operations
from engine.routes.configuration import Configuration
from engine.routes.loader import load
from engine.store.memory import MemoryStore
from tests.support.custody import NOW_MS, obey

Result = TypeVar("Result")

ROUTES = """\
version: 1
group:
  label: GHT
  authorities: { ipp: { oid: 1.2.250.1.999.1.1, hd1: GHT-IPP, type: PN } }
identity: { registry: own, number: { prefix: G, width: 9, check: mod97 } }
sites:
  cha:
    label: CHA
    finess_eg: "000780064"
    authorities: { ipp: { type: PI, oid: 1.2.250.1.999.10.1 }, nda: { type: AN, oid: 1.2.250.1.999.12.1 } }
  chb:
    label: CHB
    finess_eg: "990780066"
    authorities: { ipp: { type: PI, oid: 1.2.250.1.999.20.1 } }
sources:
  gam_cha: { type: mllp, site: cha, listen: 127.0.0.1:6101 }
  gam_chb: { type: mllp, site: chb, listen: 127.0.0.1:6102 }
destinations: { dpi: { type: mllp, connect: 127.0.0.1:6103 } }
routes:
  adt:
    from: [gam_cha, gam_chb]
    steps: [{ normalise_identity: { on_unknown: mint, on_conflict: dead_letter } }]
    to: [dpi]
"""
HEADER = ["number", "authority", "value", "status", "birth_name", "first_name", "birth_date", "sex", "birth_place"]
ROWS = [
    "G00000000196,cha/ipp,900101,VALI,ZUBROWKA,LÉA,19700102,F,38185",
    "G00000000295,chb/ipp,900202,VALI,ZUBROWKA,LEA,19700102,F,38185",
    "G00000000394,cha/ipp,900303,PROV,KROGULSKI,PAUL,19810304,M,69123",
    "G00000000394,chb/ipp,900304,PROV,KROGULSKI,PAUL,19810304,M,69123",
]
"""1 and 2: one person, whom two hospitals know, never joined; 3: known to both."""
SECRETS = ("900101", "900202", "900303", "900304", "ZUBROWKA", "KROGULSKI", "19700102", "G000000001")


def configuration(directory: Path) -> Configuration:
    """Load ROUTES from a directory."""
    file = directory / "routes.yaml"
    file.write_text(ROUTES, encoding="utf-8")
    return load(file, environment={})


class Office:
    """A desk, and what was asked of the stages."""

    def __init__(self, desk: Desk, store: MemoryStore) -> None:
        self.desk, self.store = desk, store
        self.intentions = obey(store)

    async def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Carry out an operation as `anne`."""
        return await Operations(self.desk).call(operation, arguments, who="anne")

    async def audited(self) -> list[tuple[str, str]]:
        """The audit trail, newest first: verb and reason."""
        return [(row["verb"], row["reason"]) for row in await self.desk.queries.actions(limit=50)]


def at_office(directory: Path, work: Callable[[Office], Awaitable[Result]], *, live: Any = None) -> Result:
    """Open an office over the small cross-reference, and work in it."""

    async def run() -> Result:
        store = MemoryStore()
        await store.open(now_ms=NOW_MS)
        known = configuration(directory)
        if live is not None:
            live.runs = known
        references = References(store.reference_key)
        desk = Desk(
            queries=store.queries, store=store, now_ms=lambda: NOW_MS, references=references, live=live, known=known
        )
        office = Office(desk, store)
        try:
            await office.ask("identity_import", columns=HEADER, rows=ROWS, line=2, file="mpi.csv", reason="take-over")
            return await work(office)
        finally:
            await store.close()

    return asyncio.run(run())
