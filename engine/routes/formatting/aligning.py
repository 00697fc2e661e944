"""Values and comments that stood below each other stand below each other again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from engine.routes.formatting.printing import Line


def aligned(lines: list[Line]) -> list[str]:
    """Write the lines; keys that were padded by hand are padded anew, comments in a column stay in one."""
    for run in _runs(lines, lambda line: (line.value, _indent_of(line)) if line.value >= 0 else None):
        _pad(run)
    written: list[str] = []
    columns: dict[int, int] = {}
    for run in _runs(lines, lambda line: line.comment.column if line.comment is not None else None):
        longest = max(len(line.text) for line in run)
        gap = min(line.comment.gap for line in run if line.comment is not None)
        columns |= dict.fromkeys(map(id, run), longest + max(1, gap))
    for line in lines:
        behind = line.comment.text if line.comment is not None else ""
        written.append(f"{line.text.ljust(columns.get(id(line), 0))}{behind}".rstrip())
    return written


def _indent_of(line: Line) -> int:
    return len(line.text) - len(line.text.lstrip(" "))


def _runs(lines: list[Line], column: Callable[[Line], object | None]) -> Iterable[list[Line]]:
    """Yield neighbours that had the same column in the source."""
    for key, run in groupby(lines, key=column):
        if key is not None:
            yield list(run)


def _pad(run: list[Line]) -> None:
    """Put the values of neighbours below each other, where they stood so although their keys are not equally long."""
    if len(run) < 2 or len({line.key for line in run}) == 1:
        return
    widest = max(line.key for line in run)
    for line in run:
        line.text = line.text[: line.key].ljust(widest) + line.text[line.key :]
