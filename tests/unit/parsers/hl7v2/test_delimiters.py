"""MSH-1 and MSH-2, whatever they are."""

from __future__ import annotations

import pytest

from engine.errors import ParseError
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters


@pytest.mark.parametrize(
    ("line", "roles", "odd"),
    [
        (b"MSH|^~\\&|", (b"^", b"~", b"\\", b"&", b""), False),
        (b"MSH|^~\\&#|", (b"^", b"~", b"\\", b"&", b"#"), False),
        (b"MSH$%*!@$", (b"%", b"*", b"!", b"@", b""), True),
        (b"MSH|^~|", (b"^", b"~", b"", b"", b""), True),
        (b"MSH|^~&|", (b"^", b"~", b"", b"&", b""), True),
        (b"MSH|^~\\|", (b"^", b"~", b"\\", b"", b""), True),
        (b"MSH|^|", (b"^", b"", b"", b"", b""), True),
        (b"MSH|^~\\\\&|", (b"^", b"~", b"\\", b"&", b""), False),
        ("MSH|^˜\\&|".encode(), (b"^", "˜".encode(), b"\\", b"&", b""), True),
        ("MSH|^˜\\&|".encode("cp1252"), (b"^", b"\x98", b"\\", b"&", b""), True),
        (b"MSH|^^\\&|", (b"^", b"", b"\\", b"&", b""), True),
        (b"MSH|^\x00\\&|", (b"^", b"", b"\\", b"&", b""), True),
        (b"MSH|^~y&|", (b"^", b"~", b"", b"&", b""), True),
        (b"MSH|^~\\&####|", (b"^", b"~", b"\\", b"&", b"#"), True),
        (b"MSH|^~\\&", (b"^", b"~", b"\\", b"&", b""), False),
    ],
)
def test_roles(line: bytes, roles: tuple[bytes, ...], odd: bool) -> None:
    """Absent, repeated, doubled, non-ASCII: each has its reading."""
    marks = read_delimiters(line)
    assert (marks.component, marks.repetition, marks.escape, marks.subcomponent, marks.truncation) == roles
    assert marks.odd is odd


@pytest.mark.parametrize(
    ("line", "location"),
    [
        (b"MSH", "MSH-1"),
        (b"MSHA^~\\&", "MSH-1"),
        (b"MSH ^~", "MSH-1"),
        (b"MSH\x00^~\\&", "MSH-1"),
        (b"MSH||A", "MSH-2"),
        (b"MSH|", "MSH-2"),
        (b"MSH|APP|FAC", "MSH-2"),
        (b"MSH|0000|", "MSH-2"),
        (b"MSH|\x00~\\&|", "MSH-2"),
    ],
)
def test_none(line: bytes, location: str) -> None:
    """Without delimiters there is no message; the place is told."""
    with pytest.raises(ParseError) as refused:
        read_delimiters(line)
    assert refused.value.location == location


def test_the_usual_ones_are_one_object() -> None:
    """So that a comparison by identity is enough."""
    assert read_delimiters(b"MSH|^~\\&|A") is STANDARD
    assert STANDARD.usual
    assert not read_delimiters(b"MSH|^~\\&#|A").usual


def test_splitting_without_a_delimiter() -> None:
    """What can't be split is one part."""
    marks = read_delimiters(b"MSH|^|")
    assert marks.repetitions(b"a~b") == [b"a~b"]
    assert marks.subcomponents(b"a&b") == [b"a&b"]
    assert marks.components(b"a^b") == [b"a", b"b"]


def test_hprim_counts_the_same_roles() -> None:
    """H-1: component, repetition, escape, subcomponent."""
    marks = read_delimiters(b"H|~^\\&|X", name_length=1)
    assert (marks.component, marks.repetition, marks.declared) == (b"~", b"^", b"~^\\&")


def test_a_character_is_never_cut() -> None:
    """Where H-1 or MSH-2 is longer than what is looked at, it ends with a whole character."""
    marks = read_delimiters(b"H|~^" + "û".encode() * 30, name_length=1)
    assert marks.escape == "û".encode()
    marks.declared.decode()
