"""`copy: { FROM: TO }`: write the first value of one path to another; nothing to copy, nothing done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.parsers.parts import NULL
from engine.transforms.nodes import Node
from engine.transforms.shapes import Pairs, Reader, Verb
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import ValuePath, carry

if TYPE_CHECKING:
    from engine.parsers.paths import Path


class Copy(Step):
    """Copy first values; an absent or null source is skipped (docs/routes/README.md, rule 7)."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        super().__init__("copy")
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """Copy each that has a value."""
        message, at = context.message, context.at
        for origin, target in self._pairs:
            for data in origin.read_bytes(message, at):
                if data != NULL:
                    carry(data, origin, target, message, at)
                    break


def build(pairs: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Copy(pairs)


VERB = Verb("copy", Pairs(ValuePath(), ValuePath()), build, "copy a value to another path")
