"""Reception promises: nothing is acknowledged before it is stored, every block is answered, nothing is lost."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from engine.core.changes import Route
from engine.core.lifecycle import MessageState
from engine.core.messages import Attachment, Refusal
from engine.core.ports import UNSENT, Urgency
from engine.core.references import digest_of
from engine.errors import StoreUnavailable
from engine.routes.configuration import AnswerFiles
from tests.support.hall import SOURCE, FakeReply, Hall, adt, hall
from tests.support.mllp import field_of


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


def test_an_answer_has_the_local_time_of_its_moment() -> None:
    """MSH-7 after the change to summer time is an hour further, without a new start of the engine."""

    async def test(it: Hall) -> None:
        times = []
        for hours in (1, 2):
            it.runtime.local_ahead_seconds = hours * 3600
            times.append(field_of(it.give(b"PID|1||42").answers[0], b"MSH", 7))
        assert times == ["20250615160640", "20250615170640"]

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


@pytest.mark.parametrize(
    "raw", [b"FHS|^~\\&\rFTS|0\r", b"BHS|^~\\&|LAB\rBTS|0\r", b"FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|1\r"]
)
@pytest.mark.parametrize("batch", ["split", "whole"])
@pytest.mark.parametrize("type_", ["mllp", "directory"])
def test_a_batch_without_a_message_is_refused(raw: bytes, batch: str, type_: str) -> None:
    """Its sender isn't left without an answer, and the block stands among the refusals."""

    async def test(it: Hall) -> None:
        reply = it.give(raw)
        assert (reply.codes, reply.complete) == (["AR"], True)
        it.store.commit()
        (refusal,) = await it.store.queries.refusals()
        assert refusal["code"] in ("E-BATCH", "E-NO-HEADER")
        assert "the batch holds no message" in refusal["reason"]
        assert it.source.facts()["refused"] == 1

    hall(test, replace(SOURCE, batch=batch, type=type_))


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
                place=place,
                group="main",
                source="gam",
                expected=MessageState.RECEIVED,
                state=state,
                code=code,
                reason="no bed of that name",
            )
            it.store.submit(route, Urgency.NOW)
        it.store.commit()
        await asyncio.sleep(0.1)
        assert [reply.codes for reply in replies] == [["CA", "AA"], ["AE"], []]
        await asyncio.sleep(11)
        assert replies[2].codes == ["AA"]

    hall(test, source)


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


HPRIM = b"H|~^\\&|LAB1.HPR||L1||ORU|||CHA||P|H2.3|20260102\r\nP|1|77\r\n"


def test_a_file_is_answered_where_the_source_wants_it() -> None:
    """HPRIM by a message of the context ERR, HL7 by an acknowledgement; `refused`: only a no."""
    source = replace(SOURCE, type="directory", format="auto", answer_files=AnswerFiles(path="back"))

    async def test(it: Hall) -> None:
        taken, plain = it.give(HPRIM, name="a.hpr"), it.give(adt(), name="b.hl7")
        it.store.commit()
        await asyncio.sleep(0.1)
        (answer,) = taken.answers
        assert answer.startswith(b"H|~^\\&|LAB1.ERR||CHA||ERR|||L1||P|H2.3|")
        assert b"ERR|1" not in answer
        assert plain.codes == ["AA"]
        only_hl7 = it.give(b"nothing", name="c.hpr")
        assert only_hl7.codes == ["AR"]

    hall(test, source)


def test_an_acknowledgement_is_not_acknowledged() -> None:
    """Two systems that answer each file would answer each other's answers for ever."""
    source = replace(SOURCE, type="directory", format="auto", answer_files=AnswerFiles(path="back"))

    async def test(it: Hall) -> None:
        err = it.give(HPRIM.replace(b"|ORU|", b"|ERR|"), name="a.err")
        ack = it.give(b"MSH|^~\\&|A|B|C|D|20260102||ACK^A01|1|P|2.5\rMSA|AA|7\r", name="b.hl7")
        it.store.commit()
        await asyncio.sleep(0.1)
        assert (err.answers, err.complete) == ([], True)
        assert (ack.answers, ack.complete) == ([], True)
        it.source.source = replace(source, format="hprim-medecin")
        refused = it.give(HPRIM.replace(b"|ORU|", b"|ERR|"), name="a.err").answers
        assert (refused[0], len(refused)) == (UNSENT, 2)  # for the door alone

    hall(test, source)


def test_a_refused_hprim_file_is_told_why() -> None:
    """In its own form, also where the source doesn't take it or it was too long."""
    answers = AnswerFiles(path="back", when="refused")
    source = replace(SOURCE, type="directory", format="hprim-medecin", answer_files=answers)

    async def test(it: Hall) -> None:
        (answer,) = it.give(HPRIM, name="a.hpr").answers
        assert b"\r\nERR|1|LAB1.HPR|" in answer
        assert b"the source takes hprim-medecin" in answer
        reply = FakeReply()
        it.source.refuse("E-TOO-LONG", "it has too many bytes", HPRIM[:60], 99, "", reply)
        assert b"|it has too many bytes\r\n" in reply.answers[0]
        nobody = FakeReply()
        it.source.refuse("E-UNREADABLE", "the file can't be read", b"", 99, "", nobody)
        assert (nobody.answers, nobody.complete) == ([UNSENT], True)
        taken = it.give(b"1\r\nA\r\n****FIN****\r\n", name="b.hpr")
        it.store.commit()
        await asyncio.sleep(0.1)
        assert (taken.answers, taken.complete) == ([], True)

    hall(test, source)


def test_attachments_are_stored_with_their_message() -> None:
    """As the door hands them over."""
    source = replace(SOURCE, type="directory", format="auto")

    async def test(it: Hall) -> None:
        attachment = Attachment("a.pdf", "PDF", b"%PDF", 7)
        it.source.accept(HPRIM, "", FakeReply(), "a.hpr", (attachment,))
        it.store.commit()
        message = await it.store.message(1)
        assert message is not None
        assert message.attachments == (attachment,)
        assert message.digest == digest_of(HPRIM, [7])

    hall(test, source)


LETTER = b"77\nDOE\nJANE\n1 rue A\n\n75000 PARIS\n01.02.84\n\n\n03.04.26\nLAB\nCHA\n\x1b&k\x0cRAS\n"
"""Nothing in it says what it is, but the source."""


@pytest.mark.parametrize("format_", ["auto", "hprim-sante", "hprim-medecin", "hl7v2"])
def test_random_bytes_are_no_message(format_: str) -> None:
    """Whatever the source takes: refused with a sentence, so that the door puts the file aside."""
    source = replace(SOURCE, type="directory", format=format_)

    async def test(it: Hall) -> None:
        chance = random.Random(20)
        sizes = [10, 100, 1_000, *[70_000] * 40]
        noise = [chance.randbytes(size) for size in sizes]
        noise += [one[:3000] + b"\r\n" + HPRIM + one for one in noise[3:6]] if format_ != "hl7v2" else []
        for raw in noise:
            assert it.give(raw, name="a.hpr").codes == ["AR"]
        it.store.commit()
        assert len(await it.store.queries.refusals()) == len(noise)
        assert await it.store.message(1) is None

    hall(test, source)


@pytest.mark.parametrize("raw", [b"H|\r\nP|1\r\n", b"H|~^\r\nP|1\r\n", b"x\nH~|\n", b"H1|\n"])
def test_an_h_that_is_no_header(raw: bytes) -> None:
    """Refused, with what it lacks."""

    async def test(it: Hall) -> None:
        (answer,) = it.give(raw, name="a.hpr").answers
        assert b"H" in answer.partition(b"MSA")[2]

    hall(test, replace(SOURCE, type="directory", format="hprim-sante"))


@pytest.mark.parametrize(("format_", "taken"), [("hprim-medecin", True), ("auto", False), ("hprim-sante", False)])
def test_a_letter_without_marks_is_one_where_the_source_says_so(format_: str, taken: bool) -> None:
    """Nothing else tells it from a text that somebody left there."""

    async def test(it: Hall) -> None:
        reply = it.give(LETTER, name="a.hpr")
        it.store.commit()
        await asyncio.sleep(0.1)
        assert (reply.answers == []) is taken

    hall(test, replace(SOURCE, type="directory", format=format_))
