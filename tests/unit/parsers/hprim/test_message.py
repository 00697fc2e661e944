"""HPRIM Santé by position."""

from __future__ import annotations

import pytest

from engine.core import splices
from engine.errors import ParseError
from engine.parsers import base_of
from engine.parsers.hprim.message import parse_hprim
from engine.parsers.paths import Path

RAW = (
    "H|~^\\&|F.HPR||LAB||ORU||||P|H2.2~C\r\nP|1|77~~FU|L9||DÜRAND~Zoé\r\nOBR|1|2~Cliniq\r\nA|ue HP~L|04\r\nL|1||1|5\r\n"
).encode("cp1252")


def test_fields() -> None:
    """In UTF-8 for routes, byte-exact otherwise; an addendum belongs to the segment that it continues."""
    message = parse_hprim(RAW, as_utf8=True)
    assert message.names == ["H", "P", "OBR", "L"]
    assert message.format == message.header.format == "hprim-sante"
    assert Path.parse("P-5.2").read(message) == ["Zoé"]
    assert Path.parse("P-2.3").read(message) == ["FU"]
    assert Path.parse("OBR-2.2").read(message) == ["Clinique HP"]
    assert Path.parse("OBR-3").read(message) == ["04"]
    assert message.findings == []
    assert parse_hprim(RAW).to_bytes() is RAW
    assert message.to_bytes() == RAW.decode("cp1252").encode()


def test_an_edited_segment_alone_is_written_anew() -> None:
    """Its addenda are rejoined, or made where it became too long; all else is as received."""
    message = parse_hprim(RAW)
    Path.parse("OBR-4").write(message, "x")
    assert message.to_bytes() == RAW.replace(b"Cliniq\r\nA|ue HP~L|04", b"Clinique HP~L|04|x")
    Path.parse("OBR-5").write(message, "y" * 300)
    lines = message.to_bytes().split(b"\r\n")
    assert lines[:2] == RAW.split(b"\r\n")[:2]
    assert [len(line) for line in lines[2:4]] == [220, len("OBR|1|2~Clinique HP~L|04|x|") + 300 - 220 + 2]
    assert Path.parse("OBR-5").read(parse_hprim(message.to_bytes())) == ["y" * 300]


def test_an_edit_of_one_line_is_minimal() -> None:
    """No other byte changes, and the difference says so."""
    message = parse_hprim(RAW)
    Path.parse("P-3").write(message, "L10")
    assert message.splices() == [(RAW.index(b"L9"), 2, b"L10")]


def test_segments_are_added_and_taken_out() -> None:
    """With the line ends of the file; the difference gives the same bytes."""
    message = parse_hprim(RAW, as_utf8=True)
    added = message.add_segment("C", after="OBR")
    added.set_field(3, b"vu")
    message.delete_segment(message.segments("L")[0])
    copy = message.copy()
    written, difference = copy.render()
    assert written.endswith(b"A|ue HP~L|04\r\nC|||vu\r\n")
    assert splices.apply(RAW, splices.pack(difference, copy.base_flag), base_of) == written


def test_the_last_line_needs_no_end() -> None:
    """What is added behind it has none either."""
    raw = RAW.rstrip()
    message = parse_hprim(raw)
    message.add_segment("C")
    assert message.to_bytes() == raw + b"\r\nC"


def test_the_header_may_go_on() -> None:
    """H-10 is long enough a comment to need an addendum."""
    raw = b"H|~^\\&|F.HPR||LAB||ORU||||comm\r\nA|ent|T|H2.3~L\r\nP|1\r\n"
    message = parse_hprim(raw)
    assert message.header.processing == "T"
    assert message.header.version == "H2.3"


@pytest.mark.parametrize(
    ("closing", "findings"),
    [
        (b"L|1||1|4", []),
        (b"L|1||1|5", []),
        (b"L|1||1|2", []),
        (b"L|1||2|4", ["patient-count"]),
        (b"L|1||1|31", ["segment-count"]),
        (b"L|1||x|", []),
    ],
)
def test_counts_of_the_last_segment_are_compared(closing: bytes, findings: list[str]) -> None:
    """L-3 and L-4 that say otherwise are findings, never a refusal."""
    assert parse_hprim(RAW.replace(b"L|1||1|5", closing)).findings == findings


def test_another_charset_than_the_source_s_is_found() -> None:
    """HPRIM declares none: the source does."""
    assert parse_hprim(RAW.decode("cp1252").encode(), as_utf8=True).findings == ["charset-mismatch"]


def test_a_line_that_is_no_segment_is_found() -> None:
    """It belongs to nothing, and stays where it is."""
    raw = RAW.replace(b"A|ue", b"ue")
    message = parse_hprim(raw)
    assert message.findings == ["lines-without-segment"]
    assert message.to_bytes() == raw


def test_addenda_can_t_hide_a_segment_that_is_too_long() -> None:
    """Only documents and texts may be long."""
    more = b"A|" + b"~" * 200 + b"\r\n"
    raw = RAW.replace(b"OBR|1", more * 2000 + b"OBR|1")
    with pytest.raises(ParseError, match="more than 256 KB"):
        parse_hprim(raw)
    parse_hprim(RAW.replace(b"OBR|1", b"OBX|1\r\n" + more * 2000 + b"OBR|1"))


def test_no_header() -> None:
    """It is no HPRIM message."""
    with pytest.raises(ParseError):
        parse_hprim(b"P|1\r")


def test_a_part_is_a_file_of_its_own() -> None:
    """Its segments as they stand, lines cut at 220 characters, addenda rejoined when it is read."""
    message = parse_hprim(RAW, as_utf8=True)
    Path.parse("OBR-5").write(message, "y" * 300)
    part = message.part([0, 2])
    assert part.names == ["H", "OBR"]
    assert part.header.control_id == "F.HPR"
    assert max(map(len, part.to_bytes().split(b"\r\n"))) == 220
    Path.parse("OBR-5").write(part, "z")
    assert part.to_bytes().endswith(b"\r\nOBR|1|2~Clinique HP~L|04||z\r\n")
    assert Path.parse("OBR-5").first(message) == "y" * 300
