"""One segment: fields are split when one is asked for; edits are kept apart from what was received."""

from __future__ import annotations

from typing import Final

from engine.core.splices import Splice
from engine.errors import StepFailed
from engine.parsers.hl7v2.lines import LongLine
from engine.parsers.sniff import BLANKS

HEADERS: Final = frozenset({b"MSH", b"FHS", b"BHS"})
"""Segments whose field 1 is the field separator itself (HL7 v2.5 § 2.16.9.1)."""

ADDED: Final = -1
"""Origin of a segment that wasn't received."""

NAME_MAX: Final = 3
HEAD_MAX: Final = 64
"""How far a segment's name is looked for."""


class Segment:
    """
    One segment of a message.

    Segments come from `Message.segments`, `first` or `add_segment`, never from elsewhere: those belong to
    that message alone, and an edit is seen in it and nowhere else.
    """

    __slots__ = ("_edits", "_fields", "_line", "_mark", "code", "origin", "owned")

    def __init__(self, code: bytes, line: bytes, mark: bytes, origin: int, fields: list[bytes] | None = None) -> None:
        self.code = code
        """Its name, as bytes."""
        self.origin = origin
        """Index of the received line, or ADDED."""
        self.owned = False
        """Belongs to one message: False while copies may share it, and then nobody edits it."""
        self._line = line
        self._mark = mark
        self._fields = fields
        self._edits: dict[int, bytes] | None = None

    @classmethod
    def of_fields(cls, code: bytes, fields: list[bytes], line: bytes, mark: bytes, origin: int) -> Segment:
        """Return a segment whose fields aren't cut at separators: those of a format that has none."""
        return cls(code, line, mark, origin, [code, *fields])

    @property
    def name(self) -> str:
        """`PID`; empty for a line that doesn't begin with a segment's name."""
        return self.code.decode("latin-1")

    @property
    def count(self) -> int:
        """Number of the last field, present or not empty (HL7 numbering)."""
        fields = self._fields
        if fields is None:
            fields = self._split()
        return max([len(fields) - 1, *self._edits]) if self._edits else len(fields) - 1

    @property
    def edited(self) -> bool:
        """Whether a field differs from what was received."""
        return bool(self._edits)

    def field(self, number: int) -> bytes:
        """
        Return one field, with its repetitions and components, as bytes of the message.

        Args:
            number: From 1; MSH-1 is the field separator, MSH-2 the other delimiters; 0 is the name.

        Returns:
            b"" when the segment is shorter.
        """
        if self._edits is not None:
            edited = self._edits.get(number)
            if edited is not None:
                return edited
        fields = self._fields
        if fields is None:
            fields = self._split()
        return fields[number] if number < len(fields) else b""

    def set_field(self, number: int, data: bytes) -> None:
        """
        Replace one field; those between the last one and it come to be empty.

        Args:
            number: From 1.
            data: The whole field as it shall stand in the message: escaped, in the message's charset.

        Raises:
            StepFailed: It is MSH-1 or MSH-2 (E-DELIMITERS), or `data` holds a segment end (E-SEGMENT-END).
        """
        if number < 3 and (number < 1 or self.code in HEADERS):
            raise StepFailed(
                "E-DELIMITERS", "the delimiters of a message are not a value to set", field=f"{self.name}-{number}"
            )
        if data.find(b"\r") >= 0 or data.find(b"\n") >= 0:  # `in` costs three times more on bytes
            raise StepFailed(
                "E-SEGMENT-END", "a field can't hold a segment end; escape it", field=f"{self.name}-{number}"
            )
        self.put(number, data)

    def put(self, number: int, data: bytes) -> None:
        """Replace one field without looking at it (the parsers' own use)."""
        assert self.owned, "a segment is edited through the message to which it belongs"
        fields = self._fields
        if fields is None:
            fields = self._split()
        edits = self._edits
        if edits is None:
            edits = self._edits = {}
        if (fields[number] if number < len(fields) else b"") == data:
            edits.pop(number, None)
        else:
            edits[number] = data

    def edits(self) -> dict[int, bytes]:
        """Return what was edited so far, by field."""
        return dict(self._edits) if self._edits else {}

    def revert(self, edits: dict[int, bytes]) -> None:
        """Go back to edits that `edits` gave."""
        self._edits = dict(edits) if edits else None

    def line(self) -> bytes:
        """Return the segment as it stands now, without its end."""
        edits = self._edits
        if not edits:
            return self._line
        fields = list(self._fields or self._split())
        last = max(edits)
        if last >= len(fields):
            fields += [b""] * (last + 1 - len(fields))
        for number, data in edits.items():
            fields[number] = data
        if self.code in HEADERS and len(fields) > 1:
            del fields[1]
        return self._mark.join(fields)

    def clone(self) -> Segment:
        """Return a segment of its own for another message; what was split is shared."""
        other = Segment(self.code, self._line, self._mark, self.origin, self._fields)
        other._edits = dict(self._edits) if self._edits else None
        other.owned = True
        return other

    def splices(self, start: int) -> list[Splice]:
        """Return what was edited, as splices against a base in which the received line begins at `start`."""
        edits = self._edits
        if not edits:
            return []
        fields = self._fields or self._split()
        mark = self._mark
        width = len(mark)
        result: list[Splice] = []
        # in MSH, field 1 is the separator itself: it has no place between separators
        first = 2 if self.code in HEADERS else 1
        position, offset = first, start + len(fields[0]) + width
        count = len(fields)
        numbers = sorted(edits)
        for number in numbers:
            if number >= count:
                break
            if number > position:
                offset += len(mark.join(fields[position:number])) + width
                position = number
            result.append((offset, len(fields[number]), edits[number]))
        if numbers[-1] >= count:
            tail = [edits.get(number, b"") for number in range(count, numbers[-1] + 1)]
            put = mark + mark.join(tail)
            end = start + len(self._line)
            if result and result[-1][0] + result[-1][1] == end:
                offset, dropped, before = result.pop()
                result.append((offset, dropped, before + put))
            else:
                result.append((end, 0, put))
        return result

    def _split(self) -> list[bytes]:
        fields = self._line.split(self._mark)
        if self.code in HEADERS:
            fields.insert(1, self._mark)
        self._fields = fields
        return fields


class LongSegment(Segment):
    """
    A segment with a document in it: its fields are found when one is asked for, and none is kept.

    Each call of `field` copies that field, and no other.
    """

    __slots__ = ("_ends", "_place")

    def __init__(self, code: bytes, line: LongLine, mark: bytes, origin: int) -> None:
        super().__init__(code, b"", mark, origin)
        self._place = line
        self._ends: list[int] = []
        """Where fields end, from 0, as far as they were looked for; shared by clones."""

    @property
    def count(self) -> int:
        """Number of the last field, present or not empty."""
        self._find(self._place.end)
        return max([len(self._ends) - 1, *self._edits]) if self._edits else len(self._ends) - 1

    def field(self, number: int) -> bytes:
        """Return one field; see Segment.field."""
        if self._edits is not None:
            edited = self._edits.get(number)
            if edited is not None:
                return edited
        start, end = self._extent(number)
        return self._place.text[start:end]

    def put(self, number: int, data: bytes) -> None:
        """Replace one field; see Segment.put."""
        assert self.owned, "a segment is edited through the message to which it belongs"
        edits = self._edits
        if edits is None:
            edits = self._edits = {}
        start, end = self._extent(number)
        if end - start == len(data) and self._place.text[start:end] == data:
            edits.pop(number, None)
        else:
            edits[number] = data

    def line(self) -> bytes:
        """Return the segment as it stands now."""
        place = self._place
        parts: list[bytes | memoryview] = []
        position, view = place.start, memoryview(place.text)
        for offset, dropped, put in self.splices(place.start):
            parts += (view[position:offset], put)
            position = offset + dropped
        parts.append(view[position : place.end])
        return b"".join(parts)

    def clone(self) -> Segment:
        """Return a segment of its own for another message."""
        other = LongSegment(self.code, self._place, self._mark, self.origin)
        other._ends = self._ends
        other._edits = dict(self._edits) if self._edits else None
        other.owned = True
        return other

    def splices(self, start: int) -> list[Splice]:
        """Return what was edited, as splices; see Segment.splices."""
        edits = self._edits
        if not edits:
            return []
        place = self._place
        self._find(place.end)
        count = len(self._ends)
        result: list[Splice] = []
        for number in sorted(edits):
            if number < count:
                first, last = self._extent(number)
                result.append((start + first - place.start, last - first, edits[number]))
        after = [edits.get(number, b"") for number in range(count, max(edits) + 1)]
        if after:
            end = start + len(place)
            result.append((end, 0, self._mark + self._mark.join(after)))
        return result

    def _extent(self, number: int) -> tuple[int, int]:
        """Return where a field lies in the text; an empty place at the end when the segment is shorter."""
        ends = self._ends
        if number >= len(ends):
            self._find(number)
        place = self._place
        if number >= len(ends):
            return place.end, place.end
        return (ends[number - 1] + len(self._mark) if number else place.start), ends[number]

    def _find(self, number: int) -> None:
        """Find the ends of fields up to a number."""
        place, mark, ends = self._place, self._mark, self._ends
        if ends and ends[-1] == place.end:
            return
        position = ends[-1] + len(mark) if ends else place.start
        while len(ends) <= number:
            end = place.text.find(mark, position, place.end)
            if end < 0:
                ends.append(place.end)
                return
            ends.append(end)
            position = end + len(mark)


def code_of(line: bytes, mark: bytes) -> bytes:
    """
    Return the name of a segment whose fourth byte isn't the field separator.

    Blanks before it are passed over (some systems indent); b"" for a line that has no name, as the rest
    of a value that was cut by a line feed.
    """
    head = line[:HEAD_MAX].strip(BLANKS)
    end = head.find(mark)
    name = head[:end] if end >= 0 else head
    return name if 0 < len(name) <= NAME_MAX and name.isalnum() and name.isascii() else b""
