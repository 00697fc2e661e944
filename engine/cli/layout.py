"""
How a table fits into a terminal: which columns stand side by side, which move to lines below their row.

No cell is ever split: a number or an id over two lines is read wrong at night. What doesn't fit moves below, texts
first (a reason reads better in a line of its own), then the last columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns go; by their index."""

    beside: tuple[int, ...]
    below: tuple[int, ...] = ()
    gap: int = _GAP
    widths: tuple[int, ...] = ()
    """Of all columns."""
    whole: bool = True
    """No heading is broken."""


def fit(
    headings: Sequence[str],
    cells: Sequence[Sequence[str]],
    width: int,
    *,
    texts: Callable[[int], bool],
    length: Callable[[str], int] = len,
) -> Layout:
    """
    Fit a table.

    Args:
        headings: May be broken between words.
        cells: By row; never broken.
        width: Of the terminal.
        texts: Whether a column holds sentences.
        length: How many places a text takes.
    """
    content = [max((length(row[index]) for row in cells), default=0) for index in range(len(headings))]
    whole = tuple(max(length(heading), most) for heading, most in zip(headings, content, strict=True))
    broken = tuple(max(*map(length, heading.split()), most, 0) for heading, most in zip(headings, content, strict=True))

    def fits(beside: Sequence[int], gap: int, widths: Sequence[int] = broken) -> bool:
        return sum(widths[index] for index in beside) + gap * (len(beside) - 1) <= width

    beside = list(range(len(headings)))
    leaving = sorted((index for index in beside[1:] if texts(index)), key=lambda index: whole[index])
    while leaving and not fits(beside, _GAP):
        beside.remove(leaving.pop())
    gap = _GAP if fits(beside, _GAP) else 1
    while len(beside) > 1 and not fits(beside, gap):
        beside.pop()
    gap = _GAP if fits(beside, _GAP) else gap
    below = tuple(index for index in range(len(headings)) if index not in beside)
    unbroken = fits(beside, gap, whole)
    return Layout(tuple(beside), below, gap, whole if unbroken else broken, whole=unbroken)
