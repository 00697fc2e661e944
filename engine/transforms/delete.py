"""`delete: [PATHS]`: remove repetitions, empty components and fields; the name of a segment alone removes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import ListOf, PathShape, Reader, Verb, refuse
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from engine.parsers.paths import Path


class Delete(Step):
    """Remove what paths lead to; nothing there, nothing done."""

    __slots__ = ("_paths",)

    def __init__(self, paths: list[Path]) -> None:
        super().__init__("delete")
        self._paths = paths

    def apply(self, context: Context) -> None:
        """Remove each."""
        for path in self._paths:
            path.delete(context.message, context.at)


def build(paths: Any, reader: Reader, node: Node) -> Step:
    """Make the step."""
    for path in paths:
        if path.segment in ("MSH", "H") and (not path.field or path.field < 3):
            raise refuse(reader, node, "E112", f"{path.text} can't be removed", "a message begins with it")
    return Delete(paths)


VERB = Verb("delete", ListOf(PathShape(), single=True), build, "remove repetitions, values, segments")
