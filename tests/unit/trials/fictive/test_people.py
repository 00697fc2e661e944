"""People and numbers that don't exist."""

from __future__ import annotations

import datetime as dt

from engine.identity.ins import INS_AUTHORITIES
from engine.trials.fictive.people import FAMILIES, TEST_INS_OID, TOWNS, synthetic_ins, with_key


def test_insurance_numbers_are_nobodys():
    """First digit 5, true key, under the OID for tests."""
    number = synthetic_ins(dt.date(1985, 7, 12), "01999", 1)
    assert number == f"5850701999001{97 - 5850701999001 % 97:02d}"
    assert with_key(number[:13]) == number
    assert INS_AUTHORITIES[TEST_INS_OID].test


def test_names_stand_once():
    """And towns have codes that no town has."""
    assert len(set(FAMILIES)) == len(FAMILIES)
    assert all(code.startswith("0199") for _, _, code in TOWNS)
