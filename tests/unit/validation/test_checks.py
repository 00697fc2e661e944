"""The judge of one field."""

from __future__ import annotations

import pytest

from engine.dictionary.dictionary import PAM_FR, dictionary_of
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters
from engine.validation.checks import Judge
from engine.validation.profile import Profile
from engine.validation.resolving import Resolver

FRENCH = Resolver(Profile(name="x"), dictionary_of("2.5", PAM_FR))


def told(segment: str, number: int, data: str, resolver: Resolver = FRENCH, marks=STANDARD, codec="utf-8") -> list[str]:
    """What is said of one field: rule and place inside it."""
    found: list[str] = []

    def tell(rule, severity, where, sentence) -> None:
        assert data.strip('"^&~') == "" or not any(len(part) > 2 and part in sentence for part in data.split("^"))
        place = f"[{where.repetition}]" if where.repeated else ""
        place += f".{where.component}" if where.component else ""
        place += f".{where.subcomponent}" if where.subcomponent else ""
        found.append(f"{rule} {place}".strip())

    shape = resolver.field(segment, resolver.fields(segment)[number - 1])
    Judge(marks, codec, tell).field(shape, data.encode(codec))
    return found


@pytest.mark.parametrize(
    ("segment", "number", "data", "found"),
    [
        ("PID", 8, "F", []), ("PID", 8, '""', []), ("PID", 8, "X", ["user-table"]),
        ("PID", 8, "FM", ["length", "user-table"]),
        ("PID", 8, "F~M", ["repeated"]), ("PID", 8, "F^x", ["extra-component"]),
        ("PID", 7, "19840230", ["type .1"]), ("PID", 7, '""', []), ("PID", 7, "20240229", []),
        ("PID", 3, "7^^^CPAGE^PI~^^^CPAGE^PI", ["required-component [2].1"]),
        ("PID", 3, "^^^", ["required"]), ("PID", 3, "~", ["required"]), ("PID", 3, '""', []),
        ("PID", 3, "7" * 16, ["length .1"]), ("PID", 3, "1&2^^^A", ["unescaped .1"]),
        ("PID", 3, "7^^^CPAGE&1.2&QQQ^PI", ["table .4.3"]), ("PID", 3, "7^^^A&1.2&ISO&x^PI", ["extra-component .4.4"]),
        ("PID", 4, "7^^^A", ["forbidden"]), ("ZFA", 4, "x", ["withdrawn"]),
        ("PID", 5, "A^B" + "^" * 12 + "x^y", ["extra-component .15"]),
        ("PID", 5, "A" * 251, ["length", "length .1", "length .1.1"]),
        ("ZBE", 4, "DELETE", ["table"]), ("ZBE", 2, "yesterday", ["type .1"]),
        ("PID", 16, "Z", ["user-table .1"]), ("PID", 16, "Z^local^L", []),
        ("PID", 16, "Z^x^HL70002", ["user-table .1"]),
        ("PID", 25, "x", ["type"]), ("PID", 11, "1&2&3&x", ["extra-component .1.4"]),
        ("PV1", 2, "I", []), ("PID", 23, "a^b", ["unescaped"]), ("PID", 23, "a\\S\\b", []),
    ],
)  # fmt: skip
def test_fields(segment, number, data, found):
    """Each kind of fault, where it is; never a value in a sentence."""
    assert told(segment, number, data) == found


def test_lengths_are_those_of_characters():
    """Not of bytes, not of escape sequences."""
    assert told("PID", 8, "é", Resolver(Profile(name="x"), dictionary_of("2.2"))) == ["table"]
    assert told("PID", 3, "é" * 15 + "^^^A^PI") == []
    assert told("PID", 23, "\\T\\" * 200) == []


def test_other_delimiters_and_charsets():
    """As the message has them."""
    marks = read_delimiters(b"MSH$%*\\@$A")
    assert told("PID", 3, "7%%%CPAGE@1.2@ISO%PI*8%%%X%PI", marks=marks) == []
    assert told("PID", 8, "é", marks=marks, codec="latin-1") == ["user-table"]
