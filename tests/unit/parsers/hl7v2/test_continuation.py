"""ADD segments."""

from __future__ import annotations

import pytest

from engine.core import splices
from engine.parsers import base_of
from engine.parsers.hl7v2.continuation import rejoin
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from tests.support.sizes import all_is_large

HEAD = b"MSH|^~\\&|A|||||||||||@|||||UNICODE UTF-8\r"
LINES = [b"OBX|1|FT|x||first pie", b"ADD|ce^sec", b"ADD|ond||mg|", b"NTE|1", b"ADD|", b"ADD", b"OBX|2"]


def message(*lines: bytes, pointer: bytes = b"", end: bytes = b"\r") -> Message:
    raw = (HEAD.replace(b"@", pointer) + b"".join(line + b"\r" for line in lines)).replace(b"\r", end)
    return Message.parse(raw)


@pytest.mark.parametrize("large", [False, True])
def test_segments_are_rejoined(large: bool) -> None:
    """Mid-word, mid-component, with separators inside; ADD is no segment of its own."""
    if large:
        with all_is_large():
            received = message(*LINES)
    else:
        received = message(*LINES)
    assert received.names == ["MSH", "OBX", "NTE", "OBX"]
    first = received.segments("OBX")[0]
    assert (first.field(5), first.field(7), first.count) == (b"first piece^second", b"mg", 8)
    assert Path.parse("OBX-5.2").first(received) == "second"
    assert received.to_bytes() == HEAD.replace(b"@", b"") + b"".join(line + b"\r" for line in LINES)


@pytest.mark.parametrize(
    ("number", "data", "changed"),
    [
        (1, b"9", b"OBX|9|FT|x||first pie\rADD|ce^sec\rADD|ond||mg|\r"),
        (3, b"", b"OBX|1|FT|||first pie\rADD|ce^sec\rADD|ond||mg|\r"),
        (5, b"new", b"OBX|1|FT|x||new||mg|\r"),
        (7, b"ml", b"OBX|1|FT|x||first pie\rADD|ce^sec\rADD|ond||ml|\r"),
        (6, b"f", b"OBX|1|FT|x||first pie\rADD|ce^sec\rADD|ond|f|mg|\r"),
        (8, b"N", b"OBX|1|FT|x||first pie\rADD|ce^sec\rADD|ond||mg|N\r"),
        (10, b"N", b"OBX|1|FT|x||first pie\rADD|ce^sec\rADD|ond||mg|||N\r"),
    ],
)
@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
def test_edits_leave_other_cuts(number: int, data: bytes, changed: bytes, end: bytes) -> None:
    """Only where a field is cut does its new value join the pieces."""
    for as_utf8 in (False, True):
        raw = (HEAD.replace(b"@", b"") + b"".join(line + b"\r" for line in LINES)).replace(b"\r", end)
        received = Message.parse(raw, as_utf8=as_utf8).copy()
        received.segments("OBX")[0].set_field(number, data)
        rest = HEAD.replace(b"@", b"") + changed + b"".join(line + b"\r" for line in LINES[3:])
        rendered, difference = received.render()
        assert rendered == (rest if as_utf8 else rest.replace(b"\r", end))
        assert splices.apply(raw, splices.pack(difference, received.base_flag), base_of) == rendered
        assert Message.parse(rendered).segments("OBX")[0].field(number) == data


@pytest.mark.parametrize("padding", [b"", b"\x00\x00", b" \t"])
def test_padding_before_add_belongs_to_no_value(padding: bytes) -> None:
    """Nor are letters of ADD taken for the rest of the value."""
    received = message(b"OBX|1|TX|a||pie", padding + b"ADD|ce|mg")
    assert Path.parse("OBX-5").first(received) == "piece"
    assert Path.parse("OBX-5").write(received, "whole") == 1
    assert received.to_bytes() == HEAD.replace(b"@", b"") + b"OBX|1|TX|a||whole|mg\r"


def test_segments_come_and_go_with_their_pieces() -> None:
    """A deleted segment takes its ADD along; an added one stands behind all pieces."""
    received = message(*LINES)
    received.delete_segment(received.segments("OBX")[0])
    received.add_segment("ZZZ", "NTE")
    assert received.to_bytes() == HEAD.replace(b"@", b"") + b"NTE|1\rADD|\rADD\rZZZ\rOBX|2\r"


def test_what_is_never_continued() -> None:
    """The header keeps its line; an ADD that continues another message stays."""
    assert message(b"ADD|x", b"PID|1").names == ["MSH", "ADD", "PID"]
    assert message(b"ADD|x", b"PID|1", b"ADD||2", pointer=b"P").names == ["MSH", "ADD", "PID"]
    assert message(b"MSA|AA|1", b"ADD|x", pointer=b"P").names == ["MSH", "MSA", "ADD"]
    assert message(b"QRD|1", b"ADD|x", pointer=b"P").names == ["MSH", "QRD", "ADD"]
    assert message(b"QRD|1", b"ADD|x").names == ["MSH", "QRD"]


def test_odd_delimiters_are_normalised_without_pieces() -> None:
    """A rewritten message has no cuts."""
    received = Message.parse(b"MSH$%~\\&$A\rOBX$1$a\rADD$%b\r", as_utf8=True)
    received.normalise_delimiters()
    assert received.to_bytes() == b"MSH|^~\\&|A\rOBX|1|a^b\r"


def test_pieces() -> None:
    """Lines in, segments out, with the places of their pieces."""
    lines, joints = rejoin([b"MSH|x", b"OBX|1", b"ADD|2", b"PID"], [0, 6, 12, 18], b"|", continuing=False)
    assert lines == [b"MSH|x", b"OBX|12", b"PID"]
    assert joints.begins == [0, 6, 18]
