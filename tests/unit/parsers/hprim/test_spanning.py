"""Segments that lie in several lines."""

from __future__ import annotations

from engine.parsers.hprim.message import parse_hprim

RAW = b"\n\nH|~^\\&|F|\n\nC|1|P|a\nA|b\n \nL|1\n\n"


def test_nothing_touched() -> None:
    """The received bytes themselves."""
    message = parse_hprim(RAW)
    message.segments()
    assert message.render() == (RAW, [])


def test_what_lies_between_segments_goes_with_the_one_before() -> None:
    """Taking out a segment takes its addenda and the blank lines behind it; the file's end stays."""
    message = parse_hprim(RAW)
    message.delete_segment(message.segments("C")[0])
    assert message.to_bytes() == b"\n\nH|~^\\&|F|\n\nL|1\n\n"
    message.delete_segment(message.segments("L")[0])
    assert message.to_bytes() == b"\n\nH|~^\\&|F|\n\n\n"


def test_added_behind_the_last() -> None:
    """Before the blank lines that end the file."""
    message = parse_hprim(RAW)
    message.add_segment("C")
    assert message.to_bytes() == RAW.replace(b"L|1\n", b"L|1\nC\n")


def test_a_copy_is_of_its_own() -> None:
    """And of the same kind."""
    message = parse_hprim(RAW)
    copy = message.copy()
    copy.segments("C")[0].set_field(3, b"z")
    assert type(copy) is type(message)
    assert copy.to_bytes() == RAW.replace(b"a\nA|b", b"z")
    assert message.to_bytes() == RAW
