"""Made-up values: the same for the same, in the same shape."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.trials.fictive.guises import Guises, is_quantity, masked, words_of
from tests.unit.trials.fictive.conftest import REFERENCES

GUISES = Guises(REFERENCES, 60)


@given(st.from_regex(r"[0-9A-Za-z/ -]{1,20}", fullmatch=True))
def test_identifiers_keep_their_shape(value):
    """Digits for digits, letters for letters, the rest as it is; the same each time."""
    made = GUISES.of("id", value)
    assert [(one.isdigit(), one.isalpha(), one.isupper()) for one in made] == [
        (one.isdigit(), one.isalpha(), one.isupper()) for one in value
    ]
    assert made == Guises(REFERENCES, 3).of("id", value)


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("19840312", "19830117"),
        ("198403121015", "198301171015"),
        ("20260301101500.123+0100", "20250105101500.123+0100"),
        ("198403", "198301"),
        ("1984", "1982"),
        ("12/03/1984", "17/01/1983"),
        ("00000000", "00000000"),
        ("19841332", "99999999"),
        ("hier", "xxxx"),
        ("00010101", "99999999"),
    ],
)
def test_dates(value, made):
    """Sixty weeks back, to the precision that they have; what is none says nothing."""
    assert dt.date(1984, 3, 12) - dt.timedelta(weeks=60) == dt.date(1983, 1, 17)
    assert GUISES.of("date", value) == made


def test_names_are_written_as_the_real_ones():
    """Capitals, accents, several given names; none is the name of a patient who is known."""
    assert GUISES.of("family", "MARTINEAU").isupper()
    assert GUISES.of("family", "Martineau").istitle()
    assert GUISES.of("family", "MARTINEAU").isascii()
    assert len(GUISES.of("given", "Zoé Inès").split(" ")) >= 2
    strict = Guises(REFERENCES, 1)
    from engine.trials.fictive.people import FAMILIES

    for family in FAMILIES[:-1]:
        strict.learn(family)
    assert strict.of("family", "É") in ("LÊ", "X")
    strict.learn("D'ALMEIDA")
    assert not strict.tells("DR SMITH")
    assert strict.tells("chez Dubois")


@pytest.mark.parametrize(
    ("value", "made"),
    [("Vu à 3h, Mme D.", "Xx x 9x, Xxx X."), ("a\\.br\\b\\F\\c", "x\\.br\\x\\F\\x"), ("中文", "xx"), ("", "")],
)
def test_masked(value, made):
    """Letters and digits go, signs and escape sequences stay."""
    assert masked(value) == made


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("13.2", True), ("< 0,5", True), (">=3", True), ("-1", True), ("12345678", False), ("3 fois", False), ("", False)],
)
def test_quantities(text, quantity):
    """A measured number says nothing of whom it was measured; a long one may be somebody's."""
    assert is_quantity(text) is quantity


def test_words():
    """Words by which somebody could be known."""
    assert words_of("D'ÀLMEIDA le 12 1234 12345") == {"ALMEIDA", "12345"}
