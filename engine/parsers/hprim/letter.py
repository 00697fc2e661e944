"""
An HPRIM Médecin file (versions 1 to 3), read and edited in the terms of Message.

The format has no delimiters: the line's position is the schema (hprim.layout). Its parts are read as segments:

    ENT    one a letter: ENT-1 to ENT-12 are its header lines, by the norm's numbers
    TXT    one a line of the letter: TXT-1 is the line
    RES    one a result: RES-1 label, 2 code, 3 type, 4 value, 5 unit, 6 low, 7 high, 8 abnormal, 9 status,
           10 to 13 value, unit, low and high in a second unit
    TEX    one a line of text in the coded block: TEX-1 is the line

A line that belongs to no letter is a segment without name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.core.splices import Splice
from engine.errors import ParseError
from engine.parsers.charset import base_flag, base_of, decide
from engine.parsers.extent import check_lines
from engine.parsers.hl7v2.delimiters import Delimiters
from engine.parsers.hl7v2.difference import end_mark
from engine.parsers.hl7v2.header import Header
from engine.parsers.hl7v2.message import DETACHED
from engine.parsers.hl7v2.segments import Segment
from engine.parsers.hprim.layout import HEADER_LINES, MARK, Part, lay_out
from engine.parsers.hprim.spanning import Extent, SpanningMessage

NO_DELIMITERS: Final = Delimiters(MARK, b"", [b""] * 5)
"""RES has fields; there are no components, repetitions or escapes."""


LAB: Final = b"****LAB****"
FIN: Final = b"****FIN****"
FIN_FICHIER: Final = b"****FINFICHIER****"


class LetterMessage(SpanningMessage):
    """The letters of one file; findings beside those of a Message are hprim.layout's."""

    __slots__ = ("_parts",)

    _parts: list[Part]

    def take(self, parts: list[Part]) -> None:
        """Make the segments of the parts; the parser does, once."""
        self._parts = parts
        self._segments = [
            Segment.of_fields(part.code, part.fields, b"", MARK, origin) for origin, part in enumerate(parts)
        ]
        self._index = None
        self.place([(part.start, part.end) for part in parts])

    def copy(self) -> LetterMessage:
        """Return a message of its own."""
        other = super().copy()
        assert isinstance(other, LetterMessage)
        other._parts = self._parts  # noqa: SLF001 - filled in by its own class
        return other

    def part(self, positions: Sequence[int]) -> LetterMessage:
        """Return a file of some letters of this one, with bytes of its own; tags come where the format wants them."""
        end = end_mark(self._text)
        lines: list[bytes] = []
        coded = False
        for position in positions:
            segment = self.peek(position)
            if segment.code == b"ENT":
                if lines:
                    lines.append(FIN)
                coded = False
            elif segment.code in (b"RES", b"TEX") and not coded:
                lines.append(LAB)
                coded = True
            lines.append(self._written(segment, end))
        data = end.join([*lines, FIN, FIN_FICHIER, b""])
        return _built(data, DETACHED, self.codec, self.received_codec, [], lay_out(data)[0])

    @property
    def header(self) -> Header:
        """The header in HL7's sense: there is none."""
        return Header("hprim-medecin", NO_DELIMITERS, [], "", "")

    def _written(self, segment: Segment, end: bytes) -> bytes:
        fields = [segment.field(number) for number in range(1, segment.count + 1)]
        if segment.code == b"ENT":
            return end.join(fields + [b""] * (HEADER_LINES - len(fields)))
        return MARK.join(fields if segment.code in (b"TXT", b"") else [segment.code, *fields])

    def _rewritten(self, segment: Segment, extent: Extent, end: bytes) -> list[Splice]:
        part = self._parts[segment.origin]
        if segment.code != b"ENT":
            return [(extent[0], extent[1] - extent[0], self._written(segment, end))]
        result: list[Splice] = []
        for number, place in enumerate(part.lines, 1):
            data = segment.field(number)
            if data == part.fields[number - 1]:
                continue
            if place is not None:
                result.append((place[0], place[1] - place[0], data))
                continue
            # the line was missing: it comes before the next one that is there
            following = next((one[0] for one in part.lines[number:] if one is not None), None)
            result.append((part.end, 0, end + data) if following is None else (following, 0, data + end))
        return result


def parse_letters(raw: bytes, *, default_charset: str = "cp1252", as_utf8: bool = False) -> LetterMessage:
    """
    Read an HPRIM Médecin file.

    Args:
        raw: The bytes as received.
        default_charset: The source's codec: the format declares none.
        as_utf8: Make the base UTF-8; else the base is `raw` itself. Line ends stay as they are: blank lines
            of a header count.

    Raises:
        ParseError: The file is empty, or beyond the limits of parsers.extent.
    """
    check_lines(raw)
    received, finding = decide(raw, default_charset, default_charset)
    base, flag, codec = raw, 0, received
    if as_utf8:
        codec = "utf-8"
        if received != "utf-8" and not raw.isascii():
            flag = base_flag(received, ends=False)
            base = base_of(raw, flag)
    parts, odd = lay_out(base)
    if not parts:
        raise ParseError("the file is empty: a letter begins with twelve lines of header")
    return _built(base, flag, codec, received, [finding, *odd] if finding else odd, parts)


def _built(base: bytes, flag: int, codec: str, received: str, findings: list[str], parts: list[Part]) -> LetterMessage:
    message = LetterMessage(base, flag, NO_DELIMITERS, codec, received, findings, "hprim-medecin", [b""] * len(parts))
    message.take(parts)
    return message
