"""One segment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.splices import Splice
from engine.errors import StepFailed
from engine.parsers.hl7v2.lines import LongLine
from engine.parsers.hl7v2.message import Message
from engine.parsers.hl7v2.segments import LongSegment, Segment, code_of

RAW = b"MSH|^~\\&|A|B\rPID|1||x^y|\rZZZ\r"


def segment(name: str) -> Segment:
    found = Message.parse(RAW).first(name)
    assert found is not None
    return found


def test_fields_count_as_the_standard_counts() -> None:
    """MSH-1 is the separator, MSH-2 the other delimiters; 0 is the name."""
    header, patient = segment("MSH"), segment("PID")
    assert [header.field(n) for n in range(6)] == [b"MSH", b"|", b"^~\\&", b"A", b"B", b""]
    assert [patient.field(n) for n in range(6)] == [b"PID", b"1", b"", b"x^y", b"", b""]
    assert (header.count, patient.count, segment("ZZZ").count) == (4, 4, 0)
    assert (patient.name, patient.code) == ("PID", b"PID")


@pytest.mark.parametrize(
    ("name", "number", "line"),
    [
        ("PID", 3, b"PID|1||N|"),
        ("PID", 6, b"PID|1||x^y|||N"),
        ("MSH", 4, b"MSH|^~\\&|A|N"),
        ("MSH", 6, b"MSH|^~\\&|A|B||N"),
        ("ZZZ", 2, b"ZZZ||N"),
    ],
)
def test_setting_pads(name: str, number: int, line: bytes) -> None:
    """What is between comes to be empty; what is beside stays."""
    found = segment(name)
    found.set_field(number, b"N")
    assert found.line() == line
    assert found.field(number) == b"N"
    assert found.count == max(number, found.count)
    assert found.edited


def test_the_same_value_is_no_edit() -> None:
    """Nor is one that was set back."""
    found = segment("PID")
    found.set_field(3, b"N")
    found.set_field(3, b"x^y")
    found.set_field(9, b"")
    assert not found.edited
    assert found.splices(0) == []


def test_splices_are_of_the_field() -> None:
    """Beyond the end they are put in at the end, together with an edit of the last field."""
    found = segment("PID")
    found.set_field(3, b"N")
    found.set_field(4, b"4")
    found.set_field(6, b"6")
    assert found.splices(100) == [(107, 3, b"N"), (111, 0, b"4||6")]


@pytest.mark.parametrize(
    ("name", "number", "data"),
    [("MSH", 1, b"$"), ("MSH", 2, b"^"), ("PID", 3, b"a\rb"), ("PID", 3, b"\n"), ("PID", 0, b"X")],
)
def test_what_would_break_the_message_is_refused(name: str, number: int, data: bytes) -> None:
    """Delimiters, names and segment ends are no values."""
    with pytest.raises(StepFailed):
        segment(name).set_field(number, data)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"  PID|1", b"PID"),
        (b"ZZZ", b"ZZZ"),
        (b"H|1", b"H"),
        (b"rest of a value", b""),
        (b"|x", b""),
        ("é|".encode(), b""),
        (b"ABCDE|", b""),
    ],
)
def test_names_of_odd_lines(line: bytes, code: bytes) -> None:
    """Indented ones have a name; the rest of a cut value has none."""
    assert code_of(line, b"|") == code


@given(
    st.lists(st.sampled_from([b"", b"a", b"bc"]), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 8), st.sampled_from([b"", b"a", b"xyz"])), max_size=4),
    st.sampled_from([b"|", "§".encode()]),
)
def test_a_long_segment_is_one_like_others(fields: list[bytes], edits: list[tuple[int, bytes]], mark: bytes) -> None:
    """The same fields, edits and differences; but no field is kept."""
    line = mark.join([b"OBX", *fields])
    short = Segment(b"OBX", line, mark, 3)
    long = LongSegment(b"OBX", LongLine(b"MSH\r" + line + b"\rNTE|1\r", 4, 4 + len(line)), mark, 3)
    short.owned = long.owned = True
    before = long.clone()
    for number, data in edits:
        short.set_field(number, data)
        long.set_field(number, data)
        assert long.field(number) == data
    for one in (long, long.clone()):
        assert [one.field(number) for number in range(12)] == [short.field(number) for number in range(12)]
        assert (one.line(), one.edited, one.edits(), one.origin) == (short.line(), short.edited, short.edits(), 3)
        assert one.count == short.count
    assert before.line() == line
    assert apply_splices(line, long.splices(10), 10) == apply_splices(line, short.splices(10), 10) == short.line()
    long.revert({})
    assert long.line() == line


def apply_splices(line: bytes, splices: list[Splice], start: int) -> bytes:
    for offset, dropped, put in reversed(splices):
        line = line[: offset - start] + put + line[offset - start + dropped :]
    return line
