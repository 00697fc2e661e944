"""The changes that a router's decisions are."""

from __future__ import annotations

from dataclasses import replace

from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage
from engine.flow.decisions import INTERNAL, decided, duplicate, faulty
from engine.routes.decision import Evaluation

MESSAGE = StoredMessage("gam", "main", b"MSH|", 1, type="ADT^A01", site="cha", place=7)


def test_decided():
    """Everything that was decided, and each key once."""
    evaluation = Evaluation(MessageState.FILTERED, code="E-FILTERED", reason="enough")
    evaluation.keys, evaluation.site, evaluation.type = [1, 2], "cha", "ADT^A01"
    route = decided(MESSAGE, evaluation, (2, 3), "abc")
    assert (route.place, route.group, route.source, route.state) == (7, "main", "gam", MessageState.FILTERED)
    assert (route.code, route.reason, route.site, route.type, route.config) == (
        "E-FILTERED", "enough", "cha", "ADT^A01", "abc",
    )  # fmt: skip
    assert sorted(route.keys) == [1, 2, 3]


def test_duplicate():
    """Names the first one."""
    route = duplicate(MESSAGE, 3, "abc")
    assert (route.state, route.code, route.linked_to) == (MessageState.DUPLICATE, "E-DUPLICATE", 3)
    assert "message 3" in route.reason


def test_faulty():
    """Of a message, or of a decision that the store refused."""
    for of in (MESSAGE, duplicate(MESSAGE, 3, "abc")):
        route = faulty(of, "ValueError at x.py:3", "abc")
        assert (route.place, route.state, route.code) == (7, MessageState.DEAD, INTERNAL)
        assert "ValueError at x.py:3" in route.reason
    assert faulty(replace(MESSAGE, state=MessageState.WAITING), "x.py:3", "abc").expected is MessageState.WAITING
