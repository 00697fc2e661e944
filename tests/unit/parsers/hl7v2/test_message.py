"""A message: byte-exact, copied, edited."""

from __future__ import annotations

import pytest

from engine.core import splices
from engine.errors import ParseError
from engine.parsers import base_of
from engine.parsers.hl7v2.message import Message

RAW = b"MSH|^~\\&|A\r\nPID|1||x\r\n\r\nPV1|1\nZZZ|z"


def test_untouched_is_as_received() -> None:
    """The very bytes, with their ends and blank lines."""
    message = Message.parse(RAW)
    assert message.to_bytes() is RAW
    assert message.splices() == []
    assert message.names == ["MSH", "PID", "PV1", "ZZZ"]


def test_fields_of_every_segment_of_some_names() -> None:
    """Pair after pair, in order, edits included; b"" where a segment is shorter, nothing for an absent name."""
    message = Message.parse(b"MSH|^~\\&|A\rPID|1||x\rPID|2\rPV1|1\r")
    message.segments("PID")[0].set_field(1, b"9")
    assert message.fields(((b"PID", 3), (b"MRG", 1), (b"PID", 1))) == [b"x", b"", b"9", b"2"]


def test_the_first_segment_to_edit_is_the_message_s_own() -> None:
    """Its edits are seen in this message and in no copy."""
    message = Message.parse(b"MSH|^~\\&|A\rPID|1||x\rPID|2\r")
    copy = message.copy()
    first = message.own_head(b"PID")
    assert first is not None
    first.set_field(3, b"y")
    assert message.own_head(b"PID") is first
    assert (message.to_bytes().count(b"y"), copy.to_bytes().count(b"y"), message.own_head(b"ZZZ")) == (1, 0, None)


def test_a_regular_message_is_its_own_base() -> None:
    """Nothing is copied, the flag is 0."""
    raw = "MSH|^~\\&|A|||||||||||||||UNICODE UTF-8\rPID|é\r".encode()
    message = Message.parse(raw, as_utf8=True)
    assert message.base is raw
    assert message.base_flag == 0
    assert Message.parse(RAW, as_utf8=True).base == b"MSH|^~\\&|A\rPID|1||x\rPV1|1\rZZZ|z\r"


def test_edits_keep_what_is_around() -> None:
    """Ends and blank lines of the received bytes stay where nothing was touched."""
    message = Message.parse(RAW)
    message.segments("PID")[0].set_field(3, b"y")
    added = message.add_segment("NTE", "PID")
    added.set_field(1, b"n")
    message.add_segment("ZZ2")
    message.delete_segment(message.segments("PV1")[0])
    rendered, difference = message.render()
    assert rendered == b"MSH|^~\\&|A\r\nPID|1||y\r\n\r\nNTE|n\r\nZZZ|z\r\nZZ2"
    assert splices.apply(RAW, splices.pack(difference), base_of) == rendered


def test_copies_are_their_own() -> None:
    """In both directions, also for segments that were taken before."""
    original = Message.parse(RAW, as_utf8=True)
    taken = original.segments("PID")[0]
    taken.set_field(1, b"before")
    copy = original.copy()
    taken.set_field(2, b"original")
    copy.segments("PID")[0].set_field(2, b"copy")
    copy.add_segment("NTE")
    copy.findings.append("x")
    assert original.to_bytes() == b"MSH|^~\\&|A\rPID|before|original|x\rPV1|1\rZZZ|z\r"
    assert copy.to_bytes() == b"MSH|^~\\&|A\rPID|before|copy|x\rPV1|1\rZZZ|z\rNTE\r"
    assert original.findings == []
    assert (original.names[-1], copy.names[-1]) == ("ZZZ", "NTE")


@pytest.mark.parametrize(
    ("raw", "findings"),
    [
        (b"MSH|^~\\&|A\rPID|1\r", []),
        (b"MSH|^~\\&|A\rPID|\x00\r", ["control-character"]),
        (b"MSH|^~\\&|A\rPID|\x0b\r", ["control-character"]),
        (b"MSH$%~\\&$A\r", ["odd-delimiters"]),
        (b"MSH|^~\\&|A\rMSH|^~\\&|B\r", ["two-headers"]),
        (b"FHS|^~\\&\rMSH|^~\\&|B\r", ["batch"]),
        ("MSH|^~\\&|é\r".encode(), ["charset-undeclared"]),
    ],
)
def test_findings(raw: bytes, findings: list[str]) -> None:
    """What is odd is told, and the message taken."""
    assert Message.parse(raw, as_utf8=True).findings == findings
    assert Message.parse(raw).findings == findings


def test_codecs() -> None:
    """That of the bytes as they stand, and that in which they came."""
    raw = "MSH|^~\\&|é|||||||||||||||8859/15\r".encode("iso8859-15")
    message = Message.parse(raw, as_utf8=True)
    assert (message.codec, message.received_codec, message.base_flag) == ("utf-8", "iso8859-15", 4)
    assert Message.parse(raw).codec == "iso8859-15"


def test_header_and_absent_segments() -> None:
    """The header is as received; a foreign segment can't be taken out."""
    message = Message.parse(RAW)
    message.segments("MSH")[0].set_field(3, b"B")
    assert message.header.field(3) == b"A"
    assert message.first("NTE") is None
    assert message.segments("NTE") == []
    assert len(message.segments()) == 4
    with pytest.raises(ValueError, match="isn't one of this message"):
        message.delete_segment(Message.parse(RAW).segments("PID")[0])
    with pytest.raises(ParseError):
        Message.parse(b"PID|1")


def test_checkpoint_brings_everything_back():
    """Fields, added and removed segments; a segment taken before is still one of the message."""
    message = Message.parse(b"MSH|^~\\&|A\rPID|1||9\rPV1|1\rOBX|1\rOBX|2\r", as_utf8=True)
    pid = message.first("PID")
    assert pid is not None
    pid.set_field(5, b"X")
    before = message.to_bytes()
    undo = message.checkpoint()
    pid.set_field(5, b"Y")
    pid.set_field(6, b"Z")
    message.segments("OBX")[1].set_field(3, b"Q")
    message.delete_segment(message.segments("PV1")[0])
    message.add_segment("ZZZ", after=pid).set_field(1, b"1")
    undo()
    assert message.to_bytes() == before
    assert message.names == ["MSH", "PID", "PV1", "OBX", "OBX"]
    pid.set_field(7, b"V")
    assert b"PID|1||9||X||V\r" in message.to_bytes()
    undo()
    assert message.to_bytes() == before


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("as_utf8", [False, True])
def test_a_header_that_is_a_long_line_can_be_read_and_edited(end: bytes, as_utf8: bool) -> None:
    """Its fields are cut early, and its line is a place in the text: both must agree."""
    raw = b"MSH|^~\\&|A||||2026||ADT^A01|" + b"9" * 200_000 + b"|P|2.5" + end + b"PID|1" + end
    message = Message.parse(raw, as_utf8=as_utf8)
    segment = message.first("MSH")
    assert segment is not None
    assert segment.field(10) == b"9" * 200_000
    segment.set_field(10, b"7")
    assert b"|ADT^A01|7|P|2.5" in message.to_bytes()
