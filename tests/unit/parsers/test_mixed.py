"""UTF-8 in which some bytes are broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parsers.mixed import CODEC, is_broken, is_mixed


@pytest.mark.parametrize(
    ("raw", "fallback", "mixed"),
    [
        ("HÉLÈNE".encode() + b"|tronqu\xc3", "cp1252", True),
        ("é".encode() + "|sévérité".encode("latin-1"), "latin-1", True),
        ("l’".encode() + b"|\xe2\x80", "cp1252", True),
        ("sévérité".encode("latin-1"), "cp1252", False),
        ("ANDRÉ\xa0: né".encode("cp1252"), "cp1252", False),
        ("« été\xa0» l’âge".encode("cp1252"), "cp1252", False),
        ("УМКА".encode("iso8859-5"), "iso8859-5", False),
        ("ΑΛΕΞΑΝΔΡΟΣ ΠΑΠΑΔΟΠΟΥΛΟΣ".encode() + b"|\xce", "iso8859-7", True),
        ("é".encode() + b"\xe9" * 200_000, "cp1252", False),
    ],
)
def test_which_bytes_are_mixed(raw: bytes, fallback: str, mixed: bool) -> None:
    """One pair that Western text hasn't is enough, others may be there by chance; what is hardly text isn't."""
    assert is_mixed(raw, fallback) is mixed


@given(st.lists(st.one_of(st.text(max_size=5).map(str.encode), st.binary(max_size=4)), max_size=6))
def test_parts_are_read_as_the_whole_is(parts: list[bytes]) -> None:
    """So a field has the same characters in the message and alone; what is valid is read as it stands."""
    assert b"|".join(parts).decode(CODEC) == "|".join(part.decode(CODEC) for part in parts)
    for part in parts:
        if not is_broken(part):
            assert part.decode(CODEC) == part.decode()


def test_what_is_written_is_utf_8() -> None:
    """A step writes no broken byte."""
    assert "é’ and €".encode(CODEC) == "é’ and €".encode()
    assert b"\x81\xe9".decode(CODEC) == "\x81é"
