"""
An HPRIM Santé message: read and edited by position (H-6, P-2.1, OBX[*]-5), addenda rejoined.

What nobody touched is written as it was received, cuts included. A segment that was edited or added is written in
lines of at most 220 characters.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.splices import Splice
from engine.parsers.charset import base_flag, base_of, decide
from engine.parsers.extent import SEGMENT_BYTES_MAX, check_segment
from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.difference import end_mark
from engine.parsers.hl7v2.header import Header
from engine.parsers.hl7v2.lines import has_controls
from engine.parsers.hl7v2.message import DETACHED
from engine.parsers.hl7v2.segments import Segment
from engine.parsers.hprim.addenda import Line, fold, rejoin
from engine.parsers.hprim.header import find_hprim_header, header_delimiters, header_from
from engine.parsers.hprim.spanning import Extent, SpanningMessage


class HprimMessage(SpanningMessage):
    """
    One HPRIM Santé message, in the terms of Message.

    Findings beside those of a Message: `lines-without-segment` (a line that begins with no segment's name and is
    no addendum: it belongs to nothing), `patient-count`, `segment-count` (L-3, L-4 say otherwise).
    """

    __slots__ = ()

    def look_over(self) -> None:
        """Add the findings that need no field."""
        if has_controls(self.base):
            self.findings.append("control-character")
        if self.positions(b""):
            self.findings.append("lines-without-segment")

    def compare_counts(self, lines: int) -> None:
        """Add that L is absent, or what it says otherwise: L-3 of P, L-4 of segments (some count the `lines`)."""
        closing = self.head(b"L")
        if closing is None:
            self.findings.append("message-not-ended")
            return
        patients, segments = closing.field(3).strip(), closing.field(4).strip()
        if patients.isdigit() and int(patients[:9]) != len(self.positions(b"P")):
            self.findings.append("patient-count")
        if segments.isdigit() and not len(self._lines) - 2 <= int(segments[:9]) <= lines:
            self.findings.append("segment-count")

    def part(self, positions: Sequence[int]) -> HprimMessage:
        """Return a message of some segments of this one, with bytes of its own; lines are cut again."""
        end = end_mark(self._text)
        data = b"".join([self._written(self.peek(position), end) + end for position in positions])
        return _built(
            data, DETACHED, self.delimiters, self.codec, self.received_codec, [],
            list(rejoin(data, 0, self.delimiters.field)), self.header,
        )  # fmt: skip

    def _written(self, segment: Segment, end: bytes) -> bytes:
        return fold(segment.line(), self.delimiters.field, end, self.codec)

    def _rewritten(self, segment: Segment, extent: Extent, end: bytes) -> list[Splice]:
        start, stop = extent
        written = self._written(segment, end)
        if len(self._lines[segment.origin]) == stop - start and written == segment.line():
            return segment.splices(start)
        return [(start, stop - start, written)]


def parse_hprim(raw: bytes, *, default_charset: str = "cp1252", as_utf8: bool = False) -> HprimMessage:
    """
    Read an HPRIM Santé message.

    Args:
        raw: The bytes as received.
        default_charset: The source's codec: HPRIM declares none.
        as_utf8: Make the base UTF-8, which is what routes work on; else the base is `raw` itself. Line ends
            stay as they are: HPRIM's are CRLF, and lines are cut at 220 characters.

    Raises:
        ParseError: No H segment, no delimiters in it, or a segment beyond the limits of parsers.extent.
    """
    start = find_hprim_header(raw)
    received, finding = decide(raw, default_charset, default_charset)
    base, flag, codec = raw, 0, received
    if as_utf8:
        codec = "utf-8"
        if received != "utf-8" and not raw.isascii():
            flag = base_flag(received, ends=False)
            base = base_of(raw, flag)
            start = find_hprim_header(base)
    delimiters = header_delimiters(base, start)
    found = list(rejoin(base, start, delimiters.field))
    lines = [line.data for line in found]
    for line in lines:
        if len(line) > SEGMENT_BYTES_MAX:
            check_segment(line[:3])
    header = header_from(lines[0], delimiters)
    findings = [finding] if finding else []
    message = _built(base, flag, delimiters, codec, received, findings, found, header)
    message.look_over()
    message.compare_counts(sum(line.pieces for line in found))
    return message


def _built(
    base: bytes, flag: int, delimiters: Delimiters, codec: str, received: str, findings: list[str],
    found: Sequence[Line], header: Header,
) -> HprimMessage:  # fmt: skip
    lines = [line.data for line in found]
    message = HprimMessage(base, flag, delimiters, codec, received, findings, "hprim-sante", lines, header)
    message.place([(line.start, line.end) for line in found])
    return message
