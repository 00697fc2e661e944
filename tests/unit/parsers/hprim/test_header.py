"""The H segment."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers.hprim.header import read_hprim_header

RAW = b"H|~^\\&|LAB001.HPR||100~LABO||ORU~x|||200~CH||T|H2.3~L|20260101\r\nP|1|\r\n"


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b"some garbage\r\n", b" "])
def test_header(before: bytes) -> None:
    """H-2 is the control id, H-6 the type, H-11 the processing id, H-12 the version; garbage is passed over."""
    header = read_hprim_header(before + RAW)
    assert (header.format, header.control_id, header.type) == ("hprim-sante", "LAB001.HPR", "ORU")
    assert (header.processing, header.version, header.charset) == ("T", "H2.3", "")
    assert (header.field(4), header.field(9)) == (b"100~LABO", b"200~CH")
    assert header.accept_ack == header.application_ack == ""


@pytest.mark.parametrize(("declared", "version"), [(b"^~\\&", b"H2.2^C"), (b"\\^&~", b"H2.0\\C"), (b"^~&", b"H2.1^C")])
def test_delimiters_are_read(declared: bytes, version: bytes) -> None:
    """Never assumed."""
    header = read_hprim_header(b"H|" + declared + b"|F|||||||||P|" + version)
    assert header.version == version[:4].decode()


@pytest.mark.parametrize("raw", [b"", b"P|1|\r", b"HELLO\r", b"H||\r", b"H\r"])
def test_what_has_no_header(raw: bytes) -> None:
    """Is refused, with a place."""
    with pytest.raises(ParseError) as refused:
        read_hprim_header(raw)
    assert refused.value.location.startswith("H")
