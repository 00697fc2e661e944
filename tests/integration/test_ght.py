"""The delivered routes.yaml under the simulated group: all that it declares has messages, none dies."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

from engine.routes.loader import load
from engine.simulation.ght import simulate
from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.until import until

ROOT = Path(__file__).resolve().parents[2]


async def archived(engine: RunningEngine) -> bool:
    """Nothing waits for a message of the folder, or for the archive."""
    counters = await engine.queries.counters()
    written = counters.get(("delivery", "archive", "delivered"), 0)
    return written == counters.get(("received", "labo_ville", "total"), 0) > 0


def test_everything_flows(tmp_path: Path) -> None:
    """Three admission systems, laboratory, radiology, the laboratory in town with its documents; DPI, bus, archive."""
    text = (ROOT / "routes.yaml").read_text(encoding="utf-8")
    ports: dict[str, int] = {}
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda one: f"127.0.0.1:{ports.setdefault(one[1], free_port())}", text)
    text = text.replace("path: data/", f"path: {tmp_path}/").replace("settle: 2s", "settle: 0")
    for folder in ("tables", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for folder in ("in/labo", "out/archive"):
        (tmp_path / folder).mkdir(parents=True)

    async def run() -> None:
        async with running_engine(text, tmp_path) as engine:
            configuration = load(tmp_path / "routes.yaml", environment=os.environ)
            play = asyncio.create_task(simulate(configuration, seed=7, rate=250, duration=3, plain=True))

            async def all_is_archived() -> bool:
                return play.done() and not list((tmp_path / "in/labo").glob("*.hpr")) and await archived(engine)

            await until(all_is_archived, 60)
            facts = play.result()
            counters = await engine.queries.counters()
            received = {name for (kind, name, _), count in counters.items() if kind == "received" and count}
            assert received == set(configuration.sources)
            assert not [key for key, count in counters.items() if key[2] == "dead" and count]
            assert {path.suffix for path in (tmp_path / "out/archive").iterdir()} == {".hpr", ".PDF"}
            assert facts["bus"]["published"] > 100
            assert facts["dpi"]["inversions"] == 0

    asyncio.run(run())
