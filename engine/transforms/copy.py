"""`copy: { FROM: TO }`: write the first value of one path to another; nothing to copy, nothing done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import Pairs, PathShape, Reader, Verb
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from engine.parsers.paths import Path


class Copy(Step):
    """Copy first values; an absent or null source is skipped (ROUTES, rule 6)."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[Path, Path]]) -> None:
        super().__init__("copy")
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """Copy each that has a value."""
        message, at = context.message, context.at
        for origin, target in self._pairs:
            if origin.presence(message, at) != "value":
                continue
            if _level(origin) >= _level(target):  # a part goes where it is a part: structure and escapes too
                target.write_bytes(message, origin.read_bytes(message, at)[0], at)
            else:
                target.write(message, origin.first(message, at), at)


def _level(path: Path) -> int:
    """0: a repetition, 1: a component, 2: a subcomponent."""
    return 2 if path.subcomponent else 1 if path.component else 0


def build(pairs: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Copy(pairs)


VERB = Verb("copy", Pairs(PathShape(), PathShape()), build, "copy a value to another path")
