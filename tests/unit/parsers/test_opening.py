"""The doors, by format."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers import header_of, open_message

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


def test_messages() -> None:
    """HL7 and HPRIM Santé have fields."""
    assert open_message(HL7).format == "hl7v2"
    assert open_message(HPRIM).format == "hprim-sante"


@pytest.mark.parametrize(
    ("raw", "format_"), [(b"{}", "auto"), (HPRIM, "hl7v2"), (HL7, "hprim-sante"), (b"x", "hprim-medecin")]
)
def test_what_is_no_message_is_refused(raw: bytes, format_: str) -> None:
    """With a sentence."""
    with pytest.raises(ParseError, match=r"\w+ \w+ \w+"):
        open_message(raw, format_)


def test_an_empty_letter_is_refused() -> None:
    """Empty files are no letters."""
    with pytest.raises(ParseError, match="empty"):
        header_of(b" \r\n", "hprim-medecin")
