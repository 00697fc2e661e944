"""Assigning authorities compared without declaration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity.hd import Hd, compare_hd, compare_identifiers, compare_types, read_hd
from engine.identity.verdicts import Verdict
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters

S, D, U = Verdict.SAME, Verdict.DIFFERENT, Verdict.UNKNOWN


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
    assert hd.complete == all(wanted)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("CPAGE&1.2.3.4&ISO", "OTHER&1.2.3.4&L", S),
        ("CPAGE&1.2.3.4&ISO", "CPAGE&1.2.3.5&ISO", D),
        ("A&350000121&M", "&350000121&M", S),
        ("A&350000121&M", "A&350000122&M", D),
        ("A&350000121&M", "A&350000121&N", U),
        ("A&350000121&M", "A&1.2.3.4&ISO", U),
        ("CPAGE", "CPAGE", U),
        ("CPAGE", "OTHER", U),
        ("", "A&1.2.3.4&ISO", U),
    ],
)
def test_compare(one, other, wanted):
    """Never by name alone; a legal entity and a place are two kinds of number."""
    assert compare_hd(read_hd(one.encode(), STANDARD), read_hd(other.encode(), STANDARD)) is wanted


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("1^^^A&1.2.3.4&ISO^PI", "1^^^B&1.2.3.4&ISO^PI", S),
        ("1^^^A&1.2.3.4&ISO^PI", "1^^^B&1.2.3.4&ISO^RI", S),
        ("1^^^A&1.2.3.4&ISO^PI", "2^^^B&1.2.3.4&ISO^PI", D),
        ("1^^^A&1.2.3.4&ISO^PI", "1^^^A&1.2.3.5&ISO^PI", D),
        ("1^^^A&1.2.3.4&ISO^AN", "1^^^A&1.2.3.4&ISO^VN", D),
        ("1^^^A&1.2.3.4&ISO", "1^^^A&1.2.3.4&ISO^PI", U),
        ("000003^^^A&1.2.3.4&ISO^PI", "3^^^A&1.2.3.4&ISO^PI", D),
        ("^^^A&1.2.3.4&ISO^PI", "1^^^A&1.2.3.4&ISO^PI", U),
        ("1", "1", U),
        ("1^^^CPAGE^PI", "1^^^CPAGE^PI", U),
    ],
)
def test_identifiers(one, other, wanted):
    """Values are opaque; stays and visits of one OID are two authorities."""
    assert compare_identifiers(one.encode(), other.encode(), STANDARD) is wanted
    assert compare_identifiers(other.encode(), one.encode(), STANDARD) is wanted


def test_types():
    """RI is written for PI."""
    assert compare_types(b"ri ", b"PI") is S
    assert compare_types(b"", b"PI") is U
    assert compare_types(b"PN", b"PI") is D


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_total_and_symmetric(one, other):
    """Any bytes have an answer, the same from both sides; a message may lack separators."""
    for marks in (STANDARD, read_delimiters(b"MSH|^|x")):
        hds = read_hd(one, marks), read_hd(other, marks)
        assert compare_hd(*hds) is compare_hd(*reversed(hds))
        assert compare_identifiers(one, other, marks) is compare_identifiers(other, one, marks)
