"""Tables of codes, as `map` asks them: rows by one or more columns, `*` for any other code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ANY: Final = "*"


class Table:
    """A table in memory, read once at load."""

    __slots__ = ("columns", "file", "lines", "name", "rows")

    def __init__(
        self,
        name: str,
        columns: tuple[str, ...],
        rows: list[tuple[str, ...]],
        *,
        file: str = "",
        lines: Sequence[int] = (),
    ) -> None:
        """
        Keep the rows.

        Args:
            name: As declared under `tables:`.
            columns: Names of the columns.
            rows: Texts, as many as columns in each row.
            file: Where it was read.
            lines: The line of each row in the file.
        """
        self.name = name
        self.columns = columns
        self.rows = rows
        self.file = file
        self.lines = lines

    def column(self, name: str) -> int:
        """Return the index of a column; -1: there is none."""
        return self.columns.index(name) if name in self.columns else -1

    def duplicates(self, columns: Sequence[str]) -> list[tuple[int, int]]:
        """Return pairs of row indices (first, again) whose values under `columns` are equal."""
        indices = [self.column(name) for name in columns]
        seen: dict[tuple[str, ...], int] = {}
        pairs: list[tuple[int, int]] = []
        for number, row in enumerate(self.rows):
            key = tuple(row[index] for index in indices)
            first = seen.setdefault(key, number)
            if first != number:
                pairs.append((first, number))
        return pairs


class Lookup:
    """Find a row by the values of some columns; exact first, then rows with `*`, fewest stars first."""

    __slots__ = ("_exact", "_patterns")

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        indices = [table.column(name) for name in columns]
        self._exact: dict[tuple[str, ...], tuple[str, ...]] = {}
        patterns: set[tuple[bool, ...]] = set()
        for row in table.rows:
            key = tuple(row[index] for index in indices)
            self._exact.setdefault(key, row)
            stars = tuple(cell == ANY for cell in key)
            if any(stars):
                patterns.add(stars)
        self._patterns = sorted(patterns, key=lambda stars: (sum(stars), stars))

    def find(self, key: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the row, or None."""
        row = self._exact.get(key)
        if row is not None or not self._patterns:
            return row
        for stars in self._patterns:
            row = self._exact.get(tuple(ANY if star else cell for star, cell in zip(stars, key, strict=True)))
            if row is not None:
                return row
        return None
