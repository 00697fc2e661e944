"""HPRIM Santé by position."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers.hprim.message import parse_hprim
from engine.parsers.paths import Path

RAW = "H|~^\\&|F.HPR||LAB||ORU||||P|H2.2~C\r\nP|1|77~~FU|L9||DÜRAND~Zoé\r\nOBR|1\r\nA|2\r\nL|1\r\n".encode("cp1252")


def test_fields() -> None:
    """In UTF-8 for routes, byte-exact otherwise; an addendum is a segment of its own."""
    message = parse_hprim(RAW, as_utf8=True)
    assert message.names == ["H", "P", "OBR", "A", "L"]
    assert message.format == message.header.format == "hprim-sante"
    assert Path.parse("P-5.2").read(message) == ["Zoé"]
    assert Path.parse("P-2.3").read(message) == ["FU"]
    assert message.findings == []
    assert parse_hprim(RAW).to_bytes() is RAW


def test_another_charset_than_the_source_s_is_found() -> None:
    """HPRIM declares none: the source does."""
    assert parse_hprim(RAW.decode("cp1252").encode(), as_utf8=True).findings == ["charset-mismatch"]


def test_no_header() -> None:
    """It is no HPRIM message."""
    with pytest.raises(ParseError):
        parse_hprim(b"P|1\r")
