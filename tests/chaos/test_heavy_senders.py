"""Senders that give much at once: every message is taken and delivered, and memory stays bounded."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.support.engine import free_port
from tests.support.mllp import field_of, framed, plain_ack, receiver
from tests.support.process import EngineProcess
from tests.support.until import until

ROUTES = """
version: 1
sites:
  cha:
    finess_ej: "000000026"
    authorities: {{ ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI }} }}
sources:
  lis: {{ type: mllp, site: cha, listen: "127.0.0.1:{port}" }}
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:{dpi}", connections: 4, encode: {{ control_id: as_received }} }}
routes:
  all:
    from: [lis]
    steps:
      - normalise_authorities: {{ on_unknown: keep }}
      - set: {{ MSH-3: PASSERELLE }}
    to: [dpi]
"""
DOCUMENT = b"OBX|1|ED|doc||^application^pdf^Base64^" + b"QUJD" * 64


class Watch(threading.Thread):
    """Looks at the engine's resident memory until told to end."""

    def __init__(self, engine: EngineProcess) -> None:
        super().__init__(daemon=True)
        self.engine = engine
        self.highest = 0
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.wait(0.02):
            self.highest = max(self.highest, self.engine.rss_bytes())


def message(number: int, size: int) -> bytes:
    """Return a document of that many bytes, for a patient of its own."""
    head = f"MSH|^~\\&|LIS|000000026|DPI|GHT|20260101||MDM^T02|M{number}|P|2.5\rPID|1||{number}^^^CHA-IPP^PI\r".encode()
    return head + DOCUMENT + b"QUJD" * (size // 4) + b"\r"


async def send(port: int, number: int, size: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(framed(message(number, size)))
        answer = await reader.readuntil(b"\x1c\r")
    finally:
        writer.close()
    return field_of(answer[1:], b"MSA", 1)


async def measured(directory: Path, count: int, size: int) -> int:
    """Send that many documents at once; return the most memory that the engine had, in bytes."""
    port = free_port()
    arrived: set[str] = set()

    def reply(raw: bytes) -> bytes:
        arrived.add(field_of(raw, b"MSH", 10))
        return plain_ack(raw)

    async with receiver(reply) as dpi:

        def all_there() -> bool:
            dpi.messages.clear()  # large, and `arrived` knows them
            return len(arrived) == count

        routes = directory / "routes.yaml"
        routes.write_text(ROUTES.format(port=port, dpi=dpi.port), encoding="utf-8")
        engine = EngineProcess(routes, directory / "data")
        await asyncio.to_thread(engine.start)
        watch = Watch(engine)
        watch.start()
        try:
            answers = await asyncio.gather(*(send(port, number, size) for number in range(count)))
            assert answers == ["AA"] * count
            await until(all_there, 60)
            assert len(arrived) == count
        finally:
            watch.ending.set()
            watch.join()
            await asyncio.to_thread(engine.stop)
    return watch.highest


def test_many_large_messages_at_once(tmp_path: Path) -> None:
    """Twenty-four messages of 8 MB: 64 MB until they are routed, and some copies of those at hand."""
    highest = asyncio.run(measured(tmp_path, 24, 8_000_000))
    assert highest < 280_000_000, f"{highest:,} bytes"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_very_many_large_messages_at_once(tmp_path: Path) -> None:
    """Sixty-four messages of 10 MB need hardly more."""
    highest = asyncio.run(measured(tmp_path, 64, 10_000_000))
    assert highest < 310_000_000, f"{highest:,} bytes"
