"""What intake reads."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers.hl7v2.header import Header, read_header

RAW = (
    b"MSH|^~\\&|GAM|CHA|DPI|GHT|20260101||ADT^A01^ADT_A01|42|P^T|2.5^FRA^2.11|||AL|NE|FRA"
    b"|8859/1~UNICODE UTF-8|FR\rPID|1\r"
)


def test_all_fields() -> None:
    """Codes as text, parties as bytes."""
    header = read_header(RAW)
    assert (header.type, header.control_id, header.version, header.processing) == ("ADT^A01", "42", "2.5", "P")
    assert [header.field(number) for number in (3, 4, 5, 6)] == [b"GAM", b"CHA", b"DPI", b"GHT"]
    assert (header.accept_ack, header.application_ack) == ("AL", "NE")
    assert header.charset == "8859/1~UNICODE UTF-8"
    assert header.field(1) == b"|"
    assert header.field(99) == b""


@pytest.mark.parametrize(
    ("raw", "kind", "control_id"),
    [
        (b"MSH|^~\\&|A", "", ""),
        (b"MSH|^~\\&", "", ""),
        (b"MSH|^~\\&|||||||ACK|7", "ACK", "7"),
        (b"MSH|^~\\&|||||||^|7", "", "7"),
        (b"MSH|^~\\&|||||||ADT^A01\nPID|", "ADT^A01", ""),
        (b"\xef\xbb\xbf\r\n MSH|^~\\&|||||||ADT^A01|7\r\n", "ADT^A01", "7"),
        (b"FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|||||||ADT^A01|7\rBTS|1\r", "ADT^A01", "7"),
        (b"MSH$%~\\&$$$$$$$ADT%A01$7", "ADT^A01", "7"),
        (b"MSH|^~\\&|||||||" + b"X" * 50 + b"|7", "", "7"),
        ("MSH|^~\\&|||||||ADÉ|é7".encode(), "", "é7"),
        ("MSH|^~\\&|||||||ADT|é7".encode("latin-1"), "ADT", "é7"),
        (b"MSH|^~\\&|||||||ADT| 7 |P", "ADT", "7"),
    ],
)
def test_short_and_odd_headers_are_read(raw: bytes, kind: str, control_id: str) -> None:
    """What is missing is empty; what isn't printable ASCII is no type."""
    header = read_header(raw)
    assert (header.type, header.control_id) == (kind, control_id)


def test_the_charset_is_read_with_the_sender_s_repetition() -> None:
    """Repetitions come separated by `~`."""
    raw = RAW.replace(b"~", b"*").replace(b"|", b"$")
    assert read_header(raw).charset == "8859/1~UNICODE UTF-8"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\r\n", "empty"),
        (b"PID|1", "no MSH"),
        (b"junk\rMSH|^~\\&|", "stands before it"),
        (b"<a/>", "XML"),
        (b"{}", "JSON"),
        (b"H|~^\\&|", "HPRIM"),
        ("MSH|^~\\&|".encode("utf-16"), "UTF-16"),
        (b"FHS|^~\\&\rFTS|0", "batch holds no message"),
        (b"MSH", "nothing separates"),
        (b"MSH||", "no delimiters"),
    ],
)
def test_refusals_say_what_was_found(raw: bytes, words: str) -> None:
    """A sentence for the sender, and a place."""
    with pytest.raises(ParseError, match=words) as refused:
        read_header(raw)
    assert refused.value.location.startswith("MSH")
    assert refused.value.error_code in {100, 101, 102}


def test_only_the_first_line_is_looked_at() -> None:
    """A large message costs no more than a small one: its fields are those of MSH alone."""
    header = read_header(b"MSH|^~\\&|A\rOBX|1|ED|" + b"x" * 1_000_000)
    assert header.fields == [b"MSH", b"|", b"^~\\&", b"A"]


def test_absent() -> None:
    """A header for answers to what has none."""
    header = Header.absent()
    assert (header.type, header.control_id, header.charset, header.accept_ack) == ("", "", "", "")
