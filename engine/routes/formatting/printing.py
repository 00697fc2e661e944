"""A document laid out anew: two blanks a level, one blank where one belongs, comments where they stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.routes.formatting.boxes import Box, Comment, Group, Sheet, Words

WIDTH_MAX: Final = 120
_STEP: Final = 2


@dataclass(slots=True)
class Line:
    """One line of the result."""

    text: str
    comment: Comment | None = None
    """The comment behind it."""
    key: int = 0
    """Length of what stands before the value, where one follows in this line."""
    value: int = -1
    """Column of the value in the source; -1: none in this line."""


def print_sheet(sheet: Sheet) -> list[Line]:
    """Lay a document out; comments and values are aligned later."""
    return _Printer(sheet).lines()


class _Printer:
    """One document."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._lines: list[Line] = []
        self._next = 0
        """The first line of the source whose comment or emptiness wasn't told yet."""
        self._margins: list[tuple[int, int]] = [(0, 0)]
        """Columns at which blocks begin that are open or just ended, in the source and here."""

    def lines(self) -> list[Line]:
        """Lay it out."""
        if self._sheet.begins:
            self._lines.append(Line("---"))
        self._block(self._sheet.top, 0)
        last = max([*self._sheet.comments, *self._sheet.blank, 0])
        self._before(last + 1)
        while self._lines and not self._lines[-1].text:
            self._lines.pop()
        return self._lines

    # --- blocks --------------------------------------------------------------------------------------------

    def _block(self, group: Group, indent: int, lead: str = "") -> None:
        """
        Lay out a list or a mapping, one entry a line.

        Args:
            group: What.
            indent: Where its entries begin.
            lead: What stands in its first line already (`- ` of a list around it).
        """
        column = group.entries[0][0].column if group.entries[0][0] is not None else group.column
        self._open(column, indent)
        for rank, (key, value) in enumerate(group.entries):
            first = key if key is not None else value
            prefix = lead if not rank and lead else " " * indent
            if rank or not lead:
                self._before(first.line)
            if key is None:
                self._item(value, f"{prefix}- ", indent)
            else:
                self._entry(key, value, prefix, indent)

    def _item(self, value: Box, prefix: str, indent: int) -> None:
        if isinstance(value, Group) and not self._fits(value, len(prefix)):
            self._block(value, indent + _STEP, prefix)
        else:
            self._inline(value, prefix.rstrip(" ") if _is_empty(value) else prefix, indent)

    def _entry(self, key: Words, value: Box, prefix: str, indent: int) -> None:
        name = key.value if key.tied else key.lines[0]
        head = f"{prefix}{name}:"
        if isinstance(value, Group) and not self._fits(value, len(head) + 1):
            # a comment behind the first of several lines is about the entry that stands there
            about_entry = value.flow and value.end > value.line and value.entries[0][1].line == key.line
            self._emit(Line(head), -1 if about_entry else key.line)
            self._block(value, indent + _STEP)
        elif _is_empty(value):
            self._emit(Line(head), key.line)
        else:
            self._inline(value, f"{head} ", indent)

    def _inline(self, value: Box, head: str, indent: int) -> None:
        """Write a value behind what stands before it: in one line, or as a text of several."""
        if isinstance(value, Group):
            self._emit(Line(head + _flow(value), key=len(head), value=value.column), value.end)
            return
        assert isinstance(value, Words), "there are no other boxes"
        words = value.value if value.tied else value.lines[0]
        if value.style in ("|", ">"):
            self._emit(Line(head + words), value.line)
            for line in value.lines[1:]:
                self._lines.append(Line(" " * (indent + _STEP) + line if line else ""))
            self._next = max(self._next, value.end + 1)
            return
        several = len(value.lines) > 1
        first = Line(head + words, key=len(head), value=-1 if several else value.column)
        self._emit(first, value.line if not several else -1)
        for rank, line in enumerate(value.lines[1:], 1):
            more = Line(" " * (indent + _STEP) + line if line else "")
            self._emit(more, value.end if rank == len(value.lines) - 1 else -1)
        self._next = max(self._next, value.end + 1)

    def _fits(self, group: Group, column: int) -> bool:
        """Whether a list or mapping may stay in one line, with brackets."""
        if not group.flow:
            return False
        if not group.entries:
            return True
        if _has_tied(group) or any(line in self._sheet.comments for line in range(group.line, group.end)):
            return False
        return all(len(one.lines) == 1 for one in _words_in(group)) and column + len(_flow(group)) <= WIDTH_MAX

    # --- lines ---------------------------------------------------------------------------------------------

    def _emit(self, line: Line, source: int) -> None:
        """Add a line, with the comment that ends a line of the source."""
        if source >= self._next and source in self._sheet.comments:
            line.comment = self._sheet.comments[source]
        self._lines.append(line)
        self._next = max(self._next, source + 1)

    def _before(self, line: int) -> None:
        """Tell the comments and blank lines that stand before a line of the source."""
        for number in range(self._next, line):
            if number in self._sheet.comments:
                comment = self._sheet.comments[number]
                self._lines.append(Line(" " * self._moved(comment.column) + comment.text))
            elif number in self._sheet.blank and self._lines and self._lines[-1].text:
                self._lines.append(Line(""))
        self._next = max(self._next, line)

    def _open(self, column: int, indent: int) -> None:
        self._margins = [(source, here) for source, here in self._margins if source < column]
        self._margins.append((column, indent))

    def _moved(self, column: int) -> int:
        """Return where a comment of its own line goes: with the block beside which it stood."""
        source, here = next((pair for pair in reversed(self._margins) if pair[0] <= column), (0, 0))
        return here + column - source


def _words_in(group: Group) -> Iterator[Words]:
    for key, value in group.entries:
        if key is not None:
            yield key
        if isinstance(value, Group):
            yield from _words_in(value)
        elif isinstance(value, Words):
            yield value


def _has_tied(group: Group) -> bool:
    return any(words.tied for words in _words_in(group))


def _is_empty(value: Box) -> bool:
    return isinstance(value, Words) and value.lines == [""] and not value.style


def _flow(value: Box) -> str:
    """Write a value in one line."""
    if isinstance(value, Words):
        return value.lines[0]
    assert isinstance(value, Group), "there are no other boxes"
    if value.is_list:
        return f"[{', '.join(_flow(one) for _, one in value.entries)}]"
    parts = [f"{key.lines[0]}: {_flow(one)}".rstrip() for key, one in value.entries if key is not None]
    return f"{{ {', '.join(parts)} }}" if parts else "{ }"
