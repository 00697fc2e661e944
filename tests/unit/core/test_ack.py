"""Tables 0008 and 0357, restated, and what is an error (table 0516)."""

from __future__ import annotations

from engine.core.ack import ERROR_TEXTS, AckCode, Answer, AnswerError, ErrorCode


def test_table_0008() -> None:
    """Six codes."""
    assert {code.value for code in AckCode} == {"AA", "AE", "AR", "CA", "CE", "CR"}


def test_table_0357() -> None:
    """Each code has the table's number and a text."""
    assert [int(code) for code in ErrorCode] == [0, 100, 101, 102, 103, 198, *range(200, 208)]
    assert ErrorCode.RECORD_LOCKED == 206
    assert ErrorCode.UNSUPPORTED_VERSION.text == "Unsupported version id"
    assert set(ERROR_TEXTS) == set(ErrorCode)


def test_informations_and_warnings_are_no_errors() -> None:
    """An ERR beside an acceptance may only inform."""
    assert AnswerError("101").is_error
    assert AnswerError("101", severity="F").is_error
    assert not AnswerError("101", severity="W").is_error
    assert not AnswerError("101", severity="I").is_error
    assert not AnswerError("0").is_error
    assert not AnswerError("").is_error


def test_an_answer_has_its_own_list_of_errors() -> None:
    """Two answers share nothing."""
    first, second = Answer("AE", "1"), Answer("AE", "2")
    first.errors.append(AnswerError("101"))
    assert not second.errors
