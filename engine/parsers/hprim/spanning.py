"""
A message whose segments may have been received in several lines, or none: what HPRIM adds to parsers.hl7v2.

What nobody touched is the received bytes, whatever the lines; a segment that was edited is written anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from engine.core.splices import Splice
from engine.parsers.hl7v2.difference import end_mark
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import ADDED, Segment

Extent = tuple[int, int]
"""Where a segment begins in the base, and where its last line ends, before that line's end."""


class SpanningMessage(Message, ABC):
    """
    A message that knows where each of its received segments lies.

    A subclass makes `_lines` and `_extents` alike (one of each a received segment), and says how an edited
    and an added segment are written.
    """

    __slots__ = ("_extents",)

    _extents: list[Extent]

    def place(self, extents: list[Extent]) -> None:
        """Say where each received segment lies; the parser does, once."""
        self._extents = extents
        self._listed = False

    def copy(self) -> SpanningMessage:
        """Return a message of its own: no edit of the one is seen in the other."""
        other = super().copy()
        assert isinstance(other, SpanningMessage)
        other._extents = self._extents  # noqa: SLF001 - filled in by its own class
        return other

    def _edits(self) -> list[Splice]:
        """Return the splices against the base."""
        segments = self._segments
        edited = [item for item in self._owned if item.edited or item.origin == ADDED]
        if not edited and len(segments) == len(self._lines):
            return []
        return self._differences()

    def _differences(self) -> list[Splice]:
        extents, text = self._extents, self._text
        starts = [start for start, _ in extents] + [len(text)]
        end = end_mark(text)
        result: list[Splice] = []
        reached, put = 0, b""  # received segments already told; what waits to be put in before the next kept one
        for item in self._segments:
            assert not isinstance(item, list)  # as `place` says
            origin = item if isinstance(item, int) else item.origin
            if isinstance(item, Segment) and origin == ADDED:
                put += self._written(item, end) + end
                continue
            if put or origin > reached:
                result.append((starts[reached], starts[origin] - starts[reached], put))
                put = b""
            reached = origin + 1
            if isinstance(item, Segment) and item.edited:
                result += self._rewritten(item, extents[origin], end)
        start = starts[reached] if reached < len(extents) else self._tail()
        if put and start and text[start - 1 : start] not in (b"\r", b"\n"):
            put = end + put[: -len(end)]  # the last line had no end: nor has the new last one
        if put or reached < len(extents):
            result.append((start, self._tail() - start, put))
        return result

    def _tail(self) -> int:
        """Return where the last segment's line ends, its end included."""
        text, end = self._text, self._extents[-1][1] if self._extents else 0
        while end < len(text) and text[end : end + 1] in (b"\r", b"\n"):
            end += 1
            if text[end - 1 : end + 1] != b"\r\n":
                break
        return end

    @abstractmethod
    def _written(self, segment: Segment, end: bytes) -> bytes:
        """Return a segment as lines, without the last line's end."""

    @abstractmethod
    def _rewritten(self, segment: Segment, extent: Extent, end: bytes) -> list[Splice]:
        """Return the splices of one edited segment."""
