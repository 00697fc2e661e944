r"""
Addenda: HPRIM Santé lines have at most 220 characters, and what is longer goes on in lines that begin with `A|`.

The cut may fall anywhere, in a word or between two delimiters, so the pieces are joined as they are: the end of the
line and `A|` go, nothing else. Separators in an addendum are those of the segment that it continues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from engine.parsers.sniff import BLANKS

LINE_CHARACTERS_MAX: Final = 220
"""Longest line, its end not counted (HPRIM Santé 2.x)."""

_LOOK_BACK: Final = 40
"""How far before the limit a place to cut is looked for that has no blank beside it."""
_NOTHING: Final = BLANKS + b"\x1a"
"""A line of these is none; the last one ends files written under DOS."""
_LINES: Final = re.compile(rb"[^\r\n]+")


class Line(NamedTuple):
    """One segment, its addenda rejoined."""

    data: bytes
    start: int
    """Where its first line begins in the text."""
    end: int
    """Where its last line ends, before the line's end."""
    pieces: int
    """How many lines it has."""


def rejoin(text: bytes, start: int, mark: bytes) -> Iterator[Line]:
    """
    Cut a text into segments.

    Args:
        text: The message; any line ends.
        start: Where the header segment begins; what stands before it is passed over.
        mark: The field separator.

    Yields:
        The segments in order, blank lines left out. Time is linear in the size of the text.
    """
    prefix = b"A" + mark
    pieces: list[bytes] = []
    begin = end = 0
    for match in _LINES.finditer(text, start):
        line = match[0]
        if not line.strip(_NOTHING):
            continue
        trimmed = line.lstrip(BLANKS)  # some systems indent
        if trimmed.startswith(prefix) and pieces:
            pieces.append(trimmed[len(prefix) :])
        else:
            if pieces:
                yield Line(b"".join(pieces), begin, end, len(pieces))
            pieces, begin = [line], match.start()
        end = match.end()
    if pieces:
        yield Line(b"".join(pieces), begin, end, len(pieces))


def fold(line: bytes, mark: bytes, end: bytes, codec: str) -> bytes:
    """
    Write one segment in lines of at most 220 characters.

    Args:
        line: The segment, without its end.
        mark: The field separator.
        end: The end of each line but the last.
        codec: Of `line`; a character is never cut.

    Returns:
        The lines, the last one without end; `rejoin` gives the segment back.
    """
    if len(line) <= LINE_CHARACTERS_MAX:
        return line
    text = line.decode(codec)
    prefix = "A" + mark.decode(codec)
    lines: list[str] = []
    position = 0
    while True:
        room = LINE_CHARACTERS_MAX - (len(prefix) if lines else 0)
        cut = _place_to_cut(text, position, position + room)
        lines.append(prefix + text[position:cut] if lines else text[position:cut])
        position = cut
        if position >= len(text):
            return end.join([part.encode(codec) for part in lines])


def _place_to_cut(text: str, start: int, limit: int) -> int:
    """Return where a line ends: at the limit, or a little before it where no blank stands at either side."""
    if limit >= len(text):
        return len(text)
    for cut in range(limit, max(limit - _LOOK_BACK, start), -1):
        if not (text[cut - 1].isspace() or text[cut].isspace()):  # receivers trim lines
            return cut
    return limit
