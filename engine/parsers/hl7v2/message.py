"""
A message: read lazily, copied cheaply, edited by field, given back as bytes or as a difference.

Theory of operation. The *base* is one immutable bytes object, its lines are the segments. Pristine segments
are shared between a message and its copies and never edited; whoever asks for a segment to edit gets one
that belongs to that message alone (`Segment.owned`), with its edits beside the received fields. So a copy
costs one list, an edit one segment, and what was not touched can't change: it is still the base.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from engine.core.splices import Splice
from engine.parsers.charset import base_flag, base_of, decide
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters, read_delimiters
from engine.parsers.hl7v2.header import Header, declared_charset, header_line, read_header
from engine.parsers.hl7v2.rewriting import rewrite_line
from engine.parsers.hl7v2.segments import ADDED, Segment, code_of
from engine.parsers.sniff import BLANKS, UTF8_MARK

LAST_BLANK: Final = max(BLANKS)
__all__ = ["Message", "Segment", "index_of", "lines_of", "make_base"]

DETACHED: Final = -1
"""Base flag of a message that isn't made of the received bytes: it is stored whole."""

CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\r\n")


class Message:
    """
    One message.

    Attributes:
        format: `hl7v2` or `hprim-sante`.
        delimiters: Those of the message as it stands.
        codec: Python codec of its leafs, as they stand.
        received_codec: The codec in which it was received, as decided (charset.decide).
        findings: Short codes of what is odd: `charset-mismatch`, `charset-unknown`, `charset-undeclared`,
            `charset-repeated`, `control-character`, `odd-delimiters`, `two-headers`, `batch`.
        base: What `splices` apply to.
        base_flag: How `base` was made from the received bytes (charset.base_of); 0: it is them; DETACHED: it
            was made from others.
    """

    __slots__ = (
        "_header",
        "_index",
        "_lines",
        "_segments",
        "_starts",
        "_text",
        "base",
        "base_flag",
        "codec",
        "delimiters",
        "findings",
        "format",
        "received_codec",
    )

    def __init__(
        self, base: bytes, flag: int, delimiters: Delimiters, codec: str, received_codec: str, findings: list[str],
        format_: str = "hl7v2", lines: list[bytes] | None = None, header: Header | None = None,
    ) -> None:  # fmt: skip
        """
        Take a base that was made ready (`parse` and hprim.message do that).

        Args:
            base: UTF-8 with CR ends, or the received bytes.
            flag: See `base_flag`.
            delimiters: As read from the header of `base`.
            codec: Of `base`; decodes all of it.
            received_codec: Of the received bytes.
            findings: Taken over and added to.
            format_: As named by parsers.sniff.
            lines: The segments of `base` without their ends, where they are known.
            header: Where it was read already.
        """
        self.format = format_
        self.delimiters = delimiters
        self.codec = codec
        self.received_codec = received_codec
        self.findings = findings
        self.base = base
        self.base_flag = flag
        self._text = base
        self._header = header
        self._starts: list[int] | None = None
        self._lines = lines_of(base) if lines is None else lines
        self._segments: list[Segment | int] = list(range(len(self._lines)))
        self._index: dict[bytes, list[int]] | None = index_of(self._lines, delimiters.field)

    @classmethod
    def parse(cls, raw: bytes, *, default_charset: str = "cp1252", as_utf8: bool = False) -> Message:
        """
        Read an HL7 v2 message.

        Args:
            raw: The bytes as received.
            default_charset: The source's codec, for when MSH-18 is silent or wrong.
            as_utf8: Make the base UTF-8 with one CR after each segment, which is what routes work on; else
                the base is `raw` itself.

        Raises:
            ParseError: No MSH, or no delimiters (as header.read_header).
        """
        line = header_line(raw)
        delimiters = read_delimiters(line)
        fields = line.split(delimiters.field, 18)
        declared = declared_charset(fields[17], delimiters) if len(fields) > 17 else ""
        received, finding = decide(raw, declared, default_charset)
        findings = [finding] if finding else []
        if not as_utf8:
            message = cls(raw, 0, delimiters, received, received, findings)
        else:
            base, flag, lines = make_base(raw, received)
            if base is not raw and delimiters is not STANDARD:
                delimiters = read_delimiters(header_line(base))
            message = cls(base, flag, delimiters, "utf-8", received, findings, "hl7v2", lines)
        message.look_over()
        return message

    def look_over(self) -> None:
        """Add the findings that need no field: control characters, delimiters, several headers."""
        findings, index = self.findings, self._index or self._make_index()
        if len(self.base.translate(None, CONTROLS)) != len(self.base):
            findings.append("control-character")
        if self.delimiters.odd:
            findings.append("odd-delimiters")
        if len(index.get(b"MSH", ())) > 1:
            findings.append("two-headers")
        if b"FHS" in index or b"BHS" in index:
            findings.append("batch")

    @property
    def header(self) -> Header:
        """The header as received; edits don't show in it."""
        if self._header is None:
            self._header = read_header(self.base)
        return self._header

    @property
    def names(self) -> list[str]:
        """The segments' names in order; empty for a line without one."""
        return [self._at(position).name for position in range(len(self._segments))]

    def segments(self, name: str = "") -> list[Segment]:
        """Return the segments of that name in order, all without a name; they may be edited."""
        if not name:
            return [self.own(position) for position in range(len(self._segments))]
        return [self.own(position) for position in self.positions(name.encode())]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of that name, to read or to edit."""
        return self.own_head(name.encode())

    def copy(self) -> Message:
        """Return a message of its own: no edit of the one is seen in the other."""
        # ruff: noqa: SLF001 - a copy is filled in by its own class; __init__ would cut the lines again
        other = Message.__new__(type(self))
        other.format = self.format
        other.delimiters = self.delimiters
        other.codec = self.codec
        other.received_codec = self.received_codec
        other.findings = self.findings.copy()
        other.base = self.base
        other.base_flag = self.base_flag
        other._text = self._text
        other._header = self._header
        other._starts = self._starts
        other._lines = self._lines
        other._index = self._index
        other._segments = [
            item.clone() if not isinstance(item, int) and item.owned else item for item in self._segments
        ]
        return other

    def add_segment(self, name: str, after: str | Segment | None = None) -> Segment:
        """
        Add an empty segment.

        Args:
            name: Its name.
            after: A segment, or the name of one (the last of that name); at the end when None or absent.
        """
        code = name.encode("ascii")
        added = Segment(code, code, self.delimiters.field, ADDED)
        added.owned = True
        position = len(self._segments)
        if isinstance(after, Segment):
            position = self._position_of(after) + 1
        elif after is not None and (positions := self.positions(after.encode())):
            position = positions[-1] + 1
        self._segments.insert(position, added)
        self._index = None
        return added

    def delete_segment(self, segment: Segment) -> None:
        """Take a segment out."""
        del self._segments[self._position_of(segment)]
        self._index = None

    def part(self, positions: Sequence[int]) -> Message:
        """Return a message of some segments of this one, as they stand now, with bytes of its own (DETACHED)."""
        end = self._end_mark()
        data = b"".join([self.peek(position).line() + end for position in positions])
        return Message(data, DETACHED, self.delimiters, self.codec, self.received_codec, [], self.format)

    def checkpoint(self) -> Callable[[], None]:
        """Return what brings the message back to how it stands now; segments taken from it stay its own."""
        segments = self._segments.copy()
        edits = [(item, item.edits()) for item in segments if not isinstance(item, int) and item.owned]

        def undo() -> None:
            self._segments = segments.copy()
            self._index = None
            for segment, before in edits:
                segment.revert(before)

        return undo

    def to_bytes(self) -> bytes:
        """Return the message as it stands; the very base when nothing was edited."""
        return self.render()[0]

    def splices(self) -> list[Splice]:
        """Return the difference to `base`, in order; applied to `base` it gives `to_bytes`."""
        return self.render()[1]

    def render(self) -> tuple[bytes, list[Splice]]:
        """Return `to_bytes` and `splices`, for the cost of one."""
        text = self._text
        splices = self._edits()
        if splices:
            parts: list[bytes] = []
            position = 0
            for offset, dropped, put in splices:
                parts += (text[position:offset], put)
                position = offset + dropped
            parts.append(text[position:])
            text = b"".join(parts)
        if self._text is not self.base:
            splices = [(0, len(self.base), text)]
        return text, splices

    def normalise_delimiters(self) -> None:
        r"""
        Rewrite the message to `|^~\&`, escapes included; nothing happens when it has these.

        Segments that were taken from the message before no longer belong to it.
        """
        old = self.delimiters
        if old.usual or self.format != "hl7v2":
            return
        if not old.odd and (old.escape + b"P" + old.escape) not in self._text:
            # only the truncation character of HL7 2.7 stands in MSH-2: four bytes in its place
            for position in self.positions(b"MSH"):
                segment = self.own(position)
                if segment.field(2) == old.declared:
                    segment.put(2, STANDARD.declared)
            self.delimiters = STANDARD
            return
        lines = [rewrite_line(self._at(i), old) for i in range(len(self._segments))]
        self._text = b"\r".join(lines) + b"\r"
        self._lines = lines
        self._starts = None
        self._segments = list(range(len(lines)))
        self._index = index_of(lines, STANDARD.field)
        self.delimiters = STANDARD

    # --- for paths and the other modules of this room -----------------------------------------------------

    def positions(self, code: bytes) -> list[int]:
        """Return where segments of that name stand; not to be changed."""
        index = self._index
        if index is None:
            index = self._make_index()
        return index.get(code) or _NOWHERE

    def head(self, code: bytes) -> Segment | None:
        """Return the first segment of that name, to read only."""
        index = self._index
        if index is None:
            index = self._make_index()
        positions = index.get(code)
        if positions is None:
            return None
        item = self._segments[positions[0]]
        return self._at(positions[0], code) if isinstance(item, int) else item

    def own_head(self, code: bytes) -> Segment | None:
        """Return the first segment of that name, to read or to edit."""
        item = self.head(code)
        return item if item is None or item.owned else self.own(self.positions(code)[0])

    def fields(self, wanted: tuple[tuple[bytes, int], ...]) -> list[bytes]:
        """
        Return fields of every segment of some names.

        Args:
            wanted: Pairs of a segment's name and a field's number.

        Returns:
            Pair after pair, the field of each such segment in order; b"" where a segment is shorter.
        """
        segments = self._segments
        index = self._index
        if index is None:
            index = self._make_index()
        found: list[bytes] = []
        for code, number in wanted:
            for position in index.get(code, _NOWHERE):
                item = segments[position]
                found.append((self._at(position, code) if isinstance(item, int) else item).field(number))
        return found

    def peek(self, position: int) -> Segment:
        """Return the segment at a position, to read only."""
        item = self._segments[position]
        return self._at(position) if item.__class__ is int else item  # type: ignore[return-value]

    def own(self, position: int) -> Segment:
        """Return the segment at a position, to read or to edit."""
        item = self.peek(position)
        if not item.owned:
            item = self._segments[position] = item.clone()
        return item

    def _at(self, position: int, code: bytes | None = None) -> Segment:
        """Return the segment at a position, cut out of its line at the first call; `code`: where it is known."""
        item = self._segments[position]
        if isinstance(item, int):
            line, mark = self._lines[item], self.delimiters.field
            if code is None:
                code = line[:3]
                if line[3:4] != mark or not code.isalnum():
                    code = code_of(line, mark)
            item = self._segments[position] = Segment(code, line, mark, item)
        return item

    def position_before(self, segment: Segment, code: bytes) -> int | None:
        """Return where the nearest segment of a name before another one stands; None: there is none."""
        positions = self.positions(code)
        rank = bisect_left(positions, self._position_of(segment))
        return positions[rank - 1] if rank else None

    def _position_of(self, segment: Segment) -> int:
        """Look where it was received, then further and further away: as far as segments were added or deleted."""
        segments, origin = self._segments, segment.origin
        for distance in range(max(origin, len(segments) - origin) + 1):
            for position in (origin - distance, origin + distance):
                if 0 <= position < len(segments) and segments[position] is segment:
                    return position
        raise ValueError("the segment isn't one of this message")

    def _make_index(self) -> dict[bytes, list[int]]:
        index: dict[bytes, list[int]] = {}
        for position in range(len(self._segments)):
            index.setdefault(self._at(position).code, []).append(position)
        self._index = index
        return index

    def _edits(self) -> list[Splice]:
        """Return the splices against `_text`."""
        segments = self._segments
        owned = [item for item in segments if not isinstance(item, int) and item.owned]
        if len(segments) != len(self._lines) or [item for item in owned if item.origin == ADDED]:
            return self._structural(self._starts or self._find_starts())
        if not owned:
            return []
        starts = self._starts or self._find_starts()
        result: list[Splice] = []
        for item in owned:
            result += item.splices(starts[item.origin])
        return result

    def _structural(self, starts: list[int]) -> list[Splice]:
        """Return the splices when segments were added or taken out."""
        text, end = self._text, self._end_mark()
        result: list[Splice] = []
        reached, put = 0, b""  # base lines already told; what waits to be put in before the next kept one
        for item in self._segments:
            origin = item if isinstance(item, int) else item.origin
            if not isinstance(item, int) and origin == ADDED:
                put += item.line() + end
                continue
            if put or origin > reached:
                result.append((starts[reached], starts[origin] - starts[reached], put))
                put = b""
            reached = origin + 1
            if not isinstance(item, int):
                result += item.splices(starts[origin])
        start = starts[reached] if reached < len(self._lines) else len(text)
        if put and start == len(text) and not text.endswith((b"\r", b"\n")):
            put = end + put[: -len(end)]  # the last segment had no end: nor has the new last one
        if put or start < len(text):
            result.append((start, len(text) - start, put))
        return result

    def _find_starts(self) -> list[int]:
        """Find where each line begins in `_text`."""
        text, lines = self._text, self._lines
        before = list(accumulate(map(len, lines), initial=0))  # bytes of all lines before each, without their ends
        if text.endswith(b"\r") and before.pop() + len(lines) == len(text):
            starts = [length + ends for ends, length in enumerate(before)]
        else:
            starts = []
            position = len(UTF8_MARK) if text.startswith(UTF8_MARK) else 0
            for line in text[position:].splitlines(keepends=True):
                if line.strip(BLANKS):
                    starts.append(position)
                position += len(line)
        self._starts = starts
        return starts

    def _end_mark(self) -> bytes:
        """Return the segment end that the message uses."""
        first = self._text.splitlines(keepends=True)[0] if b"\n" in self._text else b"\r"
        end = first[len(first.rstrip(b"\r\n")) :]
        return end or b"\r"


def make_base(raw: bytes, codec: str) -> tuple[bytes, int, list[bytes]]:
    """
    Make the base of received bytes.

    Args:
        raw: As received.
        codec: As decided for them.

    Returns:
        The base, its flag byte (`raw` itself and 0 when it already is one), and its lines.
    """
    lines = raw.split(b"\r")
    # a byte order mark, no last end, a line feed, a blank line; `find`, because `in` costs three times more
    irregular = bool(lines.pop()) or raw.find(b"\n") >= 0 or raw[0] == UTF8_MARK[0]
    if not irregular:
        least = min(lines)  # an empty line is the least of all, then one that begins with a blank
        irregular = not least or least[0] <= LAST_BLANK
    if not irregular and codec == "utf-8":
        return raw, 0, lines
    flag = base_flag("utf-8" if raw.isascii() else codec, irregular)
    base = base_of(raw, flag)
    if base == raw:
        return raw, 0, lines
    lines = base.split(b"\r")
    lines.pop()
    return base, flag, lines


def lines_of(received: bytes) -> list[bytes]:
    """Cut received bytes into segments, without their ends; blank lines are none."""
    lines = received.removeprefix(UTF8_MARK).splitlines()
    return [line for line in lines if line.strip(BLANKS)]


def index_of(lines: list[bytes], mark: bytes) -> dict[bytes, list[int]]:
    """Return where the segments of each name stand."""
    index: dict[bytes, list[int]] = {}
    for position, line in enumerate(lines):
        code = line[:3]
        if line[3:4] != mark or not code.isalnum():
            code = code_of(line, mark)
        if code in index:
            index[code].append(position)
        else:
            index[code] = [position]
    return index


_NOWHERE: Final[list[int]] = []
