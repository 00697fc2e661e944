"""Every public message, good and broken, sent over MLLP: answered, and what is AA is on disk byte for byte."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from pathlib import Path

import pytest

from tests.support.engine import free_port
from tests.support.mllp import FS_CR, Sender, field_of, framed, receiver
from tests.support.process import EngineProcess

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    charset: ISO-8859-1
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }}
sources:
  any: {{ type: mllp, site: cha, listen: "127.0.0.1:{port}", format: auto, batch: whole, acknowledge: always }}
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:{dpi}", order_by: patient, connections: 4 }}
routes:
  all: {{ from: [any], steps: [ normalise_authorities: {{ on_unknown: keep }} ], to: [dpi] }}
"""
WARM = 250
GROWTH_BYTES = 5_000_000


def messages_of(corpus: Path) -> list[tuple[str, bytes]]:
    with (corpus / "INDEX.tsv").open(encoding="utf-8") as index:
        names = [line.split("\t", 1)[0] for line in list(index)[1:]]
    return [(name, (corpus / name).read_bytes()) for name in names]


@pytest.mark.timeout(240)
def test_every_file_is_answered_and_kept(corpus: Path, tmp_path: Path) -> None:
    """AA: in the store byte for byte. Otherwise AE or AR with what and where. The engine stays up, memory flat."""

    async def run() -> None:
        port = free_port()
        async with receiver() as dpi:
            routes = tmp_path / "routes.yaml"
            routes.write_text(ROUTES.format(port=port, dpi=dpi.port), encoding="utf-8")
            engine = EngineProcess(routes, tmp_path / "data")
            await asyncio.to_thread(engine.start)
            accepted: list[bytes] = []
            warm = 0
            for number, (name, raw) in enumerate(messages_of(corpus)):
                answer = await _ask(port, raw)
                code = field_of(answer, b"MSA", 1)
                if code in ("AA", "CA"):
                    accepted.append(raw)
                else:
                    assert code in ("AE", "AR", "CE", "CR"), f"{name}: {answer[:200]!r}"
                    assert len(answer) > 120, f"{name}: no reason in {answer!r}"
                if number == WARM:
                    dpi.messages.clear()
                    gc.collect()
                    warm = engine.rss_bytes()
            grown = engine.rss_bytes() - warm
            assert len(accepted) > 1100
            assert await asyncio.to_thread(engine.stop) == 0
            assert _stored(tmp_path / "data") == accepted
            assert grown <= GROWTH_BYTES, f"memory grew by {grown} bytes after file {WARM}"

    asyncio.run(run())


async def _ask(port: int, raw: bytes) -> bytes:
    sender = await Sender.connect(port)
    await sender.write(framed(raw))
    with contextlib.suppress(asyncio.IncompleteReadError):
        answer = await sender.answer()
        await sender.close()
        return answer
    raise AssertionError("closed without an answer")


def _stored(data: Path) -> list[bytes]:
    import sqlite_utils

    database = sqlite_utils.Database(data / "passerelle.db")
    return [row["raw"] for row in database.query("SELECT raw FROM bodies ORDER BY message")]


def test_the_corpus_holds_no_frame_bytes(corpus: Path) -> None:
    """The comparison above is byte for byte because no file holds FS or begins with VT."""
    assert [name for name, raw in messages_of(corpus) if FS_CR[:1] in raw or raw.startswith(b"\x0b")] == []
