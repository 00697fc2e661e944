"""`set: { PATH: "text {PID-3.1}" }`: write texts, in the order of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import Pairs, Reader, TemplateShape, Verb
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import ValuePath

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.text import Text


class Set(Step):
    """Write texts to paths."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[Path, Text]]) -> None:
        super().__init__("set")
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """Write each; an absent repetition or component is made, an absent segment is an error."""
        for path, text in self._pairs:
            path.write(context.message, text.render(context), context.at)


def build(pairs: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Set(pairs)


VERB = Verb("set", Pairs(ValuePath(), TemplateShape()), build, "write texts")
