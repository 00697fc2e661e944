"""
Which segments a message has, and where: found once for all messages of the same shape.

A system sends the same few sequences of segments all day. The first four bytes of each line (a name and the field
separator) are the key under which the finished index of such a sequence is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.parsers.hl7v2.lines import Line
from engine.parsers.hl7v2.segments import HEAD_MAX, code_of

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
        findings: `two-headers`, `batch`: what is odd about the sequence.
        regular: Every line begins with a name of three letters or digits and the field separator.
        continued: There are ADD segments, which continue others (hl7v2.continuation).
    """

    __slots__ = ("continued", "findings", "index", "mark", "regular")

    def __init__(self, index: dict[bytes, list[int]], mark: bytes, *, regular: bool) -> None:
        self.index = index
        self.mark = mark
        self.regular = regular
        self.continued = b"ADD" in index
        findings = []
        if len(index.get(b"MSH", ())) > 1:
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
    layout = Layout(_index_of(lines, mark), mark, regular=regular)
    if regular and len(heads) <= _SHAPE_BYTES_MAX:
        if len(_SHAPES) >= _SHAPES_MAX:
            _SHAPES.clear()  # other systems send now
        _SHAPES[heads] = layout
    return layout


_SHAPES: Final[dict[bytes, Layout]] = {}
"""By the heads of all lines; bounded, because they come from outside."""


def _index_of(lines: Sequence[Line], mark: bytes) -> dict[bytes, list[int]]:
    index: dict[bytes, list[int]] = {}
    for position, line in enumerate(lines):
        index.setdefault(name_of(line, mark), []).append(position)
    return index


def name_of(line: Line, mark: bytes) -> bytes:
    """Return the name of the segment that a line is; b"" when it begins with none."""
    name = line[:3]
    return name if line[3:4] == mark and name.isalnum() else code_of(line[:HEAD_MAX], mark)
