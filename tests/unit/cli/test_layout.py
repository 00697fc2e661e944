"""No cell is split, whatever the width; texts leave the row first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.cli.layout import Layout, fit

HEADINGS = ["id", "state", "oldest unsent", "reason", "count"]
CELLS = [["48211-0", "parked", "6 min", "the receiver answered AE: unknown key identifier (204)", "1"]]


def layout(width: int) -> Layout:
    return fit(HEADINGS, CELLS, width, texts=lambda index: HEADINGS[index] == "reason")


def test_what_fits_stays_as_it_is() -> None:
    """Headings whole, all side by side."""
    wide = layout(200)
    assert (wide.whole, wide.beside, wide.below) == (True, (0, 1, 2, 3, 4), ())


def test_headings_break_before_anything_moves() -> None:
    """`oldest unsent` takes two lines, and saves what was missing."""
    found = layout(90)
    assert (found.whole, found.below, found.widths[2]) == (False, (), 6)


def test_headings_are_whole_where_there_is_room() -> None:
    """Also when a sentence moved below: it took its width with it."""
    found = layout(40)
    assert (found.whole, found.below, found.widths[2]) == (True, (3,), 13)


def test_sentences_move_first_then_the_last_columns() -> None:
    """The first column stays in any case."""
    assert layout(60).below == (3,)
    assert layout(26).below == (3, 4)
    assert (layout(3).beside, layout(3).below) == ((0,), (1, 2, 3, 4))


TEXT = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            st.lists(TEXT, min_size=n, max_size=n), st.lists(st.lists(TEXT, min_size=n, max_size=n), max_size=4)
        )
    ),
    st.integers(12, 90),
)
def test_what_stands_beside_fits(table: tuple[list[str], list[list[str]]], width: int) -> None:
    """And every column is somewhere, once."""
    headings, cells = table
    found = fit(headings, cells, width, texts=lambda index: index % 2 == 1)
    assert sorted((*found.beside, *found.below)) == list(range(len(headings)))
    taken = sum(found.widths[index] for index in found.beside) + found.gap * (len(found.beside) - 1)
    assert taken <= width
    for row in cells:
        assert all(len(row[index]) <= found.widths[index] for index in found.beside)
