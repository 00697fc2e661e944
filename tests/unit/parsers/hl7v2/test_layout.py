"""The shape of a message."""

from __future__ import annotations

import pytest

from engine.parsers.hl7v2 import layout
from engine.parsers.hl7v2.layout import layout_of, name_of, reads_as_header

LINES = [b"MSH|^~\\&|A", b"PID|1", b"OBX|1", b"OBX|2"]


def test_where_segments_stand() -> None:
    """By name, in order; the same for all messages of a shape."""
    found = layout_of(LINES, b"|")
    assert found.index == {b"MSH": [0], b"PID": [1], b"OBX": [2, 3]}
    assert found.regular
    assert found.findings == ()
    assert layout_of([*LINES[:2], b"OBX|8", b"OBX|9"], b"|") is found


@pytest.mark.parametrize(
    ("lines", "mark", "index"),
    [
        ([b"MSH|^~\\&", b"ZFP", b"PID|1"], b"|", {b"MSH": [0], b"ZFP": [1], b"PID": [2]}),
        ([b"MSH|^~\\&", b" PID|1"], b"|", {b"MSH": [0], b"PID": [1]}),
        ([b"MSH|^~\\&", b"the rest of a text"], b"|", {b"MSH": [0], b"": [1]}),
        ([b"MSH|^~\\&", b"ZZ|1"], b"|", {b"MSH": [0], b"ZZ": [1]}),
        ([b"MSH|^~\\&", b"PID^1"], b"|", {b"MSH": [0], b"": [1]}),
        (["MSH§^~\\&".encode(), "PID§1".encode()], "§".encode(), {b"MSH": [0], b"PID": [1]}),
        ([b"MSH|", b"ZZZP", b"ID|"], b"|", {b"MSH": [0], b"": [1], b"ID": [2]}),
    ],
)
def test_odd_lines(lines: list[bytes], mark: bytes, index: dict[bytes, list[int]]) -> None:
    """They have their place too; such a shape is not regular, and not kept for others."""
    found = layout_of(lines, mark)
    assert found.index == index
    assert not found.regular
    assert layout_of(lines, mark) is not found


def test_other_cuts_of_the_same_heads_are_another_shape() -> None:
    """`ZZZ` and `PID|` give the same bytes as `ZZZP` and `ID|`, and mean something else."""
    assert layout_of([b"MSH|", b"ZZZ|", b"PID|"], b"|").regular
    assert not layout_of([b"MSH|", b"ZZZ|PID|"], b"|").index.get(b"PID")
    assert layout_of([b"MSH|", b"ZZZ", b"|PID|"], b"|").index == {b"MSH": [0], b"ZZZ": [1], b"": [2]}


@pytest.mark.parametrize(
    ("lines", "findings"),
    [
        ([b"MSH|^~\\&", b"MSH|^~\\&"], ("two-headers",)),
        ([b"FHS|^~\\&", b"BHS|^~\\&", b"MSH|^~\\&"], ("batch",)),
        ([b"BHS|^~\\&", b"MSH|^~\\&", b"MSH|^~\\&"], ("two-headers", "batch")),
    ],
)
def test_odd_sequences(lines: list[bytes], findings: tuple[str, ...]) -> None:
    """They are told."""
    assert layout_of(lines, b"|").findings == findings


def test_memory_of_shapes_is_bounded() -> None:
    """Whatever is sent: others are forgotten, long ones are not kept."""
    for number in range(2000):
        layout_of([b"MSH|", *[b"Z%02d|" % (number // 100 % 100), b"Y%02d|" % (number % 100)]], b"|")
    assert len(layout._SHAPES) <= 256
    long = [b"MSH|", *[b"OBX|"] * 150]
    assert layout_of(long, b"|").regular
    assert layout_of(long, b"|") is not layout_of(long, b"|")


def test_name_of_a_line() -> None:
    """Three letters or digits before the separator, else what is found."""
    assert name_of(b"PV1|1", b"|") == b"PV1"
    assert name_of(b"PV|1", b"|") == b"PV"
    assert name_of(b"", b"|") == b""


@pytest.mark.parametrize(
    "head", [b"MSH|^~\\&|", b" \x00MSH|", b"\xef\xbb\xbfMSH$%", b"msh|", b"MSH", b"MSH \r", b"\xa0MSH|"]
)
def test_reads_as_header(head: bytes) -> None:
    """However badly it is written."""
    assert reads_as_header(head, b"|")


@pytest.mark.parametrize("head", [b"", b"MSHA|", b"MSH: 12", b"MSH 12", b"PID|MSH|", b"(MSH)", b"AMSH|"])
def test_text_is_no_header(head: bytes) -> None:
    """Where something else stands before or behind."""
    assert not reads_as_header(head, b"|")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"pid|2||78", "PID"), (b"Pid|2", "PID"), (b"\xef\xbb\xbfPID|2", "PID"), (b"\xa0pid|2", "PID"),
        (b"pid", "PID"),
        (b"mrg|78", "MRG"), (b"obr|2", "OBR"), (b"\xe2\x80\x8bORC|RE", "ORC"),
        (b"PID", None), (b" PID|2", None), (b"PIDX|2", None), (b"obr", None), (b"pid^2", None), (b"obx|1", None),
        (b"the pid|", None), (b"orchite", None),
    ],
)  # fmt: skip
def test_a_name_that_is_damaged(line: bytes, name: str | None) -> None:
    """A patient's or an order's line that would be taken for text is told, with its place."""
    found = layout_of([*LINES, line, b"obr|9"], b"|")
    assert found.damaged == ((name, 4) if name else ("OBR", 5))
