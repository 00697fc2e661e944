"""`reject: { code: AE | AR, reason: "sentence" }`: the sender is told that the message isn't taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Key, Reader, Record, TemplateShape, Verb, refuse
from engine.transforms.step import Context, Rejected, Step

if TYPE_CHECKING:
    from engine.transforms.text import Text


class Reject(Step):
    """End the whole message with a negative answer; use it with `when:`."""

    __slots__ = ("_code", "_reason")

    def __init__(self, code: str, reason: Text) -> None:
        super().__init__("reject")
        self._code = code
        self._reason = reason

    def apply(self, context: Context) -> None:
        """Raise `Rejected`."""
        raise Rejected(self._code, self._reason.render(context))


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step; a sender that was answered at custody can't be told any more."""
    source = reader.answered_early()
    if source:
        raise refuse(
            reader, node, "E143", f"reject comes too late: the source {source} answers before its routes run",
            f"write ack: after_route at the source {source}, or use drop",
        )  # fmt: skip
    return Reject(arguments["code"], arguments["reason"])


_SHAPE = Record(
    {
        "code": Key(Choice("AE", "AR"), required=True, about="AE: the content is wrong; AR: it may be sent again."),
        "reason": Key(
            TemplateShape(paths=False), required=True, about="Sentence of the answer; no path: {event}, {site}.",
            missing='the sender reads why it was rejected|add reason: "a sentence; {event}, {site} allowed, no path"',
        ),
    }
)  # fmt: skip
VERB = Verb("reject", _SHAPE, build, "answer AE or AR: the message isn't taken")
