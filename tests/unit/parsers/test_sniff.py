"""Formats are told from content."""

from __future__ import annotations

import pytest

from engine.parsers import sniff
from engine.parsers.sniff import find_hprim

LETTER = b"123\rDUPONT\rJEAN\r1 rue\r\r75000 PARIS\r01/02/1980\r1800275000000 12\r\r03/04/2026\rLAB\rDOC\rBonjour\r"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"MSH|^~\\&|A\r", "hl7v2"),
        (b"\xef\xbb\xbf\r\n  MSH|^~\\&|A\r", "hl7v2"),
        (b"MSH$%~\\&$A\r", "hl7v2"),
        (b"FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|A\r", "hl7v2"),
        (b"H|~^\\&|X.HPR||LAB\r\nP|1|\r\n", "hprim-sante"),
        (b"garbage\r\nH|~^\\&|X.HPR||LAB\r\nP|1|\r\n", "hprim-sante"),
        (b"H|\\^&~|X|\r", "hprim-sante"),
        (LETTER, "hprim-medecin"),
        (b"DUPONT\r\n****LAB****\r\n****fin****\r\n", "hprim-medecin"),
        (b"DUPONT\r  ***Fin***\r", "hprim-medecin"),
        (b"solabio\r" + LETTER, "hprim-medecin"),
        (b"Hotel Dieu\r\n\x02garbage\r\n  H|~^\\&|X.HPR||LAB\r\n", "hprim-sante"),
        (b"<?xml version='1.0'?><evenementsPatients xmlns='http://www.hprim.org/hprimXML'/>", "hprim-xml"),
        (b"<html/>", "unknown"),
        (b"{}", "unknown"),
        (b"MSHX|", "unknown"),
        (b"", "unknown"),
    ],
)
def test_formats(raw: bytes, expected: str) -> None:
    """Whatever the name of the file or the port."""
    assert sniff(raw) == expected


def test_the_header_s_place() -> None:
    """Behind garbage, blanks and a byte order mark; a line that only begins with H is none."""
    assert find_hprim(b"\xef\xbb\xbf \r\nH|~^\\&|X|") == 6
    assert find_hprim(b"H\xe9 l\xe9 l\xe9\r\nHB|1|2\r\n H|~^\\&|X|") == 19
    assert find_hprim(b"MSH|^~\\&|") == -1
