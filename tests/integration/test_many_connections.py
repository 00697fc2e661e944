"""Thousands of connections opened and left, and a slow drip on many: the others are served, memory stays."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import pytest

from tests.support.engine import free_port
from tests.support.mllp import VT, Sender, field_of, receiver
from tests.support.process import EngineProcess

ROUTES = """
version: 1
sites:
  cha: {{ finess_eg: "000780064" }}
sources:
  gam:
    type: mllp
    site: cha
    listen: "127.0.0.1:{port}"
    max_connections: 7000
    max_connections_per_peer: 7000
    block_timeout: 60s
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:{dpi}", encode: {{ control_id: as_received }} }}
routes:
  all: {{ from: [gam], to: [dpi] }}
"""
IDLE, DRIPPING = 5000, 1000
GROWTH_BYTES = 60_000_000


@pytest.mark.timeout(110)
def test_idle_and_dripping(tmp_path: Path) -> None:
    """Five thousand idle connections and a thousand that drip cost at most 60 MB, and a good sender is served."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))

    async def run() -> None:
        port = free_port()
        async with receiver() as dpi:
            routes = tmp_path / "routes.yaml"
            routes.write_text(ROUTES.format(port=port, dpi=dpi.port), encoding="utf-8")
            engine = EngineProcess(routes, tmp_path / "data")
            await asyncio.to_thread(engine.start)
            writers: list[asyncio.StreamWriter] = []
            try:
                before = engine.rss_bytes()
                for number in range(IDLE + DRIPPING):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writers.append(writer)
                    if number >= IDLE:
                        writer.write(VT + b"MSH|")
                for letter in b"^~\\&|SLOW":
                    for writer in writers[IDLE:]:
                        writer.write(bytes((letter,)))
                    async with Sender.connected(port) as good:
                        answer = await good.ask(f"MSH|^~\\&|G|C|||2026||ADT^A01|M{letter}|P|2.5\rPID|1||42\r".encode())
                        assert field_of(answer, b"MSA", 1) == "AA"
                grown = engine.rss_bytes() - before
                assert grown < GROWTH_BYTES, f"{grown} bytes for {IDLE + DRIPPING} connections"
                (status,) = await asyncio.to_thread(engine.ask, "status")
                assert status["sources"][0]["connections"] >= IDLE + DRIPPING
            finally:
                for writer in writers:
                    writer.transport.abort()
                await asyncio.to_thread(engine.stop)

    try:
        asyncio.run(run())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
