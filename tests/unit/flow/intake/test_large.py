"""Large messages promise to count in the reception budget from reception until they are routed, and not longer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.core.changes import Route
from engine.core.lifecycle import MessageState
from engine.core.ports import Urgency
from tests.support.hall import SOURCE, Hall, adt, hall

DOCUMENT = b"OBX|1|ED|doc||" + b"x" * 100_000 + b"\r"


def route(it: Hall, place: int) -> None:
    it.store.submit(
        Route(place=place, group="main", source="gam", expected=MessageState.RECEIVED, state=MessageState.FILTERED),
        Urgency.NOW,
    )
    it.store.commit()


def test_a_large_message_counts_until_it_is_routed() -> None:
    """The commit changes nothing; the route gives its bytes back; a small message never counts."""

    async def test(it: Hall) -> None:
        large = adt() + DOCUMENT
        it.give(large)
        it.give(adt("A2"))
        assert it.budget.total == len(large)
        it.store.commit()
        await asyncio.sleep(0.1)
        assert it.budget.total == len(large)
        route(it, 2)
        await asyncio.sleep(0.1)
        assert it.budget.total == len(large)
        route(it, 1)
        await asyncio.sleep(0.1)
        assert it.budget.total == 0

    hall(test)


def test_one_that_is_not_taken_counts_no_more() -> None:
    """Its sender got AE, and has it."""

    async def test(it: Hall) -> None:
        it.faults.append("disk full")
        assert not it.give(adt() + DOCUMENT).complete
        it.store.commit()
        await asyncio.sleep(0.1)
        assert it.budget.total == 0

    hall(test, replace(SOURCE, when_unavailable="ae"))


def test_one_that_is_held_counts_once() -> None:
    """It stays in memory while nothing can be stored, and is submitted again and again."""

    async def test(it: Hall) -> None:
        it.faults.append("disk full")
        large = adt() + DOCUMENT
        it.give(large)
        for _ in range(3):
            it.store.commit()
            await asyncio.sleep(1.5)
        assert it.budget.total == len(large)
        it.faults.clear()
        await asyncio.sleep(1.5)
        it.store.commit()
        await asyncio.sleep(0.1)
        route(it, 1)
        await asyncio.sleep(0.1)
        assert it.budget.total == 0

    hall(test)


def test_reading_stops_while_large_messages_wait_for_their_routes() -> None:
    """Also messages that arrive whole, at once, and were never an open block."""

    async def test(it: Hall) -> None:
        given = 0
        while not it.door.paused:
            it.give(adt() + DOCUMENT)
            given += 1
            it.store.commit()
            await asyncio.sleep(0.001)
        assert 0.8 <= it.budget.load < 0.9
        for place in range(1, given + 1):
            route(it, place)
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        assert not it.door.paused

    hall(test)
