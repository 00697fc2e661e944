"""What waits while an officer parts two patients, in a real engine that is killed: nothing leaves with both numbers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.integration.test_officers_evening import ROUTES, adt, group_number
from tests.support.engine import free_port
from tests.support.mllp import Sender, field_of, receiver
from tests.support.process import EngineProcess
from tests.support.until import until

ROUNDS = 3
WAITING = 150


async def send(port: int, *messages: bytes) -> None:
    """From one hospital, acknowledged."""
    async with Sender.connected(port) as gam:
        for message in messages:
            assert field_of(await gam.ask(message), b"MSA", 1) == "AA"


def test_a_kill_after_the_act_changes_nothing(tmp_path: Path) -> None:
    """Linked, messages wait, the link is undone, kill -9: what waited leaves under its person's number, in order."""

    async def work() -> None:
        ports = {"cha": free_port(), "chb": free_port()}
        async with receiver() as dpi:
            routes = tmp_path / "routes.yaml"
            routes.write_text(ROUTES.format(**ports, dpi=dpi.port), encoding="utf-8")
            engine = EngineProcess(routes, tmp_path / "data")

            async def ask(*words: str) -> list[dict[str, Any]]:
                return await asyncio.to_thread(engine.ask, *words)

            async def got(count: int) -> list[bytes]:
                await until(lambda: len(dpi.messages) >= count, 60)
                return dpi.messages

            await asyncio.to_thread(engine.start)
            try:
                await send(ports["cha"], adt("A0", "cha", "42"))
                await send(ports["chb"], adt("B0", "chb", "77"))
                mine, hers = [group_number(one) for one in await got(2)]
                assert mine != hers
                order = ["A0", "B0"]
                for number in range(ROUNDS):
                    await ask("identity", "link", "1", "2", "--reason", "one", "--yes", "--expect", "2")
                    await ask("hold", "dpi", "--reason", "a round", "--yes")
                    for rank in range(0, WAITING, 3):
                        names = [f"R{number}.{rank + one}" for one in range(3)]
                        await send(ports["chb"], *(adt(name, "chb", "77", "A08") for name in names[:2]))
                        await send(ports["cha"], adt(names[2], "cha", "42", "A08"))
                        order += names
                    event = (await ask("identity", "history", "1"))[0]
                    assert event["rule"] == "link"
                    told = await ask("identity", "undo", str(event["id"]), "--reason", "two", "--yes", "--expect", "2")
                    assert told
                    await asyncio.to_thread(engine.kill)
                    await asyncio.to_thread(engine.start)
                    await send(ports["chb"], adt(f"R{number}.last", "chb", "77", "A08"))
                    order.append(f"R{number}.last")
                    await ask("release", "dpi", "--reason", "a round", "--yes")
                    await got(len(order))
                received = {field_of(one, b"MSH", 10): one for one in dpi.messages}
                assert len(received) == len(order)
                for message in dpi.messages:
                    local = field_of(message, b"PID", 3).split("~")[1].partition("^")[0]
                    assert group_number(message) == (hers if local == "77" else mine), field_of(message, b"MSH", 10)
                for local in ("42", "77"):
                    mine_of = [name for name in order if f"{local}^".encode() in received[name]]
                    came = [field_of(one, b"MSH", 10) for one in dpi.messages if f"{local}^".encode() in one]
                    assert came == mine_of
                (status,) = await ask("status")
                assert status["balance"]["difference"] == 0
            finally:
                await asyncio.to_thread(engine.kill)

    asyncio.run(work())
