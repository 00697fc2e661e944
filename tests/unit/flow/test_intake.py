"""Reception promises: nothing is acknowledged before it is stored, every block is answered, nothing is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine.core.changes import Note, Route
from engine.core.lifecycle import MessageState
from engine.core.messages import Refusal
from engine.core.ports import Urgency
from engine.errors import StoreUnavailable
from engine.flow.intake import Intake, SourceIntake
from engine.routes.configuration import Source
from engine.store.memory import MemoryStore
from tests.support.mllp import field_of
from tests.support.runtime import SimulatedRuntime, simulate

SOURCE = Source(name="gam", type="mllp", site="cha")
ADT = b"MSH|^~\\&|GAM|CHA|||2026||ADT^A01|%b|P|2.5|||%b\rPID|1||42\r"


def adt(control_id: str = "A1", acks: str = "|") -> bytes:
    return ADT % (control_id.encode(), acks.encode())


class FakeReply:
    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.complete = False

    def answer(self, data: bytes, *, last: bool = True) -> None:
        assert not self.complete, "answered twice"
        if data:
            self.answers.append(data)
        self.complete = last

    @property
    def codes(self) -> list[str]:
        return [field_of(answer, b"MSA", 1) for answer in self.answers]


class FakeDoor:
    def __init__(self) -> None:
        self.paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class Hall:
    """Intake with a store that commits when the test says."""

    def __init__(self, runtime: SimulatedRuntime, source: Source = SOURCE) -> None:
        self.faults: list[str] = []
        self.store = MemoryStore(automatic=False, fault=self._fault)
        self.intake = Intake(self.store, runtime)
        self.source = SourceIntake(source, self.intake)
        self.door = FakeDoor()
        self.intake.attach([self.door])  # type: ignore[list-item]

    def _fault(self, name: str) -> None:
        if self.faults:
            raise StoreUnavailable(self.faults[0])

    def give(self, raw: bytes, name: str = "") -> FakeReply:
        reply = FakeReply()
        self.source.accept(raw, "10.0.0.1", reply, name)
        return reply


def hall(test: Any, source: Source = SOURCE) -> None:
    async def run(runtime: SimulatedRuntime) -> None:
        it = Hall(runtime, source)
        await it.store.open(now_ms=runtime.now_ms())
        await test(it)

    simulate(run)


def test_the_answer_comes_after_the_commit() -> None:
    """Before the commit nothing is said; after it AA with the control id."""

    async def test(it: Hall) -> None:
        reply = it.give(adt())
        await asyncio.sleep(1)
        assert not reply.complete
        it.store.commit()
        await asyncio.sleep(0.1)
        assert reply.codes == ["AA"]
        assert field_of(reply.answers[0], b"MSA", 2) == "A1"
        message = await it.store.message(1)
        assert message is not None
        assert (message.raw, message.control_id, message.site, message.peer) == (adt(), "A1", "cha", "10.0.0.1")

    hall(test)


def test_what_is_no_message_is_answered_at_once_and_kept() -> None:
    """AR with a sentence; the refusal is kept with its bytes; nothing is received."""

    async def test(it: Hall) -> None:
        reply = it.give(b"PID|1||42")
        assert reply.codes == ["AR"]
        it.store.commit()
        (refusal,) = await it.store.queries.refusals()
        assert refusal["code"] == "E-NO-HEADER"
        assert await it.store.message(1) is None
        assert it.source.facts()["refusals"] == {"E-NO-HEADER": 1}

    hall(test)


def test_a_file_is_answered_by_nothing_or_by_a_refusal() -> None:
    """MSH-15/16 don't concern files: stored is silence, and a refusal is never silent."""
    source = replace(SOURCE, type="directory")

    async def test(it: Hall) -> None:
        taken = it.give(adt(acks="AL|AL"), name="a.hl7")
        refused = it.give(b"nothing", name="b.hl7")
        it.store.commit()
        await asyncio.sleep(0.1)
        assert (taken.answers, taken.complete) == ([], True)
        assert refused.codes == ["AR"]

    hall(test, source)


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


@pytest.mark.parametrize(("policy", "code"), [("ar", "AR"), ("ae", "AE")])
def test_store_unavailable_said(policy: str, code: str) -> None:
    """ar, ae: the sender is told, and the message is not ours."""

    async def test(it: Hall) -> None:
        it.faults.append("disk full")
        reply = it.give(adt())
        it.store.commit()
        await asyncio.sleep(0.1)
        assert reply.codes == [code]

    hall(test, replace(SOURCE, when_unavailable=policy))


def test_after_route_waits_for_the_router() -> None:
    """ack: after_route answers with the router's decision; in enhanced mode CA comes before."""
    source = replace(SOURCE, ack="after_route", answer_within=10.0)

    async def test(it: Hall) -> None:
        replies = [it.give(adt("A1", "AL|AL")), it.give(adt("A2")), it.give(adt("A3"))]
        it.store.commit()
        await asyncio.sleep(0.1)
        assert [reply.codes for reply in replies] == [["CA"], [], []]
        for place, state, code in ((1, MessageState.FILTERED, ""), (2, MessageState.REJECTED, "AE")):
            route = Route(
                place=place, group="main", source="gam", expected=MessageState.RECEIVED, state=state, code=code,
                reason="no bed of that name",
            )
            it.store.submit(route, Urgency.NOW)
        it.store.commit()
        await asyncio.sleep(0.1)
        assert [reply.codes for reply in replies] == [["CA", "AA"], ["AE"], []]
        await asyncio.sleep(11)
        assert replies[2].codes == ["AA"]

    hall(test, source)


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


def test_refusals_leave_the_room_to_messages() -> None:
    """Over half of the store's load a refusal is kept without its bytes; without a store it is only counted."""

    async def test(it: Hall) -> None:
        kept: list[Refusal] = []

        def submit(change: Any, urgency: Urgency, done: Any = None) -> None:
            kept.append(change.refusal)

        it.store.submit = submit  # type: ignore[method-assign]
        for load in (0.5, 0.6):
            it.store.load = load
            assert it.give(b"nothing").codes == ["AR"]
        it.intake._trouble(StoreUnavailable("too little room"))
        assert it.give(b"nothing").codes == ["AR"]
        assert [(one.raw, one.size) for one in kept] == [(b"nothing", 7), (b"", 7)]
        assert it.source.facts()["refused"] == 3

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


def test_each_message_of_a_batch_is_answered() -> None:
    """Answers of a batch leave together, in order, when the last one is known."""

    async def test(it: Hall) -> None:
        reply = it.give(b"BHS|^~\\&\r" + adt("A1") + adt("A2") + b"BTS|3\r")
        it.store.commit()
        await asyncio.sleep(0.1)
        assert [field_of(answer, b"MSA", 2) for answer in reply.answers] == ["A1", "A2"]
        assert it.source.facts()["findings"] == {"batch-count": 1}

    hall(test, replace(SOURCE, batch="split"))
