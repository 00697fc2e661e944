"""Assigning authorities as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity.hd import Hd, read_hd
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters


@pytest.mark.parametrize(
    ("data", "wanted", "oid", "finess"),
    [
        ("CPAGE&1.2.250.1.211.10&ISO", Hd("CPAGE", "1.2.250.1.211.10", "ISO"), "1.2.250.1.211.10", ""),
        ("CPAGE&1.2.250.1.211.12.1.2&L", Hd("CPAGE", "1.2.250.1.211.12.1.2", "L"), "1.2.250.1.211.12.1.2", ""),
        ("&350000121&M", Hd("", "350000121", "M"), "", "350000121"),
        ("350000121&&N", Hd("", "350000121", "N"), "", "350000121"),
        ("urn:oid:1.2.3.4", Hd("", "1.2.3.4", ""), "1.2.3.4", ""),
        ("CHU-X", Hd("CHU-X", "", ""), "", ""),
        (" ASIP- PS & 1.2.250.1.71.4 & iso ", Hd("ASIP- PS", "1.2.250.1.71.4", "ISO"), "1.2.250.1.71.4", ""),
        ("X&&1.2.3.4", Hd("X", "1.2.3.4", ""), "1.2.3.4", ""),
        ("X&35000012&L", Hd("X", "35000012", "L"), "", ""),
        ("", Hd("", "", ""), "", ""),
    ],
)  # fmt: skip
def test_read(data, wanted, oid, finess):
    """OID and FINESS wherever senders put them."""
    hd = read_hd(data.encode(), STANDARD)
    assert (hd, hd.oid, hd.finess) == (wanted, oid, finess)


@given(st.binary(max_size=40))
def test_any_bytes_have_an_answer(data):
    """A message may lack separators; what is read has no blanks around it."""
    for marks in (STANDARD, read_delimiters(b"MSH|^|x")):
        assert all(part == part.strip() for part in read_hd(data, marks))
