"""What follows the value of an identifier says who gave it; learnt once, and never with a value."""

from __future__ import annotations

import pytest

from engine.identity.spellings import KEPT, Spellings
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters
from tests.unit.identity.test_authorities import KNOWN


def spellings(site: str = "cha", untyped: str = "", expected: str = "") -> Spellings:
    return KNOWN.of(site, untyped).spellings(STANDARD, expected)


@pytest.mark.parametrize(
    ("repetition", "tail"),
    [
        (b"1^^^X&1.2.3.1&ISO^PI", b"^^^CHA&1.2.3.1&ISO^PI"),
        (b"1^^^X&1.2.3.1&ISO", b"^^^CHA&1.2.3.1&ISO^PI"),
        (b"1^7^M10^X&1.2.3.1&ISO^RI^A^20260101~", b"^7^M10^CHA&1.2.3.1&ISO^PI^A^20260101~"),
        (b"1^^^CHA^PI", b"^^^CHA^PI"),
        (b"1", b""),
    ],
)
def test_declared_form(repetition, tail):
    """CX-4 and CX-5 are completed, the rest stays; an unknown authority's end stays as received."""
    for _ in range(2):
        assert spellings().read(repetition, 0)[0] == b"1"
        assert spellings().read(repetition, 0)[1].tail == tail


def test_only_the_first_repetition_may_lack_its_authority():
    """The same end says one thing in the first repetition, another in a later one."""
    known = spellings(untyped="ipp")
    assert known.read(b"1", 0)[1].authority is not None
    assert known.read(b"1", 1)[1].authority is None
    assert known.read(b"2", 0)[1].authority is not None


def test_expected_type_is_part_of_the_field():
    """PID-18 and PID-3 read the same end apart."""
    assert spellings(expected="AN").read(b"1^^^X&1.2.3.2&L", 0)[1].authority is CHA_NDA
    assert spellings().read(b"1^^^X&1.2.3.2&L", 0)[1].authority is None


def test_delimiters_are_the_messages():
    """What was learnt with some delimiters isn't used with others; without components all is the value."""
    odd = KNOWN.of("cha").spellings(read_delimiters(b"MSH|^~\\$|"))
    assert odd.read(b"1^^^X$1.2.3.1$ISO^PI", 0)[1].tail == b"^^^CHA$1.2.3.1$ISO^PI"
    none = KNOWN.of("cha", "ipp").spellings(read_delimiters(b"MSH|~|"))
    assert none.component == b"~"
    assert [value for value, _ in none.identifiers(b"1^2")] == [b"1^2"]


def test_a_field_is_read_repetition_by_repetition():
    """In order, the same whether it was read before or not; another field isn't taken for it."""
    known = spellings()
    for field in (b"1^^^X&1.2.3.1&ISO^PI~2", b"1^^^X&1.2.3.1&ISO^PI~2", b"3", b"1^^^X&1.2.3.1&ISO^PI~2"):
        found = known.identifiers(field)
        assert [value for value, _ in found] == [part.partition(b"^")[0] for part in field.split(b"~")]
        assert b"~".join(value + spelling.received for value, spelling in found) == field


def test_memory_is_bounded_and_holds_no_value():
    """Ever new spellings don't fill the memory; a value, and an end as long as a text, are not kept."""
    known = Spellings(KNOWN.of("cha"), STANDARD, "")
    for number in range(KEPT + 10):
        known.read(b"123456^^^X%d^PI" % number, 1)
    known.read(b"1^^^" + b"X" * 300, 0)
    assert len(known._later) <= KEPT
    assert not known._first
    assert not any(b"123456" in tail for tail in known._later)


CHA_NDA = KNOWN.of("cha").names["nda"]
