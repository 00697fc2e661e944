"""
`map: { field, table, match: {column: "{value}"}, take: column, on_missing }`: replace codes through a table.

An absent or null field isn't a missing code: it is skipped (ROUTES, rule 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import StepFailed
from engine.transforms.nodes import Entries, Node, Word
from engine.transforms.shapes import (
    Choice,
    Either,
    Key,
    ListOf,
    NameShape,
    Pairs,
    PathShape,
    Reader,
    Record,
    TableShape,
    TemplateShape,
    TextShape,
    Unreadable,
    Verb,
)
from engine.transforms.step import Context, Step
from engine.transforms.tables import ANY, Lookup, Table

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.text import Text

_NULL = '""'


class OnMissing:
    """What to do with a code that the table doesn't have."""

    __slots__ = ("action", "text", "word")

    def __init__(self, action: str, text: Text | None = None, word: str = "") -> None:
        self.action = action
        """`dead_letter`, `keep`, `set` or `flag`."""
        self.text = text
        self.word = word


class Map(Step):
    """Replace codes through a table."""

    __slots__ = ("_fields", "_lookup", "_match", "_missing", "_name", "_take", "_write")

    def __init__(
        self,
        fields: list[Path],
        table: Table,
        match: list[tuple[str, Text]],
        take: str,
        write: list[tuple[Path, str]],
        missing: OnMissing,
    ) -> None:
        super().__init__("map")
        self._fields = fields
        self._name = table.name
        self._lookup = Lookup(table, [column for column, _ in match])
        self._match = [text for _, text in match]
        self._take = table.column(take)
        self._write = [(path, table.column(column)) for path, column in write]
        self._missing = missing

    def apply(self, context: Context) -> None:
        """
        Replace the code of each field.

        Raises:
            StepFailed: E-MAP-MISS with `on_missing: dead_letter`; E-MAP-SEVERAL when a path gives values
                that become different codes (use `foreach`).
        """
        for path in self._fields:
            values = [value for value in path.read(context.message, context.at) if value and value != _NULL]
            if not values:
                continue
            row = self._one(context, values[0], path)
            if len(values) > 1 and {row} != {self._one(context, value, path) for value in values}:
                raise StepFailed("E-MAP-SEVERAL", "several values become different codes", field=path.text)
            self._put(context, path, row)

    def _one(self, context: Context, value: str, path: Path) -> tuple[str, ...] | None:
        """Return the row for a value, None where it is missing and that is allowed."""
        context.value = value
        row = self._lookup.find(tuple([text.render(context) for text in self._match]))
        if row is None and self._missing.action == "dead_letter":
            raise StepFailed("E-MAP-MISS", f"the code isn't in the table {self._name}", field=path.text)
        return row

    def _put(self, context: Context, path: Path, row: tuple[str, ...] | None) -> None:
        message, at = context.message, context.at
        if row is not None:
            if self._take >= 0:
                path.write(message, row[self._take], at)
            for target, column in self._write:
                target.write(message, row[column], at)
        elif self._missing.text is not None:
            path.write(message, self._missing.text.render(context), at)
        elif self._missing.action == "flag":
            context.findings.append(f"{self._missing.word} {path.text}")


class _MissingShape(Either):
    """`dead_letter | keep | { set: "…" } | { flag: word }`."""

    def __init__(self) -> None:
        super().__init__(
            Choice("dead_letter", "keep"),
            Record({"set": Key(TemplateShape("value")), "flag": Key(NameShape())}),
        )

    def read(self, node: Node, reader: Reader) -> OnMissing:
        """Read the node."""
        value = super().read(node, reader)
        if isinstance(value, str):
            return OnMissing(value)
        if (value["set"] is None) == (value["flag"] is None):
            reader.error(node, "E110", "one of set and flag is wanted", 'write { set: "text" } or { flag: word }')
            raise Unreadable
        return OnMissing("set" if value["set"] is not None else "flag", value["set"], str(value["flag"] or ""))


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step; checks columns and duplicate rows."""
    table: Table = arguments["table"]
    failed = _alone(arguments, reader, node, "field", "fields") + _alone(arguments, reader, node, "take", "write")
    match: list[tuple[Word, Text]] = arguments["match"] or _default_match(table, reader, node)
    columns = [word for word, _ in match]
    for word in [*columns, arguments["take"], *(column for _, column in arguments["write"] or [])]:
        if isinstance(word, Word) and table.column(word) < 0:
            where = getattr(word, "node", node)
            reader.error(
                where, "E121", f"the table {table.name} has no column {word}", reader.suggest(word, table.columns)
            )
            failed += 1
    if failed:
        raise Unreadable
    for first, again in table.duplicates(columns):
        if ANY not in table.rows[again]:
            lines = (
                f"lines {table.lines[first]} and {table.lines[again]}" if table.lines else f"rows {first} and {again}"
            )
            reader.error(node, "E121", f"the table {table.name} has the same code twice ({table.file}, {lines})",
                         f"keep one row for each {' and '.join(columns)}")  # fmt: skip
            failed += 1
    if failed:
        raise Unreadable
    fields = arguments["fields"] or [arguments["field"]]
    pairs = [(str(column), text) for column, text in match]
    write = [(path, str(column)) for path, column in arguments["write"] or []]
    return Map(fields, table, pairs, str(arguments["take"] or ""), write, arguments["on_missing"])


def _default_match(table: Table, reader: Reader, node: Node) -> list[tuple[Word, Text]]:
    """Without `match`: the value against the first column."""
    from engine.transforms.text import Text as CompiledText
    from engine.transforms.text import name_reader

    del reader, node
    return [(Word(table.columns[0]), CompiledText("{value}", [name_reader("value")]))]


def _alone(arguments: Any, reader: Reader, node: Node, one: str, other: str) -> int:
    """Exactly one of two keys; returns how many findings were reported."""
    if (arguments[one] is None) != (arguments[other] is None):
        return 0
    where = node.key(other) or node if isinstance(node, Entries) else node
    reader.error(where, "E105", f"one of {one} and {other} is wanted", f"write {one}: or {other}:, not both")
    return 1


_SHAPE = Record(
    {
        "field": Key(PathShape()),
        "fields": Key(ListOf(PathShape())),
        "table": Key(TableShape(), required=True),
        "match": Key(Pairs(TextShape(), TemplateShape("value"))),
        "take": Key(TextShape()),
        "write": Key(Pairs(PathShape(), TextShape())),
        "on_missing": Key(
            _MissingShape(),
            required=True,
            missing="map can fail: a code may be missing from the table"
            "|add on_missing: dead_letter | keep | { set: ... } | { flag: ... }",
        ),
    }
)
VERB = Verb("map", _SHAPE, build, "replace codes through a table")
