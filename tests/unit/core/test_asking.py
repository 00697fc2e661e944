"""Questions to the hospital's own code."""

from __future__ import annotations

import pytest

from engine.core.asking import Answers, Asked, Code, Question, Reply, answered_at_once, new_questions


def question(message: bytes = b"PID|1\r", call: str = "clean", **facts: str) -> Question:
    code = Code(file="c.py", text="x", call=call, reads=frozenset(), writes=frozenset(), timeout=1.0)
    return Question(code, message, {"site": "cha"} | facts)


def test_equal_calls_have_equal_keys():
    """Function, segments and facts tell questions apart."""
    assert question().key == question().key
    different = [question(), question(b"PID|2\r"), question(call="other"), question(site="chb")]
    assert len({one.key for one in different}) == 4


def test_work_is_done_again_until_it_asks_nothing():
    """Each question once, in rounds."""
    rounds: list[int] = []
    first, second = question(), question(b"PID|2\r")

    def work(answers: Answers) -> str:
        rounds.append(len(answers))
        for one in (first, second):
            if one.key not in answers:
                raise Asked([one, one])
        return "done"

    assert answered_at_once(work, lambda one: Reply()) == "done"
    assert rounds == [0, 1, 2]


def test_who_asks_again_must_find_the_reply():
    """Otherwise it would ask for ever."""
    one = question()
    with pytest.raises(AssertionError):
        new_questions(Asked([one]), {one.key: Reply()})
