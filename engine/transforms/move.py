"""`move: { FROM: TO }`: write the first value of one path to another, and take it away where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.parsers.parts import NULL, part, with_part
from engine.transforms.nodes import Node
from engine.transforms.shapes import Pairs, Reader, Verb
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import OnePath, ValuePath, carry

if TYPE_CHECKING:
    from engine.parsers.paths import Path


class Move(Step):
    """Move first values; an absent or null one is skipped (docs/routes/README.md, rule 7)."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        super().__init__("move")
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """Move each that has a value; other values that the path selects stay."""
        for origin, target in self._pairs:
            data = _take_out(origin, context)
            if data:
                carry(data, origin, target, context.message, context.at)


def _take_out(path: Path, context: Context) -> bytes:
    """Take the first value away and return it; a repetition that is moved whole leaves no gap."""
    marks = context.message.delimiters
    for segment, repetitions, ranks in path.chosen(context.message, context.at):
        for rank in ranks:
            data = part(repetitions[rank], path.component, path.subcomponent, marks)
            if not data or data == NULL:
                continue
            if path.component:
                repetitions[rank] = with_part(
                    repetitions[rank], path.component, path.subcomponent, b"", marks, path.text
                )
            else:
                del repetitions[rank]
            segment.set_field(path.field, marks.repetition.join(repetitions))
            return data
    return b""


def build(pairs: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Move(pairs)


VERB = Verb("move", Pairs(OnePath(), ValuePath()), build, "move a value to another path")
