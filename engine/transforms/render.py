"""`render: { format: json, fields: { name: "text {PATH}" } }`: the body to send instead of the message's bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.transforms.nodes import Node
from engine.transforms.shapes import Choice, Key, Pairs, Reader, Record, TemplateShape, TextShape, Verb
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from engine.transforms.text import Text


class Render(Step):
    """Make a JSON object of texts, keys in the order of the file, UTF-8."""

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, Text]]) -> None:
        super().__init__("render")
        self._fields = fields

    def apply(self, context: Context) -> None:
        """Leave the body in the context."""
        values = {name: text.render(context) for name, text in self._fields}
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        context.body = text.encode("utf-8", "replace")


def build(arguments: Any, reader: Reader, node: Node) -> Step:  # noqa: ARG001 - the signature of all verbs
    """Make the step."""
    return Render([(str(name), text) for name, text in arguments["fields"]])


_SHAPE = Record(
    {
        "format": Key(Choice("json"), required=True),
        "fields": Key(Pairs(TextShape(), TemplateShape()), required=True),
    }
)
VERB = Verb("render", _SHAPE, build, "make the body to send")
