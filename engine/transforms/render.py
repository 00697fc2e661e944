"""
`render: { format, fields | template }`: the body to send instead of the message's bytes.

A template lies in a file beside routes.yaml. In each format the values of the message are written so that they can't
become structure: JSON texts, XML characters. `json` templates are JSON with texts as in `set`; an item of a list that
is `{ "foreach": "OBX", "do": … }` stands for one item a segment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from engine.transforms.nodes import Entries, Items, Mark, Node, Scalar
from engine.transforms.shapes import (
    Choice,
    Key,
    Pairs,
    Reader,
    Record,
    TemplateShape,
    TextShape,
    Unreadable,
    Verb,
    exactly_one,
    refuse,
)
from engine.transforms.step import Context, Step

if TYPE_CHECKING:
    from engine.transforms.text import Text

Rendered = Callable[[Context], Any]
_QUOTES: Final = {'"': "&quot;", "'": "&apos;"}
_LITERAL: Final = re.compile(r"(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)\Z", re.ASCII)
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't hold (§ 2.2)."""


class RenderJson(Step):
    """Make a JSON document, keys in the order of the file, UTF-8."""

    __slots__ = ("_value",)

    def __init__(self, value: Rendered) -> None:
        super().__init__("render")
        self._value = value

    def apply(self, context: Context) -> None:
        """Leave the body in the context."""
        text = json.dumps(self._value(context), ensure_ascii=False, separators=(",", ":"))
        context.body = text.encode("utf-8", "replace")


class RenderText(Step):
    """Fill a text, each value cleaned for its format."""

    __slots__ = ("_clean", "_text")

    def __init__(self, text: Text, clean: Callable[[str], str]) -> None:
        super().__init__("render")
        self._text = text
        self._clean = clean

    def apply(self, context: Context) -> None:
        """Leave the body in the context."""
        context.body = self._text.render_safe(context, self._clean).encode("utf-8", "replace")


def clean_xml(value: str) -> str:
    """Write a value as characters of XML, in content and in attributes."""
    return escape(_NOT_XML.sub("\ufffd", value), _QUOTES)


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step."""
    form = arguments["format"]
    if exactly_one(arguments, reader, node, "fields", "template"):
        raise Unreadable
    if arguments["fields"] is not None:
        if form != "json":
            where = node.key("fields") if isinstance(node, Entries) else None
            raise refuse(
                reader, where or node, "E118", f"{form} has no fields", "write template: FILE, or format: json"
            )
        pairs = [(str(name), text) for name, text in arguments["fields"]]
        return RenderJson(lambda context: {name: text.render(context) for name, text in pairs})
    word = arguments["template"]
    file, text = reader.file(word.node)
    if form == "json":
        return RenderJson(_compiled(reader.document(file, text), reader))
    if form == "xml":
        _check_xml(reader, file, text)
    return RenderText(reader.template(_FileText(Mark(file, 1, 1), text)), clean_xml if form == "xml" else str)


class _FileText(Scalar):
    """The text of a whole file: columns inside it are shown in their line."""

    def at(self, column: int, width: int = 1) -> Mark:
        """Return the position of a column (from 0) of the text."""
        begin = self.text.rfind("\n", 0, column) + 1
        return Mark(self.mark.file, self.text.count("\n", 0, column) + 1, column - begin + 1, width)


def _compiled(node: Node, reader: Reader) -> Rendered:
    """Compile a part of a JSON template."""
    if isinstance(node, Entries):
        pairs = [(key.text, _compiled(value, reader)) for key, value in node.entries]
        return lambda context: {name: value(context) for name, value in pairs}
    if isinstance(node, Items):
        items = [_repeated(item, reader) for item in node.items]
        return lambda context: [one for item in items for one in item(context)]
    assert isinstance(node, Scalar), "there are no other nodes"
    if node.plain and _LITERAL.match(node.text):
        literal = json.loads(node.text)
        return lambda _: literal
    return reader.template(node).render


def _repeated(node: Node, reader: Reader) -> Callable[[Context], list[Any]]:
    """Compile an item of a list: one value, or one a segment."""
    if not isinstance(node, Entries) or node.get("foreach") is None:
        value = _compiled(node, reader)
        return lambda context: [value(context)]
    name, do = node.get("foreach"), node.get("do")
    if not isinstance(name, Scalar) or do is None or len(node.entries) != 2:
        raise refuse(reader, node, "E105", "foreach needs do, and nothing else",
                     'write { "foreach": "OBX", "do": { … } }')  # fmt: skip
    with reader.inside(name.text):
        each = _compiled(do, reader)

    def repeat(context: Context) -> list[Any]:
        before = context.at, context.rank
        made = []
        try:
            for rank, segment in enumerate(context.message.segments(name.text), 1):
                context.at, context.rank = segment, rank
                made.append(each(context))
        finally:
            context.at, context.rank = before
        return made

    return repeat


def _check_xml(reader: Reader, file: str, text: str) -> None:
    if "<!DOCTYPE" in text:
        raise refuse(reader, Mark(file, 1, 1), "E151", "a template has no document type", "remove <!DOCTYPE …>")
    try:
        # braces hold paths, which are no XML themselves: PID-3[@ipp].1
        ET.fromstring(re.sub(r"\{[^{}]*\}", "x", text))  # noqa: S314 - the hospital's own file, without entities
    except ET.ParseError as error:
        line, column = error.position
        raise refuse(
            reader,
            Mark(file, line, column + 1),
            "E151",
            "this isn't XML",
            "look at the tags of this line and the one before",
        ) from None


_SHAPE = Record(
    {
        "format": Key(Choice("json", "xml", "text"), required=True, about="What the body is."),
        "fields": Key(
            Pairs(TextShape(), TemplateShape()), about='By name, the text of a JSON object: { unit: "{PV1-3.1}" }.'
        ),
        "template": Key(
            TextShape(), about="Instead of fields: a file beside routes.yaml with {PATH} where values come."
        ),
    }
)
VERB = Verb("render", _SHAPE, build, "make the body to send")
