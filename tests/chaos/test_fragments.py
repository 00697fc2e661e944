"""kill -9 while results come in parts: nothing acknowledged is lost, each leaves whole and in its order."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from tests.chaos.test_kill import ROUTES
from tests.support.engine import free_port, listens
from tests.support.fragments import cut, result
from tests.support.mllp import Sender, field_of, receiver
from tests.support.process import EngineProcess
from tests.support.until import until

SENDERS, EACH = 4, 6


async def send(port: int, raw: bytes) -> None:
    """Send until it is acknowledged, over restarts."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with Sender.connected(port) as sender:
                assert field_of(await sender.ask(raw), b"MSA", 1) == "AA"
                return
        await until(lambda: listens(port))


async def laboratory(port: int, number: int, chance: random.Random) -> list[bytes]:
    """Send results in parts; return the wholes."""
    wholes = []
    for serial in range(EACH):
        whole = result(f"F{number}-{serial}", ipp=f"9{number}", lines=4)
        places = sorted(chance.sample(range(whole.index(b"OBX|1"), len(whole)), 3))
        parts = cut(whole, places, [f"{number}-{serial}-{rank}" for rank in range(3)])
        for part in parts:
            await send(port, part)
        wholes.append(whole)
    return wholes


async def campaign(directory: Path, seed: int, kills: int) -> None:
    port, chance = free_port(), random.Random(seed)
    async with receiver() as dpi, contextlib.AsyncExitStack() as stack:
        routes = directory / "routes.yaml"
        text = ROUTES.format(port=port, dpi=dpi.port).replace(
            "encode: { control_id: as_received }", "encode: as_received"
        )
        text = text.replace("steps: [ normalise_authorities: { on_unknown: keep } ], ", "")
        routes.write_text(text, encoding="utf-8")
        engine = EngineProcess(routes, directory / "data")
        stack.callback(engine.stop)
        await asyncio.to_thread(engine.start)
        tasks = [
            asyncio.create_task(laboratory(port, number, random.Random(seed * 100 + number)))
            for number in range(SENDERS)
        ]
        for _ in range(kills):
            await asyncio.wait(tasks, timeout=chance.uniform(0.02, 0.3))
            engine.kill()
            await asyncio.to_thread(engine.start)
        wholes = [whole for ones in await asyncio.gather(*tasks) for whole in ones]
        await until(lambda: set(wholes) <= set(dpi.messages), 60)
        assert set(dpi.messages) == set(wholes), "something else than a whole left"
        for number in range(SENDERS):
            mine = [raw for raw in dict.fromkeys(dpi.messages) if b"|F%d-" % number in raw]
            assert mine == [whole for whole in wholes if b"|F%d-" % number in whole], "out of order"
        (status,) = await asyncio.to_thread(engine.ask, "status")
        balance = status["balance"]
        assert balance["difference"] == 0, balance
        ended = (balance["parts"]["joined"], balance["parts"]["waiting"], balance["parts"]["dead"])
        assert ended == (3 * len(wholes), 0, 0), balance
        assert await asyncio.to_thread(engine.stop) == 0


@pytest.mark.timeout(180)
def test_kills_while_parts_come(tmp_path: Path) -> None:
    """Four laboratories over one source, three kills."""
    asyncio.run(campaign(tmp_path, 5, 3))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(5))
def test_many_kills(tmp_path: Path, seed: int) -> None:
    """The same, longer."""
    asyncio.run(campaign(tmp_path, seed, 12))
