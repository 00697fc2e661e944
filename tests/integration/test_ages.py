"""Ages go on over a restart: a stop in the night hides no outage."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.mllp import Sender, receiver
from tests.support.until import until

ROUTES = """
version: 1
sites:
  cha: {{ finess_eg: "000780064" }}
sources:
  gam: {{ type: mllp, site: cha, listen: "127.0.0.1:{port}" }}
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:{dpi}" }}
routes:
  all: {{ from: [gam], to: [dpi] }}
"""
ADT = b"MSH|^~\\&|GAM|CHA|||2026||ADT^A01|%b|P|2.5\rPID|1||42\r"


def facts(engine: RunningEngine) -> dict[str, Any]:
    return {"last_ms": 0} | dict(engine.service.sources()["gam"]) | dict(engine.service.destinations()["dpi"])


def test_last_message_last_acknowledgement_and_outage(tmp_path: Path) -> None:
    """They are those of the runs before; an acceptance ends the outage for the next run too."""

    async def run() -> None:
        port, closed = free_port(), free_port()
        async with receiver() as dpi:
            routes = ROUTES.format(port=port, dpi=dpi.port)
            async with running_engine(routes, tmp_path) as engine, Sender.connected(port) as gam:
                await gam.ask(ADT % b"1")
                await engine.settled(delivered=1)
                first = facts(engine)
        down = ROUTES.format(port=port, dpi=closed)
        async with running_engine(down, tmp_path) as engine:
            again = facts(engine)
            assert [again[key] for key in ("last_ms", "last_accepted_ms")] == [
                first["last_ms"], first["last_accepted_ms"],
            ]  # fmt: skip
            async with Sender.connected(port) as gam:
                await gam.ask(ADT % b"2")
            await until(lambda: facts(engine)["circuit"] != "closed")
        async with running_engine(down, tmp_path) as engine:
            assert facts(engine)["circuit"] in ("probing", "unreachable")
            since = engine.service._moments()["outage", "dpi"]
            assert first["last_ms"] < since <= engine.service._started_ms
        async with receiver(port=closed), running_engine(down, tmp_path) as engine:
            await engine.settled(delivered=2)
        async with running_engine(down, tmp_path) as engine:
            assert engine.service._moments()["outage", "dpi"] == 0

    asyncio.run(run())
