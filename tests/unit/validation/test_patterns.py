"""What a pattern takes, the judge has nothing to say about; and it takes what is usual."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dictionary.dictionary import PAM_FR, dictionary_of
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.validation.checks import Judge
from engine.validation.patterns import Fits, fits
from engine.validation.profile import Profile
from engine.validation.resolving import Resolver
from engine.validation.shapes import Shape
from tests.support.steps import grows_with

RESOLVERS = [
    Resolver(Profile(name="x"), dictionary_of("2.5", PAM_FR)), Resolver(Profile(name="x"), dictionary_of("2.3")),
    Resolver(Profile(name="x"), dictionary_of("2.8.2")),
]  # fmt: skip
SEGMENTS = ("MSH", "PID", "PV1", "OBX", "OBR", "ZBE", "ZFV", "NK1", "IN1", "MRG", "ORC", "TXA")
ALPHABET = st.sampled_from(
    ["^", "&", "~", "\\", "\\T\\", '""', "0", "1", "2026", "0229", "20260301", "1015", "-", ".", "A", "M", "F", "PI",
     "ISO", "L", "é", " ", "x" * 30, "HL7", "0001", "Y", "I"]
)  # fmt: skip


def findings(shape: Shape, data: bytes) -> list[tuple[str, str]]:
    """What the judge says."""
    told: list[tuple[str, str]] = []
    Judge(STANDARD, "utf-8", lambda rule, severity, where, sentence: told.append((rule, sentence))).field(shape, data)
    return told


@cache
def field_of(resolver: Resolver, segment: str, number: int) -> tuple[Shape, Fits] | None:
    """The shape of a field and its pattern; compiled once, not for each example."""
    parts = resolver.fields(segment)
    if not parts:
        return None
    shape = resolver.field(segment, parts[number % len(parts)])
    return shape, fits(shape)


@settings(max_examples=300, deadline=None)
@given(
    resolver=st.sampled_from(RESOLVERS), segment=st.sampled_from(SEGMENTS), number=st.integers(0, 80),
    data=st.lists(ALPHABET, min_size=1, max_size=12),
)  # fmt: skip
def test_what_a_pattern_takes_has_no_finding(resolver, segment, number, data):
    """A pattern may be narrower than the rule, never wider."""
    known = field_of(resolver, segment, number)
    text = "".join(data).encode()
    if known is not None and known[1](text):
        assert findings(known[0], text) == []


@pytest.mark.parametrize(
    ("segment", "number", "data"),
    [
        ("PID", 3, "900099044638^^^CPAGE&1.2.250.1.211.10.200.2&ISO^PI~AR4638^^^ARCHIVES^MR"),
        ("PID", 5, "MÜLLER^Zoé^Zoé Inès^^MME^^L~PETIT^Zoé^^^MME^^D"),
        ("PID", 7, "19840312000000"), ("PID", 8, "F"), ("PID", 8, '""'),
        ("PID", 11, "3 RUE \\T\\ FILS^^ARVIGNY^^01000^FRA^H~^^LYON^69^69383^FRA^BDL^^69383"),
        ("PID", 13, "^PRN^PH^^^^^^^^^0400000000"), ("PID", 16, "M"), ("PID", 32, "PROV"),
        ("PV1", 3, "1010^102^1^&000780064&N"), ("PV1", 7, "1^PETIT^Anne^^^DR^^^ASIP&1.2.250.1.71.4.2.1&ISO^L^^^RPPS"),
        ("ZBE", 1, "12540626^CPAGE^1.2.250.1.211.12.1.2^ISO"), ("ZBE", 4, "INSERT"), ("ZBE", 2, "20260301101500"),
        ("ZBE", 7, "MED^^^^^CPAGE&1.2.3&ISO^UF^^^1010"), ("MSH", 9, "ADT^A01^ADT_A01"), ("MSH", 12, "2.5^FRA^2.11"),
        ("OBR", 4, "NFS^Numération^L"), ("PID", 5, "A^B^^^^^^^^^^"),
    ],
)  # fmt: skip
def test_what_is_usual_is_taken_at_once(segment, number, data):
    """Else every message would pay for the judge."""
    resolver = RESOLVERS[0]
    shape = resolver.field(segment, resolver.fields(segment)[number - 1])
    assert fits(shape)(data.encode()), data
    assert findings(shape, data.encode()) == []


@pytest.mark.parametrize(("piece", "end"), [(b"^", b""), (b"~", b""), (b"A" * 10, b""), (b"A^", b""), (b"&", b""),
                                            (b"A~", b"^^^&&"), (b"1" * 5, b"^x")])  # fmt: skip
def test_no_field_takes_long(piece, end):
    """Time grows with the length of the field, whatever stands in it."""
    resolver = RESOLVERS[0]
    judges = [
        fits(resolver.field(segment, resolver.fields(segment)[number - 1]))
        for segment, number in (("PID", 3), ("PID", 5), ("PID", 7), ("PID", 8), ("PV1", 7), ("ZBE", 9))
    ]

    def judging(count: int) -> Callable[[], object]:
        data = piece * count + end
        return lambda: [judge(data) for judge in judges]

    grows_with(judging, 10_000)


def test_codes_that_begin_alike():
    """Exactly those, none of their beginnings."""
    shape = Shape(type="ID", codes=["A", "AB", "ABC", "AD", "B.", "X*"])
    for code in ("A", "AB", "ABC", "AD", "B.", "X*", '""'):
        assert fits(shape)(code.encode())
    for other in ("", "ABCD", "a", "B", "BX", "X", "XX"):
        assert not fits(shape)(other.encode())


def test_a_length_beyond_what_a_pattern_can_count():
    """Is left to the judge."""
    shape = Shape(type="TX", length=100_000)
    assert not fits(shape)(b"x")
    assert findings(shape, b"x" * 100_000) == []
    assert findings(shape, b"x" * 100_001) == [("length", "it has more than 100000 characters")]
