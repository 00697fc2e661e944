"""The context of one message, and conditional steps."""

from __future__ import annotations

from engine.parsers.hl7v2.message import Message
from engine.transforms.step import Conditional, Context
from engine.transforms.tag import Tag

MESSAGE = Message.parse(b"MSH|^~\\&|A\r")


def test_fork_is_apart():
    """What a fork leaves isn't seen in the first."""
    first = Context(MESSAGE, site="cha", keys={"nda": lambda _: ["1"]})
    first.tags.append("a")
    other = first.fork(MESSAGE.copy())
    other.tags.append("b")
    other.findings.append("c")
    assert (first.tags, first.findings) == (["a"], [])
    assert (other.tags, other.site, other.variant, other.key("nda")) == (["a", "b"], "cha", "cha", ["1"])


def test_conditional():
    """The step runs when the condition holds; label and verb are those of the step."""
    context = Context(MESSAGE)
    step = Tag("x")
    step.label = "urgent ones"
    Conditional(step, lambda _: False).apply(context)
    assert context.tags == []
    conditional = Conditional(step, lambda _: True)
    conditional.apply(context)
    assert (context.tags, conditional.verb, conditional.label) == (["x"], "tag", "urgent ones")
