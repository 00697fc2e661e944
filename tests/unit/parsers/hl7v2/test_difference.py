"""Differences between a text and its segments."""

from __future__ import annotations

import pytest

from engine.parsers.hl7v2.difference import end_mark, spliced, structural
from engine.parsers.hl7v2.segments import ADDED, Segment
from tests.support.sizes import all_is_large

TEXT = b"MSH|^~\\&|A\rPID|1\rPV1|1\r"
STARTS = [0, 11, 17]


def added(line: bytes) -> Segment:
    segment = Segment(line[:3], line, b"|", ADDED)
    segment.owned = True
    return segment


def test_splices_are_applied_in_order() -> None:
    """What isn't spliced is kept; the same for large texts."""
    splices = [(4, 1, b"!"), (8, 0, b"@"), (15, 2, b"")]
    expected = b"MSH|!~\\&@|A\rPID|PV1|1\r"
    assert spliced(TEXT, splices) == expected
    with all_is_large():
        assert spliced(TEXT, splices) == expected


@pytest.mark.parametrize(
    ("segments", "result"),
    [
        ([0, 1, 2], TEXT),
        ([0, 2], b"MSH|^~\\&|A\rPV1|1\r"),
        ([0], b"MSH|^~\\&|A\r"),
        ([], b""),
        ([0, added(b"NTE|x"), 1, 2], b"MSH|^~\\&|A\rNTE|x\rPID|1\rPV1|1\r"),
        ([0, added(b"NTE|x"), 2, added(b"ZZZ")], b"MSH|^~\\&|A\rNTE|x\rPV1|1\rZZZ\r"),
    ],
)
def test_segments_that_came_and_went(segments: list[int | Segment], result: bytes) -> None:
    """Each at its place; what is between stays."""
    assert spliced(TEXT, structural(TEXT, STARTS, segments)) == result


def test_the_last_segment_had_no_end() -> None:
    """Nor has the new last one."""
    text = TEXT[:-1]
    assert spliced(text, structural(text, STARTS, [0, 1, 2, added(b"ZZZ")])) == TEXT + b"ZZZ"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"a\rb\r", b"\r"),
        (b"a\nb\r", b"\n"),
        (b"a\r\nb\n", b"\r\n"),
        (b"a\rb\n", b"\r"),
        (b"a", b"\r"),
        (b"a\r\r\n", b"\r"),
        (b"\r\n", b"\r\n"),
    ],
)
def test_the_end_of_the_first_line_counts(text: bytes, end: bytes) -> None:
    """Added segments get it."""
    assert end_mark(text) == end
