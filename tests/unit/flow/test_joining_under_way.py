"""Parts of longer messages while decisions on others of them aren't on disk yet."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Route
from engine.core.lifecycle import MessageState
from engine.core.ports import Urgency
from tests.conformance.stores import balanced
from tests.support.fragments import cut, result
from tests.support.laboratory import Laboratory, SlowStore
from tests.support.runtime import SimulatedRuntime, simulate
from tests.unit.flow.test_joining import OTHER, PARTS, WHOLE, lab

WAITING, JOINED, ROUTED, DEAD = MessageState.WAITING, MessageState.JOINED, MessageState.ROUTED, MessageState.DEAD


def test_decisions_on_parts_that_are_not_on_disk_yet(tmp_path: Path) -> None:
    """What was decided counts before it is on disk: no part waits for the commit of another, nor what is behind."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = await Laboratory.opened(runtime, tmp_path, store=SlowStore())
        it.send(*PARTS, result("B"), *cut(OTHER, (OTHER.index(b"OBX|2"),), ("p1",)), result("C"))
        await asyncio.sleep(1.5)
        assert await it.states() == [JOINED, JOINED, ROUTED, ROUTED, JOINED, ROUTED, ROUTED]
        assert await it.sent() == [WHOLE, result("B"), OTHER, result("C")]
        await balanced(it.store)

    simulate(run)


@pytest.mark.parametrize("count", [1, 20])
def test_a_pointer_is_asked_for_once(tmp_path: Path, count: int) -> None:
    """Many at once with one question, and no body is read that just came."""
    asked: list[Any] = []

    class Asked(SlowStore):
        async def waiting_for(self, hashes: Any, *, linked: bool = False) -> Any:
            asked.append(hashes)
            return await super().waiting_for(hashes, linked=linked)

        async def message(self, place: int) -> Any:
            asked.append(place)
            return await super().message(place)

    async def run(runtime: SimulatedRuntime) -> None:
        it = await Laboratory.opened(runtime, tmp_path, store=Asked())
        whole = [result(f"W{n}", ipp=str(n)) for n in range(count)]
        it.send(*(part for n, one in enumerate(whole) for part in cut(one, (one.index(b"OBX|2"),), (f"p{n}",))))
        await asyncio.sleep(2)
        assert sorted(await it.sent()) == sorted(whole)
        assert len(asked) == 1

    simulate(run)


def test_what_is_read_while_it_is_decided_on(tmp_path: Path) -> None:
    """A chain of another run is joined; what is read before that is on disk isn't taken for waiting."""

    async def run(runtime: SimulatedRuntime) -> None:
        first = await Laboratory.opened(runtime, tmp_path)
        first.send(*PARTS[:2])
        await asyncio.sleep(1)
        first.router.stop()
        first.store.crash()
        second = await Laboratory.opened(runtime, tmp_path, store=SlowStore(first.store.disk))
        second.send(PARTS[2])
        await asyncio.sleep(0.5)
        other = cut(OTHER, (OTHER.index(b"OBX|2"), OTHER.index(b"OBX|3")), ("p2", "p1"))
        second.send(*other[1:])
        await asyncio.sleep(5)
        assert await second.states() == [JOINED, JOINED, ROUTED, WAITING, WAITING]
        assert await second.sent() == [WHOLE]

    simulate(run)


def test_another_configuration(tmp_path: Path) -> None:
    """What is known is asked for again: another router may have decided on it meanwhile."""

    async def test(it: Laboratory) -> None:
        it.send(PARTS[0], PARTS[1])
        await asyncio.sleep(1)
        row = it.store.disk.messages[2]
        route = Route(2, "main", "lab", WAITING, DEAD, code="E-FRAGMENT")
        it.router.pause()
        it.store.submit(route, Urgency.NOW)
        await asyncio.sleep(1)
        it.router.resume(it.router.configuration)
        it.send(PARTS[2])
        await asyncio.sleep(5)
        assert row.message.state is WAITING
        assert await it.states() == [WAITING, DEAD, WAITING]

    lab(tmp_path, test)
