"""The INS: whose number, which form, which key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity.ins import InsKind, authority_of, matricule_fault, matricule_key, read_ins
from engine.parsers.hl7v2.delimiters import STANDARD, read_delimiters

ARC = "1.2.250.1.213.1.4."
NIR = "260058815400233"


@pytest.mark.parametrize(
    ("oid", "kind", "test", "obsolete"),
    [
        (f"{ARC}8", InsKind.NIR, False, False),
        (f"{ARC}9", InsKind.NIA, False, False),
        (f"{ARC}10", InsKind.NIR, True, False),
        (f"{ARC}11", InsKind.NIR, True, False),
        (f"{ARC}2", InsKind.INS_C, False, True),
        (f"{ARC}6", InsKind.INS_C, True, True),
        (f"{ARC}7", InsKind.INS_C, True, True),
        (f"{ARC}80", InsKind.OTHER, False, True),
    ],
)
def test_authorities(oid, kind, test, obsolete):
    """By the whole OID: .8 isn't .80."""
    one = authority_of(oid)
    assert (one.oid, one.kind, one.test, one.obsolete) == (oid, kind, test, obsolete)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("2790351215189", 89),
        ("2760375106693", 26),
        ("2600588154002", 33),
        ("190012A111222", 97 - 1900119111222 % 97),
        ("190012B111222", 97 - 1900118111222 % 97),
        ("190012C111222", None),
        ("2A00588154002", None),
        ("260058815400", None),
        ("26005881540022", None),
        ("２600588154002", None),
        ("", None),
    ],
)
def test_key(number, key):
    """97 minus the number modulo 97; Corsica counts as 19 and 18."""
    assert matricule_key(number) == key


@pytest.mark.parametrize(
    ("matricule", "fault"),
    [
        (NIR, ""),
        ("260058815400244", "ins-key"),
        ("276037510669380", "ins-key"),
        ("2600588154002", "ins-form"),
        ("2600588154002AB", "ins-form"),
        (f"{NIR} ", "ins-form"),
        ("", "ins-form"),
    ],
)
def test_fault(matricule, fault):
    """The wrong keys of official samples are told, not refused."""
    assert matricule_fault(matricule) == fault


@given(st.text(alphabet="0123456789", min_size=13, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_a_typing_error_in_one_digit_is_found(number, place, shift):
    """The key tells any one wrong digit."""
    right = number + f"{matricule_key(number):02d}"
    assert matricule_fault(right) == ""
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert matricule_fault(wrong) == "ins-key"


@given(st.text(max_size=20))
def test_total(text):
    """Any text has an answer."""
    assert matricule_fault(text) in ("", "ins-form", "ins-key")


@pytest.mark.parametrize(
    ("repetition", "value", "oid", "type_", "remarks"),
    [
        (f"{NIR}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS", NIR, "8", "INS", []),
        (f"{NIR}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS^^20101207", NIR, "8", "INS", []),
        (f"{NIR}^^^ASIP-SANTE-NIR&1.2.250.1.213.1.4.8&ISO^NH", NIR, "8", "NH", ["ins-type"]),
        (f"{NIR}^^^&1.2.250.1.213.1.4.9&ISO^INS-NIA", NIR, "9", "INS-NIA", ["ins-type"]),
        ("260058815400244^^^1.2.250.1.213.1.4.10", "260058815400244", "10", "", ["ins-key", "ins-type"]),
        ('""^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS', '""', "8", "INS", []),
        ("12345678901234567890^^^INS-C&1.2.250.1.213.1.4.2&ISO^INS-C", "12345678901234567890", "2", "INS-C", []),
        (f"{NIR}^INS-NIR^20240101^^^1.2.250.1.213.1.4.8", NIR, "8", "INS-NIR", ["ins-type"]),
    ],
)  # fmt: skip
def test_read(repetition, value, oid, type_, remarks):
    """By OID, wherever it stands; HPRIM's P-11 has its type second."""
    one = read_ins(repetition.encode(), STANDARD)
    assert one is not None
    assert (one.value, one.authority.oid, one.type, one.remarks()) == (value, ARC + oid, type_, remarks)
    assert one.deleted == (value == '""')


@pytest.mark.parametrize("repetition", [f"{NIR}^^^ASIP-SANTE-INS-NIR^INS", "1^^^X&1.2.250.1.213&ISO^PI", ""])
def test_no_ins(repetition):
    """A name or a type alone makes no INS."""
    assert read_ins(repetition.encode(), STANDARD) is None


def test_hprim():
    """In the delimiters of the message."""
    marks = read_delimiters(b"H|~^\\&|x", 1)
    one = read_ins(f"{NIR}~INS-NIR~20240101~~~1.2.250.1.213.1.4.8".encode(), marks)
    assert one is not None
    assert (one.value, one.type) == (NIR, "INS-NIR")
