"""A router with a store in memory, under a configuration of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from engine.core.changes import Receive
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery, StoredMessage
from engine.core.ports import Queued, Urgency
from engine.core.references import References, digest_of
from engine.errors import StoreUnavailable
from engine.flow.router import Router
from engine.routes.loader import load
from engine.store.memory import MemoryStore
from tests.support.runtime import SimulatedRuntime, simulate

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    authorities:
      ipp: { oid: 1.2.250.1.999.10.1, hd1: CHA, hd3: ISO, type: PI }
sources:
  gam: { type: mllp, site: cha, listen: "127.0.0.1:6101" }
  ask: { type: mllp, site: cha, listen: "127.0.0.1:6102", ack: after_route }
destinations:
  dpi: { type: mllp, connect: "127.0.0.1:5500" }
routes:
  adt:
    from: [gam]
    when: type == ADT
    steps:
      - require: { all: [ { when: "PV1-3 exists", else: "a place is needed" } ] }
    to: [dpi]
  asked:
    from: [ask]
    steps:
      - reject: { code: AE, reason: "a place is needed" }
        when: not PV1-3 exists
    to: [dpi]
"""


def message(
    runtime: SimulatedRuntime,
    control_id: str,
    *,
    ipp: str = "42",
    kind: str = "ADT^A01",
    unit: str = "U1",
    source: str = "gam",
) -> StoredMessage:
    raw = f"MSH|^~\\&|GAM|CHA|||2026||{kind}|{control_id}|P|2.5\rPID|1||{ipp}^^^CHA^PI\rPV1|1|I|{unit}\r".encode()
    return StoredMessage(
        source=source,
        group="main",
        raw=raw,
        received_ms=runtime.now_ms(),
        control_id=control_id,
        type=kind,
        digest=digest_of(raw),
        site="cha",
    )


class Yard:
    """A router over a memory store."""

    def __init__(self, runtime: SimulatedRuntime, directory: Path) -> None:
        file = directory / "routes.yaml"
        file.write_text(ROUTES, encoding="utf-8")
        self.runtime = runtime
        self.fault = ""
        self.store = MemoryStore(fault=self._fault)
        self.router = Router("main", load(file, environment={}), self.store, runtime, References(b"k" * 32))
        self.announced: list[Delivery] = []
        self.store.on_deliveries("dpi", self._queued)

    def _fault(self, name: str) -> None:
        if self.fault and self.fault in name:
            raise StoreUnavailable("disk full")

    def _queued(self, queued: Queued) -> None:
        self.announced += queued.deliveries

    def receive(self, *messages: StoredMessage) -> None:
        for one in messages:
            self.store.submit(Receive(one), Urgency.NOW)

    async def rest(self) -> None:
        await asyncio.sleep(5)

    async def state(self, place: int) -> MessageState:
        stored = await self.store.message(place)
        assert stored is not None
        return stored.state


def yard(directory: Path, test: Any) -> None:
    async def run(runtime: SimulatedRuntime) -> None:
        it = Yard(runtime, directory)
        await it.store.open(now_ms=runtime.now_ms())
        await test(it)
        it.router.stop()

    simulate(run)
