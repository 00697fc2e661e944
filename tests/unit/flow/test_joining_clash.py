"""Fragments that could not be told apart: what dies, and for how long their pointers are barred."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.fragments import cut
from tests.support.laboratory import Laboratory
from tests.support.runtime import SimulatedRuntime, simulate
from tests.unit.flow.test_joining import DEAD, JOINED, OTHER, OURS, PARTS, ROUTED, THEIRS, WAITING, WHOLE, lab


@pytest.mark.parametrize("crash", [None, 0, 2, 3, 4], ids=str)
def test_what_comes_after_a_clash(tmp_path: Path, crash: int | None) -> None:
    """Two senders, one pointer: the whole that is sent again, as told, isn't joined with the other's end."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = await Laboratory.opened(runtime, tmp_path)
        again = OURS[0].replace(b"|W|", b"|W9|")
        for rank, part in enumerate([OURS[0], THEIRS[0], again, THEIRS[1], OURS[1]]):
            it.send(part)
            await asyncio.sleep(1)
            if rank == crash:
                it = await it.crashed()
        assert it.left == []
        assert await it.states() == [DEAD] * 4 + [WAITING], "what bars is replaced"
        assert "again under other pointers" in (await it.row(3))["reason"]
        await asyncio.sleep(650)
        assert set(await it.states()) == {DEAD}
        it.send(*cut(WHOLE, (WHOLE.index(b"OBX|3"),), ("R",)))
        await asyncio.sleep(1)
        assert await it.sent() == [WHOLE]

    simulate(run)


@pytest.mark.parametrize("crash", [False, True])
def test_a_repetition_prolongs_a_clash(tmp_path: Path, crash: bool) -> None:
    """The very same bytes too: they are no duplicate of the part that bars, whose time would be over before theirs."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = await Laboratory.opened(runtime, tmp_path)
        it.send(OURS[0], THEIRS[0])
        await asyncio.sleep(590)
        if crash:
            it = await it.crashed()
        it.send(THEIRS[0])
        await asyncio.sleep(20)
        it.send(OURS[0])
        await asyncio.sleep(1)
        it.send(THEIRS[1])
        await asyncio.sleep(1)
        assert (await it.states(), it.left) == ([DEAD] * 4 + [WAITING], [])

    simulate(run)


def test_a_clash_bars_all_pointers_of_what_died(tmp_path: Path) -> None:
    """Not only those of the part that showed it; another source's, and other pointers, are free."""

    async def test(it: Laboratory) -> None:
        clash = PARTS[1].replace(b"|p2|", b"|p3|")
        it.send(PARTS[0], PARTS[1], clash)
        it.send(*PARTS, source="other")
        await asyncio.sleep(1)
        it.send(PARTS[2].replace(b"|W-3|", b"|Y|"), *cut(OTHER, (OTHER.index(b"OBX|2"),), ("q",)))
        await asyncio.sleep(1)
        assert await it.sent() == [WHOLE, OTHER]
        assert await it.states() == [DEAD, DEAD, WAITING, JOINED, JOINED, ROUTED, WAITING, JOINED, ROUTED]
        await asyncio.sleep(650)
        assert (await it.row(7))["state"] == "dead"
        assert len(it.left) == 2

    lab(tmp_path, test)


def test_what_bars_never_goes_alone(tmp_path: Path) -> None:
    """`then: deliver` is for parts whose others are missing."""

    async def test(it: Laboratory) -> None:
        it.send(OURS[0], THEIRS[0])
        await asyncio.sleep(70)
        assert (await it.states(), it.left) == ([DEAD, DEAD], [])

    lab(tmp_path, test, "fragments: { join: 1m, then: deliver }")
