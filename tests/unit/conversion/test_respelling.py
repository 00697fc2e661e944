"""The same meaning in other delimiters."""

from __future__ import annotations

import pytest

from engine.conversion.respelling import NORM, Respelling, to_standard
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hprim.header import header_delimiters


@pytest.mark.parametrize(
    ("declared", "line", "fields"),
    [
        ("~^\\&", b"P|1|a~b^c&d", [b"P", b"1", b"a^b~c&d"]),
        ("~^\\&", b"P|\\S\\ is ~|\\R\\ is ^", [b"P", b"\\R\\ is ^", b"\\S\\ is ~"]),
        ("^~\\&", b"P|a^b~c\\T\\", [b"P", b"a^b~c\\T\\"]),
        ("\\^&~", b"P|a\\b^c~d|&F&&E&", [b"P", b"a^b~c&d", b"\\F\\\\T\\"]),
        ("^~&", b"P|a^b\\c&d", [b"P", b"a^b\\E\\c&d"]),
    ],
)
def test_to_hl7_s_delimiters(declared: str, line: bytes, fields: list[bytes]) -> None:
    """Structure and escapes, whatever the sender uses."""
    marks = header_delimiters(f"H|{declared}|".encode(), 0)
    assert to_standard(marks).fields(line) == fields


def test_to_the_norm_s() -> None:
    """And the other way."""
    assert Respelling(STANDARD, NORM).fields(b"P|a^b~c") == [b"P", b"a~b^c"]
    assert Respelling(STANDARD, NORM).field(b"a\\R\\^b") == b"a\\S\\~b"
