"""Rows by columns, `*` for any other."""

from __future__ import annotations

from engine.transforms.tables import Lookup, Table

TABLE = Table("t", ("a", "b", "c"), [("1", "x", "1x"), ("1", "*", "1*"), ("*", "*", "**"), ("*", "y", "*y")])


def test_exact_first_then_fewest_stars():
    """The most precise row wins."""
    lookup = Lookup(TABLE, ("a", "b"))
    assert [row and row[2] for row in map(lookup.find, [("1", "x"), ("1", "q"), ("2", "q"), ("2", "y")])] == [
        "1x", "1*", "**", "*y",
    ]  # fmt: skip
    assert Lookup(Table("t", ("a",), [("1",)]), ("a",)).find(("2",)) is None


def test_columns_and_duplicates():
    """A column by name; pairs of rows with equal values."""
    assert TABLE.column("c") == 2
    assert TABLE.column("d") == -1
    assert TABLE.duplicates(("a",)) == [(0, 1), (2, 3)]
    assert TABLE.duplicates(("a", "b")) == []
