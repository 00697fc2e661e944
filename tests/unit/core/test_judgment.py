"""The table of answers (ARCHITECTURE.md, Judging an answer), and what stands around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.ack import Answer, AnswerError
from engine.core.judgment import DELIVERED, Outcome, judge_answer, judge_send, judge_unreadable
from engine.core.ports import SendResult
from engine.routes.configuration import AnswerRule


def answer(code: str, *errors: str, control_id: str = "1", text: str = "", user_text: str = "") -> Answer:
    return Answer(code, control_id, text, [AnswerError(one, user_text=user_text) for one in errors])


@pytest.mark.parametrize(
    ("code", "errors", "outcome"),
    [
        ("AA", [], Outcome.DELIVERED),
        ("CA", [], Outcome.DELIVERED),
        ("AA", ["207"], Outcome.DELIVERED),
        ("AR", [], Outcome.BUSY),
        ("CR", [], Outcome.BUSY),
        ("AR", ["999"], Outcome.BUSY),
        ("AE", ["206"], Outcome.BUSY),
        ("AE", ["207"], Outcome.BUSY),
        ("CE", ["207"], Outcome.BUSY),
        ("AE", [], Outcome.PERHAPS_BUSY),
        ("CE", [], Outcome.PERHAPS_BUSY),
        ("AE", ["VENDOR7"], Outcome.PERHAPS_BUSY),
        *[("AE", [str(one)], Outcome.REFUSED) for one in (100, 101, 102, 103, 198, 200, 201, 202, 203, 204, 205)],
        *[("AR", [str(one)], Outcome.REFUSED) for one in (200, 201, 202, 203)],
        ("AE", ["207", "101"], Outcome.REFUSED),
        ("", [], Outcome.PROTOCOL),
        ("OK", [], Outcome.PROTOCOL),
    ],
)
def test_the_table(code: str, errors: list[str], outcome: Outcome) -> None:
    """ERR-3 decides before a negative MSA-1; an acceptance stands."""
    assert judge_answer(answer(code, *errors), "1").outcome is outcome


def test_another_message_named_in_msa_2_is_no_answer() -> None:
    """Neither an acceptance nor a refusal of another message is ours."""
    assert judge_answer(answer("AA", control_id="2"), "1").outcome is Outcome.PROTOCOL
    assert judge_answer(answer("AE", control_id="2"), "1").outcome is Outcome.PROTOCOL
    assert judge_answer(answer("AA", control_id=""), "1").outcome is Outcome.PROTOCOL
    assert judge_answer(answer("AR", control_id=""), "1").outcome is Outcome.BUSY, "it could not read our header"
    assert judge_answer(answer("AA", control_id="2"), "1", match=False) is DELIVERED
    assert judge_answer(answer("AA", control_id="2"), "") is DELIVERED, "a format without control ids"


def test_rules_of_the_destination_come_first() -> None:
    """By code, by text, by both; the first that fits holds."""
    busy = AnswerRule(codes=frozenset({"204"}), text=None, judged="busy")
    locked = AnswerRule(codes=frozenset(), text=lambda text: "used by" in text, judged="busy")
    fine = AnswerRule(codes=frozenset({"205"}), text=lambda text: "already" in text, judged="ok")
    refused = AnswerRule(codes=frozenset({"AR"}), text=None, judged="refused")
    rules = (busy, locked, fine, refused)
    assert judge_answer(answer("AE", "204"), "1", rules).outcome is Outcome.BUSY
    assert judge_answer(answer("AE", text="used by X"), "1", rules).outcome is Outcome.BUSY
    assert judge_answer(answer("AE", "100", user_text="used by X"), "1", rules).outcome is Outcome.BUSY
    assert judge_answer(answer("AE", "205", text="already known"), "1", rules).outcome is Outcome.DELIVERED
    assert judge_answer(answer("AE", "205", text="no"), "1", rules).outcome is Outcome.REFUSED
    assert judge_answer(answer("AR"), "1", rules).outcome is Outcome.REFUSED
    assert judge_answer(answer("AE"), "1", rules).outcome is Outcome.PERHAPS_BUSY


def test_an_acceptance_is_doubted_only_in_so_many_words() -> None:
    """A rule about any code and no text says nothing about AA; one that names AA, or a text, does."""
    everything = AnswerRule(codes=frozenset(), text=None, judged="refused")
    assert judge_answer(answer("AA"), "1", (everything,)) is DELIVERED
    named = AnswerRule(codes=frozenset({"AA"}), text=lambda text: "REJECTED" in text, judged="refused")
    assert judge_answer(answer("AA", text="REJECTED"), "1", (named,)).outcome is Outcome.REFUSED
    assert judge_answer(answer("AA", text="fine"), "1", (named,)) is DELIVERED


def test_the_reason_names_code_and_field() -> None:
    """`AE 101` at `PID-3`, in words of table 0357."""
    error = AnswerError("101", location="PID^1^3^0", user_text="DUPONT JEAN has no identifier")
    verdict = judge_answer(Answer("AE", "1", "DUPONT", [error]), "1")
    assert (verdict.code, verdict.field) == ("AE 101", "PID-3")
    assert verdict.reason == "the receiver answered AE: required field missing (101)"


@given(st.sampled_from(["AE", "AR", "CE", "CR", "AA", "XX"]), st.text(), st.text(), st.text(), st.text(), st.text())
def test_no_text_of_the_receiver_comes_out(code: str, number: str, where: str, a: str, b: str, c: str) -> None:
    """A receiver may quote the patient anywhere: only short codes and paths pass."""
    verdict = judge_answer(Answer(code, "1", a, [AnswerError(number, b, where, "E", c)]), "1")
    assert verdict.code.isascii()
    assert len(verdict.code) <= 16
    assert len(verdict.field) <= 7
    assert verdict.reason.isascii() or verdict.reason == ""


def test_what_doors_tell() -> None:
    """Nothing left; it left; it is there; it can't be read."""
    assert judge_send(SendResult.ACCEPTED, "") is DELIVERED
    assert judge_send(SendResult.NOT_SENT, "refused").outcome is Outcome.CONNECT
    assert judge_send(SendResult.NO_ANSWER, "").outcome is Outcome.UNKNOWN
    assert judge_unreadable("it has no MSA").outcome is Outcome.PROTOCOL
