"""
Tables of codes, as `map` asks them: rows by one or more columns, `*` for any other code, validity dates.

A table is indexed once for each set of columns by which it is asked, whatever the number of steps and sites.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

ANY: Final = "*"
VALID_FROM: Final = "valid_from"
VALID_TO: Final = "valid_to"
MISSES_MAX: Final = 10_000

Row = tuple[str, ...]
Asked = tuple[str, ...]
"""Values of the columns by which a row is looked for."""


class Table:
    """A table in memory."""

    __slots__ = ("_codes", "_indexes", "_twice", "columns", "file", "keys", "lines", "misses", "name", "rows")

    def __init__(
        self,
        name: str,
        columns: tuple[str, ...],
        rows: list[Row],
        *,
        keys: tuple[str, ...] = (),
        file: str = "",
        lines: Sequence[int] = (),
    ) -> None:
        """
        Keep the rows.

        Args:
            name: As declared under `tables:`.
            columns: Names of the columns; `valid_from` and `valid_to` hold dates (YYYYMMDD), or nothing. Without
                `valid_to` a row is valid until the next one of its code begins.
            rows: Texts, as many as columns in each row.
            keys: The columns that tell rows apart; the first column unless told.
            file: Where it was read.
            lines: The line of each row in the file.
        """
        self.name = name
        self.columns = columns
        self.rows = rows
        self.keys = keys or columns[:1]
        self.file = file
        self.lines = lines
        self.misses: dict[tuple[tuple[str, ...], Asked], int] | None = None
        """How often rows were looked for and not found, by columns and values; None: nobody wants to know."""
        self._indexes: dict[tuple[str, ...], Lookup] = {}
        self._codes: dict[str, frozenset[str]] = {}
        self._twice: dict[tuple[str, ...], list[tuple[int, int]]] = {}

    @property
    def is_dated(self) -> bool:
        """Whether rows are valid from a date on."""
        return VALID_FROM in self.columns

    def column(self, name: str) -> int:
        """Return the index of a column; -1: there is none."""
        return self.columns.index(name) if name in self.columns else -1

    def lookup(self, columns: Sequence[str]) -> Lookup:
        """Return what finds rows by these columns: the same for all who ask so."""
        by = tuple(columns)
        found = self._indexes.get(by)
        if found is None:
            found = self._indexes[by] = Lookup(self, by)
        return found

    def codes(self, column: str) -> frozenset[str]:
        """Return the values of a column: the same set for all who ask."""
        found = self._codes.get(column)
        if found is None:
            index = self.column(column)
            found = self._codes[column] = frozenset([row[index] for row in self.rows])
        return found

    def duplicates(self, columns: Sequence[str]) -> list[tuple[int, int]]:
        """Return pairs of row indices (first, again) with equal values under `columns` and days in common."""
        by = tuple(columns)
        found = self._twice.get(by)
        if found is None:
            found = self._twice[by] = self._duplicates(by)
        return found

    def _duplicates(self, columns: tuple[str, ...]) -> list[tuple[int, int]]:
        indices = [self.column(name) for name in columns]
        same: dict[Asked, list[int]] = {}
        for number, row in enumerate(self.rows):
            same.setdefault(tuple([row[index] for index in indices]), []).append(number)
        several = [numbers for numbers in same.values() if len(numbers) > 1]
        if not self.is_dated:
            return sorted((numbers[0], again) for numbers in several for again in numbers[1:])
        return sorted(pair for numbers in several for pair in self._overlaps(numbers))

    def _overlaps(self, numbers: list[int]) -> Iterator[tuple[int, int]]:
        """Give pairs of rows that are valid on the same day."""
        periods = sorted((*self.period(self.rows[number]), number) for number in numbers)
        follow = VALID_TO not in self.columns  # then a row is valid until the next one begins
        first, until, last = periods[0]
        for begin, end, number in periods[1:]:
            if begin == first if follow else (not until or begin <= until):
                yield min(last, number), max(last, number)
            if follow or (until and (not end or end > until)):
                first, until, last = begin, end, number

    def period(self, row: Row) -> tuple[str, str]:
        """Return the first and the last day of a row; empty: open."""
        begin, end = self.column(VALID_FROM), self.column(VALID_TO)
        return (row[begin] if begin >= 0 else ""), (row[end] if end >= 0 else "")


class Lookup:
    """Find a row by the values of some columns; exact first, then rows with `*`, fewest stars first."""

    __slots__ = ("_columns", "_dated", "_exact", "_patterns", "_table")

    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        self._table = table
        self._columns = columns
        indices = [table.column(name) for name in columns]
        exact: dict[Asked, Row] = {}
        dated: dict[Asked, list[tuple[str, str, Row]]] = {}
        patterns: set[tuple[bool, ...]] = set()
        for row in table.rows:
            key = tuple([row[index] for index in indices])
            if table.is_dated:
                dated.setdefault(key, []).append((*table.period(row), row))
            else:
                exact.setdefault(key, row)
            if ANY in key:
                patterns.add(tuple([cell == ANY for cell in key]))
        for rows in dated.values():
            rows.sort()
        self._exact, self._dated = exact, dated
        self._patterns = sorted(patterns, key=lambda stars: (sum(stars), stars))

    def find(self, asked: Asked, day: str = "") -> Row | None:
        """
        Find one row.

        Args:
            asked: The value of each column.
            day: YYYYMMDD, for a dated table.

        Returns:
            The row, or None; a miss is counted where the table's `misses` wants it.
        """
        row = self._row(asked, day)
        if row is None:
            for stars in self._patterns:
                row = self._row(tuple([ANY if star else cell for star, cell in zip(stars, asked, strict=True)]), day)
                if row is not None:
                    return row
            self._note_miss(asked)
        return row

    def _row(self, asked: Asked, day: str) -> Row | None:
        if not self._dated:
            return self._exact.get(asked)
        rows = self._dated.get(asked, ())
        rank = bisect_right(rows, day, key=_begin) - 1
        if rank < 0:
            return None
        _, end, row = rows[rank]
        return row if not end or day <= end else None

    def _note_miss(self, asked: Asked) -> None:
        misses = self._table.misses
        if misses is not None and (len(misses) < MISSES_MAX or (self._columns, asked) in misses):
            misses[self._columns, asked] = misses.get((self._columns, asked), 0) + 1


def _begin(entry: tuple[str, str, Row]) -> str:
    return entry[0]
