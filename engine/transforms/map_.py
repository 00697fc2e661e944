"""
`map: { field, table, match: {column: "{value}"}, at, take: column, on_missing }`: replace codes through a table.

An absent or null field isn't a missing code: it is skipped (docs/routes/README.md, rule 7).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from engine.errors import StepFailed
from engine.parsers.parts import NULL, leaf_of, text_of
from engine.transforms.fallback import Fallback, FallbackShape
from engine.transforms.nodes import Node, Word
from engine.transforms.shapes import (
    Key,
    ListOf,
    Pairs,
    Reader,
    Record,
    TableShape,
    TemplateShape,
    TextShape,
    Unreadable,
    Verb,
    exactly_one,
    refuse,
)
from engine.transforms.step import Context, Step
from engine.transforms.tables import Lookup, Row, Table
from engine.transforms.text import Text, name_reader
from engine.transforms.valuepaths import ValuePath

if TYPE_CHECKING:
    from engine.parsers.paths import Path

_NULL: Final = '""'
_DAY: Final = 8
_DUPLICATES_MAX: Final = 20
_SITE: Final = "site"
_VALUE: Final = "{value"
_SAME_FOR_ALL: Final = re.compile(r"(?:[^{]|\{\{|\{(?:site|source)\b[^}]*\})*")
"""A text that isn't about the message."""


class Map(Step):
    """Replace codes through a table."""

    __slots__ = ("_at", "_fallback", "_fields", "_lookup", "_match", "_name", "_take", "_write")

    def __init__(
        self,
        fields: list[Path],
        table: Table,
        match: list[tuple[str, Text]],
        take: str,
        write: list[tuple[Path, str]],
        fallback: Fallback,
        at: list[Path] | None = None,
    ) -> None:
        """
        Keep what to do.

        Args:
            fields: Whose values are looked for.
            table: Where.
            match: What each column must hold.
            take: The column that replaces the value; empty: none.
            write: Paths and the columns that are written to them.
            fallback: What to do with a code that the table doesn't have.
            at: Paths of a date: the row must be valid on that day; the first that has one says it.
        """
        super().__init__("map")
        self._fields = fields
        self._name = table.name
        self._lookup: Lookup = table.lookup([column for column, _ in match])
        self._match = [text for _, text in match]
        self._take = table.column(take)
        self._write = [(path, table.column(column)) for path, column in write]
        self._fallback = fallback
        self._at = at or []

    def apply(self, context: Context) -> None:
        """
        Replace the code of each field.

        Raises:
            StepFailed: E-MAP-MISS with `on_missing: dead_letter`; E-MAP-DATE when no path of `at` has a day;
                E-MAP-SEVERAL when `write` is asked for values with different rows (use `foreach`).
        """
        day: str | None = None
        for path in self._fields:
            values = [value for value in path.read(context.message, context.at) if value and value != _NULL]
            if not values:
                continue
            if day is None:
                day = self._day(context)
            if len(values) == 1:
                self._put(context, path, self._row(context, values[0], day))
            elif self._write:
                rows = [self._row(context, value, day) for value in values]
                if any(row != rows[0] for row in rows):
                    raise StepFailed("E-MAP-SEVERAL", "several values become different codes", field=path.text)
                self._put(context, path, rows[0])
            else:
                self._put_each(context, path, day)

    def _day(self, context: Context) -> str:
        """Return the day at which the table is asked: YYYYMMDD; empty for a table without dates."""
        if not self._at:
            return ""
        for path in self._at:
            day = path.first(context.message, context.at)[:_DAY]
            if len(day) == _DAY and day.isascii() and day.isdecimal():
                return day
        raise StepFailed("E-MAP-DATE", "there is no day at which the table could be asked", field=self._at[0].text)

    def _row(self, context: Context, value: str, day: str) -> Row | None:
        context.value = value
        return self._lookup.find(tuple([text.render(context) for text in self._match]), day)

    def _instead(self, context: Context, path: Path) -> str | None:
        """Return what is written for a missing code; None: it stays."""
        missing = StepFailed("E-MAP-MISS", f"the code isn't in the table {self._name}", field=path.text)
        return self._fallback.take(context, missing)

    def _put_each(self, context: Context, path: Path, day: str) -> None:
        """Replace each of several values by its own code."""
        message = context.message
        codec, marks = message.codec, message.delimiters

        def change(data: bytes) -> bytes:
            if data == NULL:
                return data
            row = self._row(context, text_of(data, codec, marks), day)
            text = row[self._take] if row is not None else self._instead(context, path)
            return data if text is None else leaf_of(text, codec, marks, path.text)

        path.change(message, change, context.at)

    def _put(self, context: Context, path: Path, row: Row | None) -> None:
        message, at = context.message, context.at
        if row is None:
            text = self._instead(context, path)
            if text is not None:
                path.write(message, text, at)
            return
        if self._take >= 0:
            path.write(message, row[self._take], at)
        for target, column in self._write:
            target.write(message, row[column], at)


def build(arguments: Any, reader: Reader, node: Node) -> Step:
    """Make the step; checks columns, dates and rows that stand twice."""
    table: Table = arguments["table"]
    failed = exactly_one(arguments, reader, node, "field", "fields")
    failed += exactly_one(arguments, reader, node, "take", "write")
    match: list[tuple[Word, Text]] = arguments["match"] or [
        (Word(table.columns[0]), Text("{value}", [name_reader("value")]))
    ]
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
    _check_keys(table, match, reader, node, said=bool(arguments["match"]))
    _check_dates(arguments, table, reader, node)
    _check_rows(table, columns, reader, node)
    fields = arguments["fields"] or [arguments["field"]]
    pairs = [(str(column), text) for column, text in match]
    write = [(path, str(column)) for path, column in arguments["write"] or []]
    take = str(arguments["take"] or "")
    return Map(fields, table, pairs, take, write, arguments["on_missing"], arguments["at"])


def _check_keys(table: Table, match: list[tuple[Word, Text]], reader: Reader, node: Node, *, said: bool) -> None:
    """
    Refuse to look for a value by some of the columns that tell rows apart: another hospital's row would be taken.

    By other columns a table may be asked (back from its codes): these say by themselves what they tell apart.
    `said`: whether `match:` is written at all.
    """
    asked = {str(column) for column, _ in match}
    missing = [key for key in table.keys if key not in asked]
    if missing and any(column in table.keys and _VALUE in text.source for column, text in match):
        raise refuse(
            reader, node, "E121", f"the table {table.name} tells its rows apart by {' and '.join(table.keys)}",
            f"add to match: {_told_apart(missing)}" if said else f"add match: with {' and '.join(table.keys)}",
        )  # fmt: skip
    if all(_SAME_FOR_ALL.fullmatch(text.source) for _, text in match):
        reader.warn(
            node, "W210", f"every code is looked for in the same row of the table {table.name}",
            'write "{value}" for the column that holds the code',
        )  # fmt: skip


def _told_apart(columns: list[str]) -> str:
    """Say how a column is asked for beside the code."""
    return ", ".join(f'{column}: "{{site}}"' if column == _SITE else f'{column}: "…"' for column in columns)


def _check_dates(arguments: Any, table: Table, reader: Reader, node: Node) -> None:
    if table.is_dated and arguments["at"] is None:
        raise refuse(
            reader, node, "E120", f"rows of the table {table.name} are valid at certain dates: at which day?",
            "add at: PATH of a date, as ZBE-2 or [EVN-6, EVN-2, MSH-7]: the first that has a value",
        )  # fmt: skip
    if arguments["at"] is not None and not table.is_dated:
        raise refuse(
            reader, node, "E118", f"at: asks for a date, and the table {table.name} has none",
            "remove at:, or add a column valid_from or valid_to to the table",
        )  # fmt: skip


def _check_rows(table: Table, columns: list[Word], reader: Reader, node: Node) -> None:
    failed = False
    for number, (first, again) in enumerate(table.duplicates(columns)):
        if number >= _DUPLICATES_MAX:
            break
        lines = f"lines {table.lines[first]} and {table.lines[again]}" if table.lines else f"rows {first} and {again}"
        reader.error(
            node, "E121", f"the table {table.name} has the same code twice ({table.file}, {lines})",
            _once(table, columns),
        )  # fmt: skip
        failed = True
    if failed:
        raise Unreadable


def _once(table: Table, columns: list[Word]) -> str:
    """Say how a code comes to stand once: a row of another hospital's isn't one too many."""
    told = [*(table.keys if len(table.keys) > 1 else ()), _SITE]
    apart = [column for column in told if column in table.columns and column not in columns]
    if apart:
        return f"add to match: {_told_apart(apart[:1])}; these rows may be of two hospitals"
    rows = f"keep one row for each {' and '.join(columns)}"
    return f"{rows}, or make their dates follow one another" if table.is_dated else rows


_SHAPE = Record(
    {
        "field": Key(ValuePath(), about="The path whose value is replaced: PV1-3.1"),
        "fields": Key(ListOf(ValuePath()), about="Several such paths."),
        "table": Key(TableShape(), required=True, about="Name of a table declared under tables:"),
        "match": Key(
            Pairs(TextShape(), TemplateShape("value")),
            about='By column, what to look for: { site: "{site}", code: "{value}" }; else the value alone.',
        ),
        "at": Key(
            ListOf(ValuePath(), single=True),
            about="Path of the day at which rows must be valid; of several, the first that has one.",
        ),
        "take": Key(TextShape(), about="Column whose text takes the place of the value."),
        "write": Key(
            Pairs(ValuePath(), TextShape()), about="Instead of take: by path, the column that is written there."
        ),
        "on_missing": Key(
            FallbackShape(),
            required=True,
            missing="map can fail: a code may be missing from the table"
            "|add on_missing: dead_letter | keep | { set: ... } | { flag: ... }",
            about="When the code is not in the table: dead_letter, keep, { set: text } or { flag: word }.",
        ),
    }
)
VERB = Verb("map", _SHAPE, build, "replace codes through a table")
