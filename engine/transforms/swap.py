"""`swap: { ORC-2: ORC-3 }`: exchange two values; where one is absent, the other moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import Pairs, Reader, Verb, refuse
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import OnePath, level

if TYPE_CHECKING:
    from engine.parsers.paths import Path


class Swap(Step):
    """Exchange pairs of values, as they stand: structure, escapes, nulls."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        super().__init__("swap")
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """Exchange each pair of which one has a value."""
        message, at = context.message, context.at
        for one, other in self._pairs:
            first, second = (next(iter(path.read_bytes(message, at)), b"") for path in (one, other))
            if first != second:
                one.write_bytes(message, second, at)
                other.write_bytes(message, first, at)


def build(pairs: Any, reader: Reader, node: Node) -> Step:
    """Make the step; what is exchanged must be of one kind."""
    for one, other in pairs:
        if level(one) != level(other):
            raise refuse(
                reader, node, "E118", f"{one.text} and {other.text} aren't parts of the same kind",
                "exchange fields with fields, components with components",
            )  # fmt: skip
    return Swap(pairs)


VERB = Verb("swap", Pairs(OnePath(), OnePath()), build, "exchange two values")
