"""`drop: reason`: this route, or this exit, doesn't want the message; it is counted as filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import Reader, TemplateShape, Verb
from engine.transforms.step import Context, Dropped, Step

if TYPE_CHECKING:
    from engine.transforms.text import Text


class Drop(Step):
    """End the route with a reason; use it with `when:`."""

    __slots__ = ("_reason",)

    def __init__(self, reason: Text) -> None:
        super().__init__("drop")
        self._reason = reason

    def apply(self, context: Context) -> None:
        """Raise `Dropped`."""
        raise Dropped(self._reason.render(context))


def build(reason: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Drop(reason)


VERB = Verb("drop", TemplateShape(paths=False), build, "end the route: the message is filtered")
