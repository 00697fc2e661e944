"""
Segments that go on in ADD segments (HL7 v2.5 § 2.10.2.1).

A segment may be cut at any character; what follows `ADD|` is joined to it as it is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Final

from engine.core.splices import Splice
from engine.parsers.hl7v2.layout import name_of
from engine.parsers.hl7v2.lines import Line
from engine.parsers.hl7v2.segments import HEAD_MAX, Segment

ADD: Final = b"ADD"
_WHOLE: Final = frozenset({b"MSH", b"FHS", b"BHS", b"MSA", b"DSC"})
"""Never continued; the standard names some more, of which senders that cut anywhere know nothing."""
CONTROL: Final = frozenset({b"MSH", b"SFT", b"UAC", b"MSA", b"ERR", b"QAK", b"QPD", b"QRD", b"QRF"})
"""What a continuing message begins with: not a part of what is continued."""


class Joints:
    """Where the pieces of rejoined segments lie in the text of their message; never changed."""

    __slots__ = ("_pieces", "begins")

    def __init__(self, begins: list[int], pieces: dict[int, tuple[list[int], list[int]]]) -> None:
        self.begins = begins
        """Where each segment begins."""
        self._pieces = pieces

    def splices(self, segment: Segment) -> list[Splice]:
        """Return what was edited in a segment, as splices against the text; its cuts stay where nothing else does."""
        pieces = self._pieces.get(segment.origin)
        if pieces is None:
            return segment.splices(self.begins[segment.origin])
        result: list[Splice] = []
        for offset, dropped, put in segment.splices(0):
            start = _place(pieces, offset, bisect_right)
            end = _place(pieces, offset + dropped, bisect_left) if dropped else start
            result.append((start, end - start, put))
        return result


def rejoin(lines: Sequence[Line], starts: list[int], mark: bytes, *, continuing: bool) -> tuple[list[Line], Joints]:
    """
    Join ADD segments to those that they continue.

    Args:
        lines: The lines of a message.
        starts: Where each begins in its text.
        mark: The field separator.
        continuing: The message continues another one (MSH-14): an ADD behind its header belongs to that.

    Returns:
        The segments' lines, and where their pieces lie.
    """
    found: list[Line] = []
    begins: list[int] = []
    pieces: dict[int, tuple[list[int], list[int]]] = {}
    parts: list[bytes] = []
    name, body = b"", not continuing
    for line, start in zip(lines, starts, strict=True):
        own = name_of(line, mark)
        if own != ADD or not found or name in _WHOLE or not body:
            _close(found, parts)
            found.append(line)
            begins.append(start)
            name, body = own, body or own not in CONTROL
            continue
        if not parts:
            parts.append(bytes(found[-1]))
            pieces[len(found) - 1] = ([0], [begins[-1]])
        width = line[:HEAD_MAX].index(ADD) + len(ADD) + len(mark)  # blanks and NUL may pad it
        offsets, places = pieces[len(found) - 1]
        offsets.append(offsets[-1] + len(parts[-1]))
        places.append(start + min(width, len(line)))
        parts.append(line[width:])
    _close(found, parts)
    return found, Joints(begins, pieces)


def _close(found: list[Line], parts: list[bytes]) -> None:
    if parts:
        found[-1] = b"".join(parts)
        parts.clear()


def _place(pieces: tuple[list[int], list[int]], offset: int, bisect: Callable[[list[int], int], int]) -> int:
    """Return where an offset of a rejoined segment lies; at a cut, before or after it as `bisect` says."""
    offsets, places = pieces
    rank = max(bisect(offsets, offset) - 1, 0)
    return places[rank] + offset - offsets[rank]
