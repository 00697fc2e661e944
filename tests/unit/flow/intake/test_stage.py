"""Back-pressure promises: reading stops before memory or disk are full, and goes on by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.core.changes import Note
from engine.core.ports import Urgency
from engine.errors import StoreUnavailable
from engine.flow.intake import SourceIntake
from tests.support.hall import SOURCE, FakeDoor, FakeReply, Hall, adt, hall


def test_store_unavailable_wait() -> None:
    """wait: no answer, reading stops; what was given is stored, in order, when the store works again."""

    async def test(it: Hall) -> None:
        it.faults.append("disk full")
        replies = [it.give(adt("A1")), it.give(adt("A2"))]
        it.store.commit()
        await asyncio.sleep(0.1)
        assert it.door.paused
        assert [reply.complete for reply in replies] == [False, False]
        it.faults.clear()
        for _ in range(3):
            await asyncio.sleep(1.5)
            it.store.commit()
        await asyncio.sleep(0.1)
        assert [reply.codes for reply in replies] == [["AA"], ["AA"]]
        assert not it.door.paused
        first = await it.store.message(1)
        assert first is not None
        assert first.control_id == "A1"

    hall(test)


def test_reading_stops_while_the_store_is_full() -> None:
    """At 0.8 of its load nothing more is read; at 0.5 reading goes on."""

    async def test(it: Hall) -> None:
        it.store.submit = lambda change, urgency, done=None: None  # type: ignore[method-assign]
        it.store.load = 0.9
        it.give(adt())
        assert it.door.paused
        it.store.load = 0.6
        it.intake.stored()
        assert it.door.paused
        it.store.load = 0.4
        it.intake.stored()
        assert not it.door.paused

    hall(test)


def test_reading_goes_on_when_the_load_falls_after_the_last_reception() -> None:
    """No reception is told any more: the load is looked at all the same."""

    async def test(it: Hall) -> None:
        it.store.submit = lambda change, urgency, done=None: None  # type: ignore[method-assign]
        it.store.load = 0.9
        it.give(adt())
        await asyncio.sleep(1)
        assert it.door.paused
        it.store.load = 0.3
        await asyncio.sleep(0.5)
        assert not it.door.paused
        assert not it.intake.facts()["paused"]

    hall(test)


def test_sources_that_answer_ar_go_on_while_nothing_can_be_stored() -> None:
    """Trouble stops only who waits; each block of the others is answered; a full store stops all."""

    async def test(it: Hall) -> None:
        answering = FakeDoor()
        other = SourceIntake(replace(SOURCE, name="lis", when_unavailable="ar"), it.intake)
        it.intake.attach([it.door], [answering])  # type: ignore[list-item]
        assert (it.source.answers_trouble, other.answers_trouble) == (False, True)
        it.intake._trouble(StoreUnavailable("disk full"))
        assert (it.door.paused, answering.paused) == (True, False)
        reply = FakeReply()
        other.accept(adt(), "10.0.0.1", reply)
        assert reply.codes == ["AR"]
        it.intake._trouble(None)
        assert not it.door.paused
        it.store.load = 0.9
        it.intake.take(Note({}), Urgency.LAZY, None)
        it.store.load = 0.9  # the submission measured it anew
        it.intake.take(Note({}), Urgency.LAZY, None)
        it.intake._trouble(StoreUnavailable("disk full"))
        it.store.load = 0.1
        it.intake.stored()
        assert (it.door.paused, answering.paused) == (True, False)

    hall(test)


def test_a_flood_of_refusals_stops_reading() -> None:
    """What is no message fills the store's backlog like any other change."""

    async def test(it: Hall) -> None:
        given = 0
        while not it.door.paused:
            it.give(b"x" * (65_536 if given < 300 else 64))
            given += 1
            assert given < 20_000
        assert it.store.load >= 0.8
        it.store.commit()
        await asyncio.sleep(0.5)
        assert not it.door.paused

    hall(test)
