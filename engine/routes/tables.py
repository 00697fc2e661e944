"""
Read tables of codes: CSV with a header line; `;`, tabs and Excel's encodings are accepted with a warning.

A first line `#key: site,code` names the columns that tell rows apart, or each of them is written `#key:site` in the
header; without either, the first column does. Dates under `valid_from` and `valid_to` are written 20260301,
2026-03-01 or 01/03/2026; both days belong to the period.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from engine.routes.findings import Findings
from engine.routes.suggestions import suggest
from engine.transforms.nodes import Mark
from engine.transforms.tables import VALID_FROM, VALID_TO, Table

ROWS_MAX: Final = 200_000
_KEY: Final = "#key:"
_SAME_MAX: Final = 20
"""Findings of one kind in one table; the others are counted."""

_DATE: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)|(\d\d?)/(\d\d?)/(\d{4})", re.ASCII)
_MANGLED: Final = re.compile(r"\d[.,]\d+E\+\d+", re.ASCII)
_SEPARATORS: Final = {",": "a comma", ";": "`;`", "\t": "a tab"}

Lines = list[tuple[int, list[str]]]
"""Line numbers with the cells of a row."""


def read_table(name: str, file: str, data: bytes, findings: Findings) -> Table | None:
    """
    Read one table.

    Args:
        name: As declared under `tables:`.
        file: Its name, as findings cite it.
        data: Its bytes.
        findings: Gets what is wrong; lines are those of the CSV file.

    Returns:
        The table; None when it can't be used.
    """
    return _Table(name, file, findings).read(data)


class _Table:
    """The reading of one table."""

    def __init__(self, name: str, file: str, findings: Findings) -> None:
        self._name = name
        self._file = file
        self._findings = findings
        self._broken = False

    def read(self, data: bytes) -> Table | None:
        """Read all."""
        text = self._decode(data)
        self._findings.source(self._file, text)
        lines = self._lines(text)
        if lines is None:
            return None
        keys = self._key_line(lines)
        if not lines:
            self._error(1, f"the table {self._name} is empty", "write a header line and rows")
            return None
        head_line, header = lines.pop(0)
        columns = tuple([cell.removeprefix(_KEY).strip() for cell in header])
        keys = keys or [column for column, cell in zip(columns, header, strict=True) if cell.startswith(_KEY)]
        self._check_columns(head_line, columns, keys)
        self._check_rows(lines, len(columns))
        if not self._broken:
            self._dates(lines, columns)
        if self._broken:
            return None
        return self._made(lines, columns, tuple(keys))

    def _made(self, lines: Lines, columns: tuple[str, ...], keys: tuple[str, ...]) -> Table | None:
        known: dict[str, str] = {}
        rows = [tuple([known.setdefault(cell, cell) for cell in row]) for _, row in lines]  # equal cells once in memory
        table = Table(self._name, columns, rows, keys=keys, file=self._file, lines=[line for line, _ in lines])
        if keys:  # a table that says what tells its rows apart is checked even where no route uses it
            self._check_twice(table)
        self._check_mangled(table)
        return None if self._broken else table

    # --- bytes to cells ------------------------------------------------------------------------------------

    def _decode(self, data: bytes) -> str:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = data.decode("utf-16", "replace")
            self._findings.source(self._file, text)
            self._warn(1, "the table is UTF-16, as Excel writes `Unicode text`", "save it as UTF-8")
            return text
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            text = data.decode("cp1252", "replace")
            self._findings.source(self._file, text)
            self._warn(line, "the table isn't UTF-8: read as Windows-1252", "save it as UTF-8")
            return text

    def _lines(self, text: str) -> Lines | None:
        """Cut into rows of cells; rows without any are left out."""
        lines = text.splitlines(keepends=True)
        skipped = 1 if lines and lines[0].lower().startswith("sep=") else 0
        first = next((line for line in lines[skipped:] if not line.lstrip('"').startswith(_KEY + " ")), "")
        separator = max(_SEPARATORS, key=first.count)
        if separator != ",":
            number, column = lines.index(first) + 1, first.index(separator) + 1
            words = _SEPARATORS[separator]
            self._warn(number, f"columns are separated by {words}", "read as Excel writes it; a comma is the usual "
                       "separator", column)  # fmt: skip
        reader = csv.reader(io.StringIO("".join(lines[skipped:])), delimiter=separator, strict=True)
        rows: Lines = []
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    rows.append((reader.line_num + skipped, cells))
        except csv.Error as error:
            self._error(reader.line_num + skipped, f"this line isn't CSV: {error}", "look at its quotes")
            return None
        return rows

    def _key_line(self, lines: Lines) -> list[str]:
        """Take away a first line `#key: site,code`, which Excel may have cut into cells; return its columns."""
        if not lines or not lines[0][1][0].startswith(_KEY):
            return []
        cells = lines[0][1]
        words = [word.strip() for cell in cells for word in re.split("[,;]", cell.removeprefix(_KEY))]
        words = [word for word in words if word]
        is_header = not cells[0].startswith(_KEY + " ") and not (len(lines) > 1 and {*words} <= {*lines[1][1]})
        if is_header:
            return []
        del lines[0]
        return words

    # --- what is wrong -------------------------------------------------------------------------------------

    def _check_columns(self, line: int, columns: tuple[str, ...], keys: list[str]) -> None:
        if len(set(columns)) < len(columns) or not all(columns):
            self._error(line, "a column has no name, or one that another has", "name each column once")
        for key in keys:
            if key not in columns:
                self._error(1, f"{key} is no column", suggest(key, columns))
        if VALID_TO in columns and VALID_FROM not in columns:
            self._error(line, "valid_to needs a column valid_from beside it", "add valid_from; its cells may be empty")

    def _check_rows(self, lines: Lines, width: int) -> None:
        if len(lines) > ROWS_MAX:
            self._error(lines[ROWS_MAX][0], f"a table has at most {ROWS_MAX} rows", "split it")
        wrong = [(line, len(row)) for line, row in lines if len(row) != width]
        for line, cells in wrong[:_SAME_MAX]:
            self._error(line, f"this row has {cells} columns, the header {width}", "complete it")
        self._count_rest(wrong, "rows with another number of columns")

    def _dates(self, lines: Lines, columns: tuple[str, ...]) -> None:
        """Write dates as YYYYMMDD, in place."""
        indices = [columns.index(name) for name in (VALID_FROM, VALID_TO) if name in columns]
        wrong: list[int] = []
        for line, row in lines if indices else ():
            for index in indices:
                day = _day(row[index])
                if day is None:
                    wrong.append(line)
                else:
                    row[index] = day
            if len(indices) == 2 and row[indices[0]] and row[indices[1]] and row[indices[0]] > row[indices[1]]:
                self._error(line, "this row ends before it begins", "exchange valid_from and valid_to")
        for line in wrong[:_SAME_MAX]:
            self._error(line, "this is no date", "write 20260301, 2026-03-01 or 01/03/2026, or leave it empty")
        self._count_rest(wrong, "cells that are no dates")

    def _check_twice(self, table: Table) -> None:
        found = list(table.duplicates(table.keys))
        words = " and ".join(table.keys)
        for first, again in found[:_SAME_MAX]:
            line = table.lines[first]
            sentence, hint = f"line {line} has the same {words}", "keep one"
            if table.is_dated:
                sentence, hint = f"{sentence} on the same days", "make the dates follow one another"
            self._error(table.lines[again], sentence, hint)
        self._count_rest(found, "rows that stand twice")

    def _check_mangled(self, table: Table) -> None:
        indices = [table.column(key) for key in table.keys]
        lost = [
            line
            for line, row in zip(table.lines, table.rows, strict=True)
            if any("E+" in row[index] and _MANGLED.fullmatch(row[index]) for index in indices)
        ]
        for line in lost[:_SAME_MAX]:
            self._warn(line, "a code was rewritten as a number by Excel: its digits are lost",
                       "format the column as text, then write the code again")  # fmt: skip
        self._count_rest(lost, "codes that Excel rewrote", error=False)

    def _count_rest(self, found: Sequence[object], words: str, *, error: bool = True) -> None:
        if len(found) > _SAME_MAX:
            tell = self._error if error else self._warn
            tell(1, f"{len(found) - _SAME_MAX} more {words}", "mend these first")

    def _error(self, line: int, sentence: str, hint: str) -> None:
        self._findings.add("error", "E121", Mark(self._file, line, 1), sentence, hint)
        self._broken = True

    def _warn(self, line: int, sentence: str, hint: str, column: int = 1) -> None:
        self._findings.add("warning", "W203", Mark(self._file, line, column), sentence, hint)


def _day(text: str) -> str | None:
    """Return a date as YYYYMMDD; an empty one stays; None: it is no date."""
    if not text:
        return ""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (match[1], match[2], match[3]) if match[1] else (match[6], match[5], match[4])
    try:
        return date(int(year), int(month), int(day)).strftime("%Y%m%d")
    except ValueError:
        return None
