"""
How a table fits into a terminal: which columns stand side by side, which move to lines below their row.

No cell is ever split: a number or an id over two lines is read wrong at night. What doesn't fit moves below, texts
first (a reason reads better in a line of its own), then the last columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_WIDE_GAP: Final = 3
_EDGES: Final = 4
"""Of a table with a rule below its headings."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns go; by their index."""

    beside: tuple[int, ...]
    below: tuple[int, ...] = ()
    gap: int = _WIDE_GAP
    widths: tuple[int, ...] = ()
    """Of all columns."""
    wide: bool = True
    """Everything fits as it is."""


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
    whole = [max(length(heading), most) for heading, most in zip(headings, content, strict=True)]
    everything = tuple(range(len(headings)))
    if sum(whole) + _WIDE_GAP * (len(whole) - 1) + _EDGES <= width:
        return Layout(everything, widths=tuple(whole))
    broken = [max(map(length, heading.split() or [""])) for heading in headings]
    widths = tuple(max(pair) for pair in zip(broken, content, strict=True))

    def fits(beside: Sequence[int], gap: int) -> bool:
        return sum(widths[index] for index in beside) + gap * (len(beside) - 1) <= width

    beside = list(everything)
    leaving = sorted((index for index in beside[1:] if texts(index)), key=lambda index: widths[index])
    while leaving and not fits(beside, 2):
        beside.remove(leaving.pop())
    gap = 2 if fits(beside, 2) else 1
    while len(beside) > 1 and not fits(beside, gap):
        beside.pop()
    below = tuple(index for index in everything if index not in beside)
    return Layout(tuple(beside), below, gap, widths, wide=False)
