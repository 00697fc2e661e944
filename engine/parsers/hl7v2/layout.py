"""
Which segments a message has, and where: found once for all messages of the same shape.

A system sends the same few sequences of segments all day. The first four bytes of each line (a name and the field
separator) are the key under which the finished index of such a sequence is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from engine.parsers.hl7v2.lines import Line
from engine.parsers.hl7v2.segments import HEAD_MAX, code_of
from engine.parsers.sniff import BLANKS

_HEAD: Final = 4
"""Bytes of a segment's name with the field separator."""
_SHAPES_MAX: Final = 256
_SHAPE_BYTES_MAX: Final = 512
"""A shape of more than 128 segments is hardly met twice."""


class Layout:
    """
    The shape of a message; shared by all that have it, never changed.

    Attributes:
        index: Where the segments of each name stand; b"" for lines that have none.
        mark: The field separator.
        headers: How many lines read as a message's header (`reads_as_header`).
        damaged: The first line that reads as one of WHOSE and isn't: its true name and its place; None: there is none.
        findings: `two-headers`, `batch`: what is odd about the sequence.
        regular: Every line begins with a name of three letters or digits and the field separator.
        continued: There are ADD segments, which continue others (hl7v2.continuation).
    """

    __slots__ = ("continued", "damaged", "findings", "headers", "index", "mark", "regular")

    def __init__(
        self,
        index: dict[bytes, list[int]],
        mark: bytes,
        headers: int,
        damaged: tuple[str, int] | None,
        *,
        regular: bool,
    ) -> None:
        self.index = index
        self.mark = mark
        self.regular = regular
        self.continued = b"ADD" in index
        self.headers = headers
        self.damaged = damaged
        findings = []
        if headers > 1:
            findings.append("two-headers")
        if b"FHS" in index or b"BHS" in index:
            findings.append("batch")
        self.findings = tuple(findings)


def layout_of(lines: Sequence[Line], mark: bytes) -> Layout:
    """
    Return the shape of a message.

    Args:
        lines: Its segments, without their ends.
        mark: The field separator.
    """
    heads = b"".join([line[:_HEAD] for line in lines])
    known = _SHAPES.get(heads)
    whole = len(heads) == _HEAD * len(lines)  # four bytes of each line: then no other lines have the same heads
    if known is not None and whole and known.mark == mark:
        return known
    regular = whole and heads[3::4] == mark * len(lines) and heads.replace(mark, b"").isalnum()
    headers = sum(reads_as_header(line[:HEAD_MAX], mark) for line in lines)
    index = _index_of(lines, mark)
    layout = Layout(index, mark, headers, _damaged(lines, index, mark), regular=regular)
    if regular and len(heads) <= _SHAPE_BYTES_MAX:
        if len(_SHAPES) >= _SHAPES_MAX:
            _SHAPES.clear()  # other systems send now
        _SHAPES[heads] = layout
    return layout


def reads_as_header(head: bytes, mark: bytes) -> bool:
    """
    Tell whether a line may be the header of a message, however badly it is written.

    A second one in a message means that the end of the first was lost: so blanks, control characters or a byte order
    mark before it, and small letters, make it none the less. `MSH` with text behind it is text: it names a hormone.

    Args:
        head: The line's beginning (HEAD_MAX).
        mark: The field separator of the message.
    """
    head = head.lstrip(_NOT_GRAPHIC)
    return reads_as(head, b"MSH", mark) or (head[:3].upper() == b"MSH" and _MARKS.match(head[3:]) is not None)


def name_meant(head: bytes, mark: bytes) -> bytes:
    """
    Return the name, in capitals, of the segment that a line with a field may be (`reads_as`); b"" when it is none.

    Args:
        head: The line's beginning (HEAD_MAX).
        mark: The field separator of the message.
    """
    name = head.lstrip(_NOT_GRAPHIC)[:3].upper()
    return name if mark in head and reads_as(head, name, mark) else b""


def reads_as(head: bytes, name: bytes, mark: bytes) -> bool:
    """
    Tell whether a line may be a segment of that name, however badly the name is written.

    Args:
        head: The line's beginning (HEAD_MAX).
        name: In capitals.
        mark: The field separator of the message.
    """
    head = head.lstrip(_NOT_GRAPHIC)
    if head[: len(name)].upper() != name:
        return False
    rest = head[len(name) :].rstrip(BLANKS)
    return not rest or rest.startswith(mark)


WHOSE: Final = (b"PID", b"MRG", b"ORC", b"OBR", b"DSC")
"""
Segments that say whose, or of which order, what follows is: taken for text, it would be another's.

DSC says that it goes on elsewhere: taken for text, half a message would be a whole one.
"""
_PATIENT: Final = b"PID"
_NOT_GRAPHIC: Final = bytes(code for code in range(256) if not 33 <= code <= 126)
_MARKS: Final = re.compile(rb"[^\w\s][^\w\s]")
"""A field separator and the first of MSH-2, of a message with other delimiters."""

_SHAPES: Final[dict[bytes, Layout]] = {}
"""By the heads of all lines; bounded, because they come from outside."""


def _index_of(lines: Sequence[Line], mark: bytes) -> dict[bytes, list[int]]:
    index: dict[bytes, list[int]] = {}
    for position, line in enumerate(lines):
        index.setdefault(name_of(line, mark), []).append(position)
    return index


def _damaged(lines: Sequence[Line], index: dict[bytes, list[int]], mark: bytes) -> tuple[str, int] | None:
    """
    Find the first line that reads as one of WHOSE, and whose name isn't that.

    Of a name alone, without a field, only PID counts: it is hardly a word of a text.
    """
    found: list[tuple[int, str]] = []
    for code, positions in index.items():
        if code.isupper():
            continue
        for position in positions:
            head = lines[position][:HEAD_MAX].lstrip(_NOT_GRAPHIC)
            name = head[:3].upper()
            if name in WHOSE and reads_as(head, name, mark) and (name == _PATIENT or mark in head):
                found.append((position, name.decode()))
    return min(found)[::-1] if found else None


def name_of(line: Line, mark: bytes) -> bytes:
    """Return the name of the segment that a line is; b"" when it begins with none."""
    name = line[:3]
    return name if line[3:4] == mark and name.isalnum() else code_of(line[:HEAD_MAX], mark)
