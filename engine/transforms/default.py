"""`default: { PATH: "text" }`: write where nothing is; an erasing `""` is something and stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import Pairs, Reader, TemplateShape, Verb
from engine.transforms.step import Context, Step
from engine.transforms.valuepaths import ValuePath

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.text import Text


class Default(Step):
    """Write texts to paths that have no value."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[Path, Text]]) -> None:
        super().__init__("default")
        self._pairs = pairs

    def apply(self, context: Context) -> None:
        """Write each that is absent."""
        for path, text in self._pairs:
            if path.presence(context.message, context.at) == "absent":
                path.write(context.message, text.render(context), context.at)


def build(pairs: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Default(pairs)


VERB = Verb("default", Pairs(ValuePath(), TemplateShape()), build, "write where nothing is")
