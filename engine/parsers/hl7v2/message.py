"""
A message: read lazily, copied cheaply, edited by field, given back as bytes or as a difference.

Theory of operation. The *base* is one immutable bytes object, its lines are the segments. What is pristine is
shared between a message and its copies and never edited: a line that nobody asked for is a number (which line),
one that was read a list of its fields. Whoever asks for a segment to edit gets one that belongs to that message
alone (`Segment.owned`), with its edits beside the received fields. So a copy costs one list, an edit one segment,
and what was not touched can't change: it is still the base.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Final

from engine.core.splices import Splice
from engine.parsers.charset import alternates_of
from engine.parsers.hl7v2.continuation import Joints, rejoin
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters
from engine.parsers.hl7v2.difference import end_mark, spliced, structural
from engine.parsers.hl7v2.header import Header, read_header
from engine.parsers.hl7v2.layout import Layout, layout_of, name_of
from engine.parsers.hl7v2.lines import Line, lines_of, starts_of
from engine.parsers.hl7v2.preparing import prepare
from engine.parsers.hl7v2.rewriting import rewrite_line
from engine.parsers.hl7v2.segments import ADDED, HEADERS, LongSegment, Segment

__all__ = ["Message", "Segment"]

DETACHED: Final = -1
"""Base flag of a message that isn't made of the received bytes: it is stored whole."""

Item = int | list[bytes] | Segment
"""A received line, its fields (as Segment counts them) when it was read, or a segment."""


class Message:
    """
    One message.

    Attributes:
        format: `hl7v2` or `hprim-sante`.
        delimiters: Those of the message as it stands.
        codec: Python codec of its leafs, as they stand.
        received_codec: The codec in which it was received, as decided (charset.decide).
        findings: Short codes of what is odd: `charset-mismatch`, `charset-mixed`, `charset-unknown`,
            `charset-undeclared`, `charset-repeated`, `control-character`, `odd-delimiters`, `two-headers`, `batch`.
        base: What `splices` apply to.
        base_flag: How `base` was made from the received bytes (charset.base_of); 0: it is them; DETACHED: it
            was made from others.
    """

    __slots__ = (
        "_even",
        "_header",
        "_index",
        "_joints",
        "_layout",
        "_lines",
        "_listed",
        "_owned",
        "_segments",
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
        format_: str = "hl7v2", lines: Sequence[Line] | None = None, header: Header | None = None,
        layout: Layout | None = None, even: bool = False,
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
            layout: Of `lines`, where it is known.
            even: `base` is `lines` with one CR after each.
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
        if lines is None:
            lines = lines_of(base)
        if layout is None:
            layout = layout_of(lines, delimiters.field)
        self._lines = lines
        self._layout = layout
        self._even = even
        self._joints: Joints | None = None
        self._index: dict[bytes, list[int]] | None = layout.index
        self._segments: list[Item] = list(range(len(lines)))
        self._owned: list[Segment] = []
        # an item that is a list tells neither its name nor its line: it stands where it was received
        self._listed = layout.regular

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
        base, flag, delimiters, received, findings, lines, layout, even, header = prepare(
            raw, default_charset, as_utf8=as_utf8
        )
        codec = "utf-8" if as_utf8 else received
        message = cls(base, flag, delimiters, codec, received, findings, "hl7v2", lines, None, layout, even)
        if header is not None:
            message._segments[0] = header
        if layout.continued:
            message._rejoin()
        if delimiters.odd:
            findings.append("odd-delimiters")
        if layout.findings:
            findings += layout.findings
        return message

    @property
    def header(self) -> Header:
        """The header as received; edits don't show in it."""
        if self._header is None:
            self._header = read_header(self.base)
        return self._header

    @property
    def headers(self) -> int:
        """How many of the lines read as a message's header (layout.reads_as_header): more than one is no message."""
        return self._layout.headers

    @property
    def damaged(self) -> tuple[str, int] | None:
        """The first segment that says whose what follows is and whose name is damaged (layout.Layout)."""
        return self._layout.damaged

    @property
    def alternates(self) -> tuple[str, ...]:
        """The further character sets that the message declares, for text that `codec` can't write."""
        if self.codec == "utf-8" or self.format != "hl7v2":
            return ()
        return alternates_of(self.header.charset)

    @property
    def names(self) -> list[str]:
        """The segments' names in order; empty for a line without one."""
        return [self._name_at(position).decode("latin-1") for position in range(len(self._segments))]

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
        other._lines = self._lines
        other._layout = self._layout
        other._even = self._even
        other._joints = self._joints
        other._index = self._index
        other._listed = self._listed
        if self._owned:
            segments = [item.clone() if isinstance(item, Segment) and item.owned else item for item in self._segments]
            other._segments = segments
            other._owned = _owned_of(segments)
        else:
            other._segments = self._segments.copy()
            other._owned = []
        return other

    def add_segment(self, name: str, after: str | Segment | None = None) -> Segment:
        """
        Add an empty segment.

        Args:
            name: Its name.
            after: A segment, or the name of one (the last of that name); at the end when None or absent.
        """
        self._settle()
        code = name.encode("ascii")
        added = Segment(code, code, self.delimiters.field, ADDED)
        added.owned = True
        position = len(self._segments)
        if isinstance(after, Segment):
            position = self._position_of(after) + 1
        elif after is not None and (positions := self.positions(after.encode())):
            position = positions[-1] + 1
        self._segments.insert(position, added)
        self._owned.append(added)
        self._index = None
        return added

    def delete_segment(self, segment: Segment) -> None:
        """Take a segment out."""
        position = self._position_of(segment)
        self._settle()
        del self._segments[position]
        self._owned = _owned_of(self._segments)
        self._index = None

    def part(self, positions: Sequence[int]) -> Message:
        """Return a message of some segments of this one, as they stand now, with bytes of its own (DETACHED)."""
        end = end_mark(self._text)
        data = b"".join([self.peek(position).line() + end for position in positions])
        return Message(data, DETACHED, self.delimiters, self.codec, self.received_codec, [], self.format)

    def checkpoint(self) -> Callable[[], None]:
        """Return what brings the message back to how it stands now; segments taken from it stay its own."""
        segments = self._segments.copy()
        edits = [(item, item.edits()) for item in self._owned]

        def undo() -> None:
            self._segments = segments.copy()
            if not self._listed:
                self._settle()  # a list among them was put there while its place said what it is
            self._owned = _owned_of(segments)
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
            text = spliced(text, splices)
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
        lines = [rewrite_line(self.peek(i), old) for i in range(len(self._segments))]
        self._text = b"\r".join(lines) + b"\r"
        self._lines = lines
        self._even = True
        self._joints = None
        self._segments = list(range(len(lines)))
        self._owned = []
        self._layout = layout_of(lines, STANDARD.field)
        self._listed = self._layout.regular
        self._index = self._layout.index
        self.delimiters = STANDARD

    # --- for paths and the other modules of this room -----------------------------------------------------

    def positions(self, code: bytes) -> list[int]:
        """Return where segments of that name stand; not to be changed."""
        index = self._index
        if index is None:
            index = self._make_index()
        return index.get(code) or _NOWHERE

    def value(self, code: bytes, number: int) -> bytes:
        """Return one field of the first segment of that name; b"" when there is none."""
        index = self._index
        if index is None:
            index = self._make_index()
        positions = index.get(code)
        if positions is None:
            return b""
        item = self._segments[positions[0]]
        if type(item) is int:
            item = self._read(positions[0])
        if type(item) is list:
            return item[number] if number < len(item) else b""
        return item.field(number)  # type: ignore[union-attr]  # a segment, or a subclass

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
                if type(item) is int:
                    item = self._read(position)
                if type(item) is list:
                    found.append(item[number] if number < len(item) else b"")
                else:
                    found.append(item.field(number))  # type: ignore[union-attr]  # a segment, or a subclass
        return found

    def head(self, code: bytes) -> Segment | None:
        """Return the first segment of that name, to read only."""
        positions = self.positions(code)
        return self.peek(positions[0]) if positions else None

    def own_head(self, code: bytes) -> Segment | None:
        """Return the first segment of that name, to read or to edit."""
        positions = self.positions(code)
        return self.own(positions[0]) if positions else None

    def peek(self, position: int) -> Segment:
        """Return the segment at a position, to read only."""
        item = self._segments[position]
        if not isinstance(item, Segment):
            item = self._segments[position] = self._make(position)
        return item

    def own(self, position: int) -> Segment:
        """Return the segment at a position, to read or to edit."""
        item = self._segments[position]
        if isinstance(item, Segment):
            if item.owned:
                return item
            item = item.clone()
        else:
            item = self._make(position)
        item.owned = True
        self._segments[position] = item
        self._owned.append(item)
        return item

    def _read(self, position: int) -> Item:
        """Cut a line that nobody asked for until now, and return what stands in its place from now on."""
        item = self._segments[position]
        line = self._lines[item] if isinstance(item, int) else b""
        if not self._listed or not isinstance(line, bytes):
            return self.peek(position)
        fields = line.split(self.delimiters.field)
        if fields[0] in HEADERS:
            fields.insert(1, self.delimiters.field)
        self._segments[position] = fields
        return fields

    def _make(self, position: int) -> Segment:
        """Make the segment of a line that is none yet."""
        item, mark = self._segments[position], self.delimiters.field
        if isinstance(item, list):
            line = self._lines[position]
            assert isinstance(line, bytes)
            return Segment(item[0], line, mark, position, item)
        assert isinstance(item, int)
        line = self._lines[item]
        code = name_of(line, mark)
        if isinstance(line, bytes):
            return Segment(code, line, mark, item)
        return Segment(code, bytes(line), mark, item) if code in HEADERS else LongSegment(code, line, mark, item)

    def _rejoin(self) -> None:
        """Take ADD segments into those that they continue."""
        mark, starts = self.delimiters.field, self._starts()
        continuing = bool(self.value(b"MSH", 14))
        self._lines, self._joints = rejoin(self._lines, starts, mark, continuing=continuing)
        self._layout = layout_of(self._lines, mark)
        self._index = self._layout.index
        self._segments = list(range(len(self._lines)))
        self._listed = False

    def _settle(self) -> None:
        """Make segments of lists: those tell their line themselves, and may move."""
        self._listed = False
        for position, item in enumerate(self._segments):
            if isinstance(item, list):
                self.peek(position)

    def _name_at(self, position: int) -> bytes:
        item = self._segments[position]
        if isinstance(item, int):
            return name_of(self._lines[item], self.delimiters.field)
        return item[0] if isinstance(item, list) else item.code

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
            index.setdefault(self._name_at(position), []).append(position)
        self._index = index
        return index

    def _edits(self) -> list[Splice]:
        """Return the splices against `_text`."""
        owned, joints = self._owned, self._joints
        if joints is not None:
            return structural(self._text, joints.begins, self._segments, joints)
        if not self._listed and (len(self._segments) != len(self._lines) or any(one.origin == ADDED for one in owned)):
            return structural(self._text, self._starts(), self._segments)
        if not owned:
            return []
        if len(owned) == 1 and self._even:
            origin = owned[0].origin
            return owned[0].splices(sum(map(len, self._lines[:origin])) + origin)
        starts = self._starts()
        result: list[Splice] = []
        for item in sorted(owned, key=_ORIGIN):
            result += item.splices(starts[item.origin])
        return result

    def _starts(self) -> list[int]:
        """Find where each line begins in `_text`."""
        if not self._even:
            return starts_of(self._text)
        before = accumulate(map(len, self._lines), initial=0)  # bytes of all lines before each, without their ends
        return [length + ends for ends, length in zip(range(len(self._lines)), before, strict=False)]


def _owned_of(segments: list[Item]) -> list[Segment]:
    return [item for item in segments if isinstance(item, Segment) and item.owned]


_ORIGIN: Final = attrgetter("origin")
_NOWHERE: Final[list[int]] = []
