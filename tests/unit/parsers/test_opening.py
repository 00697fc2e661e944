"""The doors, by format."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers import header_of, open_message

XML = b"<?xml version='1.0'?><hp:evenementsPatients xmlns:hp='http://www.hprim.org/hprimXML' version='1.05'/>"
HL7, HPRIM = b"MSH|^~\\&|A|B|C|D|1||ADT^A01|7|P|2.5\r", b"H|~^\\&|X.HPR||LAB||ORU||||P|H2.2~C\r\n"


@pytest.mark.parametrize(
    ("raw", "format_", "kind", "control_id"),
    [
        (HL7, "auto", "ADT^A01", "7"),
        (HPRIM, "auto", "ORU", "X.HPR"),
        (HPRIM, "hprim-sante", "ORU", "X.HPR"),
        (b"any letter", "hprim-medecin", "", ""),
    ],
)
def test_headers(raw: bytes, format_: str, kind: str, control_id: str) -> None:
    """Each format's own header is read."""
    header = header_of(raw, format_)
    assert (header.type, header.control_id) == (kind, control_id)


@pytest.mark.parametrize(
    ("raw", "format_"), [(HL7, "hl7v2"), (HPRIM, "hprim-sante"), (b"1\r\nMARTIN\r\n****FIN****\r\n", "hprim-medecin")]
)
def test_messages(raw: bytes, format_: str) -> None:
    """Every format is read in the same terms."""
    assert open_message(raw).format == format_


def test_hprim_xml_is_named() -> None:
    """With its root element, and what to ask for instead."""
    for door in (header_of, open_message):
        with pytest.raises(ParseError, match=r"HPRIM XML \(evenementsPatients\).* HPRIM Santé or HL7"):
            door(XML)


def test_an_hprim_file_may_have_more_lines() -> None:
    """It holds several patients; an HL7 message doesn't."""
    with pytest.raises(ParseError, match="more than 20000 segments"):
        open_message(HL7 + b"NTE|1||a text of some length\r" * 20_000)
    assert open_message(HPRIM + b"C|1|P|a text of some length\r\n" * 20_000).format == "hprim-sante"


@pytest.mark.parametrize(
    ("raw", "format_"),
    [(b"{}", "auto"), (HPRIM, "hl7v2"), (HL7, "hprim-sante"), (b" ", "hprim-medecin"), (XML, "auto")],
)
def test_what_is_no_message_is_refused(raw: bytes, format_: str) -> None:
    """With a sentence."""
    with pytest.raises(ParseError, match=r"\w+ \w+ \w+"):
        open_message(raw, format_)


def test_an_empty_letter_is_refused() -> None:
    """Empty files are no letters."""
    with pytest.raises(ParseError, match="empty"):
        header_of(b" \r\n", "hprim-medecin")
