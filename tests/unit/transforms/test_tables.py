"""Rows by columns, `*` for any other, validity."""

from __future__ import annotations

import pytest

from engine.transforms.tables import Table

TABLE = Table("t", ("a", "b", "c"), [("1", "x", "1x"), ("1", "*", "1*"), ("*", "*", "**"), ("*", "y", "*y")])
DATED = Table(
    "d", ("code", "to", "valid_from", "valid_to"),
    [("A", "old", "", "20251231"), ("A", "new", "20260101", ""), ("B", "b", "20260101", "20260331"),
     ("*", "?", "", "")],
)  # fmt: skip


def test_exact_first_then_fewest_stars():
    """The most precise row wins."""
    lookup = TABLE.lookup(("a", "b"))
    assert [row and row[2] for row in map(lookup.find, [("1", "x"), ("1", "q"), ("2", "q"), ("2", "y")])] == [
        "1x", "1*", "**", "*y",
    ]  # fmt: skip
    assert Table("t", ("a",), [("1",)]).lookup(("a",)).find(("2",)) is None


@pytest.mark.parametrize(
    ("code", "day", "found"),
    [
        ("A", "20251231", "old"), ("A", "20260101", "new"), ("A", "19000101", "old"), ("A", "29991231", "new"),
        ("B", "20260331", "b"), ("B", "20260401", "?"), ("C", "20260101", "?"),
    ],
)  # fmt: skip
def test_a_row_is_valid_on_its_days(code, day, found):
    """First and last day belong to the period; outside of it the fallback row answers."""
    row = DATED.lookup(("code",)).find((code,), day)
    assert row is not None
    assert row[1] == found


def test_columns_and_duplicates():
    """A column by name; pairs of rows with equal values, on common days only."""
    assert TABLE.column("c") == 2
    assert TABLE.column("d") == -1
    assert list(TABLE.duplicates(("a",))) == [(0, 1), (2, 3)]
    assert list(TABLE.duplicates(("a", "b"))) == []
    assert list(DATED.duplicates(("code",))) == []
    period = ("a", "valid_from", "valid_to")
    assert Table("t", period, [("1", "20260101", ""), ("1", "20270101", ""), ("1", "", "20251231")]).duplicates(
        ("a",)
    ) == [(0, 1)]
    assert Table("t", period, [("1", "", "20300101"), ("1", "2026", "2027"), ("1", "2028", "2029")]).duplicates(
        ("a",)
    ) == [(0, 1), (0, 2)]


def test_without_an_end_a_row_is_valid_until_the_next_begins():
    """Only the same beginning is a contradiction."""
    table = Table("t", ("a", "valid_from"), [("1", "20270101"), ("1", "20260101"), ("1", "20270101")])
    assert table.duplicates(("a",)) == [(0, 2)]
    lookup = table.lookup(("a",))
    assert lookup.find(("1",), "20261231") == ("1", "20260101")
    assert lookup.find(("1",), "20251231") is None


def test_what_is_built_of_a_table_is_built_once():
    """Whoever asks by the same columns shares it."""
    table = Table("t", ("a", "b"), [("1", "x")])
    assert table.lookup(("a",)) is table.lookup(["a"])
    assert table.codes("b") is table.codes("b")
    assert table.codes("b") == {"x"}


def test_misses_are_counted_where_somebody_asks():
    """By columns and values; the fallback row is no miss."""
    table = Table("t", ("a", "b"), [("1", "x")])
    lookup = table.lookup(("a",))
    lookup.find(("2",))
    assert table.misses is None
    table.misses = {}
    for value in ("2", "2", "1", "3"):
        lookup.find((value,))
    assert table.misses == {(("a",), ("2",)): 2, (("a",), ("3",)): 1}
