"""
From bytes to the lines of a message, without a second copy of what is large.

A line of more than LONG_BYTES is a place in the text: a document of 50 MB is in memory once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.parsers.sniff import BLANKS, UTF8_MARK

LONG_BYTES: Final = 16 * 1024
LARGE_BYTES: Final = 64 * 1024
"""A smaller text is cut as a whole."""

_TEXT: Final = bytes(code for code in range(256) if code >= 32 or code == 9)
_ENDS: Final = b"\r\n"
_UNTOUCHED_BUT_ENDS: Final = bytes(code if code in _TEXT or code in _ENDS else 63 for code in range(256))
_UNTOUCHED: Final = _UNTOUCHED_BUT_ENDS.replace(b"\n", b"?")
"""Change control characters, and line feeds: where nothing changes, `translate` returns the very text, quickly."""


class LongLine:
    """A line by its place in a text."""

    __slots__ = ("end", "start", "text")

    def __init__(self, text: bytes, start: int, end: int) -> None:
        self.text = text
        self.start = start
        self.end = end

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(len(self))
        return self.text[self.start + start : self.start + stop]

    def __bytes__(self) -> bytes:
        return self.text[self.start : self.end]

    def view(self) -> memoryview:
        """Return the line without copying it."""
        return memoryview(self.text)[self.start : self.end]


Line = bytes | LongLine
"""One segment without its end."""


def cut(text: bytes) -> list[Line] | None:
    """
    Cut a text that needs no second look: one CR after each line, no line feed, no control character.

    Returns:
        The lines, which may be blank where the text is small; None where something else stands in it.
    """
    if len(text) > LARGE_BYTES:
        return _cut_large(text)
    lines = text.split(b"\r")
    if lines.pop() or text.translate(_UNTOUCHED) is not text:
        return None
    return lines  # type: ignore[return-value]  # a list of bytes is one of lines, and nobody appends to it


def cut_at_any_end(text: bytes) -> list[Line] | None:
    """Cut a small text with other line ends, as `cut`; None where it is large or has control characters."""
    if len(text) > LARGE_BYTES or text.translate(_UNTOUCHED_BUT_ENDS) is not text:
        return None
    return text.splitlines()  # type: ignore[return-value]  # as above


def split(text: bytes) -> list[Line]:
    """Cut a text that is known to have one CR after each line, and no blank line."""
    if len(text) > LARGE_BYTES:
        return lines_of(text)
    lines = text.split(b"\r")
    lines.pop()
    return lines  # type: ignore[return-value]  # as above


def lines_of(text: bytes) -> list[Line]:
    """Cut a text at any line ends; a byte order mark is passed over, blank lines are none."""
    if len(text) > LARGE_BYTES:
        return [_line_at(text, start, end) for start, end in extents(text) if not _blank(text, start, end)]
    return [line for line in text.removeprefix(UTF8_MARK).splitlines() if line.strip(BLANKS)]


def starts_of(text: bytes) -> list[int]:
    """Return where each line that `lines_of` gives begins."""
    return [start for start, end in extents(text) if not _blank(text, start, end)]


def has_controls(text: bytes) -> bool:
    """
    Tell whether there are control characters other than tab and line ends.

    Of a long line, which holds a document, the beginning is looked at.
    """
    if len(text) <= LARGE_BYTES:
        return bool(text.translate(None, _TEXT).strip(_ENDS))
    return any(text[start : min(end, start + LONG_BYTES)].translate(None, _TEXT) for start, end in extents(text))


def extents(text: bytes) -> Iterator[tuple[int, int]]:
    """
    Give where each line lies that isn't empty, at any line ends; a byte order mark is passed over.

    The cost is a search for the ends, whatever stands between them.
    """
    position, size = (len(UTF8_MARK) if text.startswith(UTF8_MARK) else 0), len(text)
    carriage = feed = -1
    while position < size:
        if carriage < position:
            carriage = _find(text, b"\r", position)
        if feed < position:
            feed = _find(text, b"\n", position)
        end = min(carriage, feed)
        if end > position:
            yield position, end
        position = end + 1


def _cut_large(text: bytes) -> list[Line] | None:
    if not text.endswith(b"\r") or text.find(b"\n") >= 0:
        return None
    lines: list[Line] = []
    reached = 0
    for start, end in extents(text):
        head = text[start : min(end, start + LONG_BYTES)]
        if start != reached or head.translate(_UNTOUCHED) is not head:
            return None
        lines.append(_line_at(text, start, end))
        reached = end + 1
    return lines if reached == len(text) else None


def _line_at(text: bytes, start: int, end: int) -> Line:
    return text[start:end] if end - start <= LONG_BYTES else LongLine(text, start, end)


def _blank(text: bytes, start: int, end: int) -> bool:
    return not text[start : min(end, start + LONG_BYTES)].strip(BLANKS) and not text[start:end].strip(BLANKS)


def _find(text: bytes, mark: bytes, position: int) -> int:
    at = text.find(mark, position)
    return at if at >= 0 else len(text)
