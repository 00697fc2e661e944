"""Whom a decision parts, and under which numbers what waits of them is found."""

from __future__ import annotations

import pytest

from engine.core.identities import IdentifierKind, IdentifierRow, IdentityEvent, PatientRow
from engine.core.parting import parted_by

LOCAL, INS = IdentifierKind.LOCAL, IdentifierKind.INS
ONE, OTHER = PatientRow(1, "G1", (), (10, 11, 12)), PatientRow(2, "G2")


def row(key: int, patient: int, kind: IdentifierKind = LOCAL) -> IdentifierRow:
    return IdentifierRow(key, kind, "a|PI", str(key), patient)


@pytest.mark.parametrize(
    ("kind", "after", "patients", "found"),
    [
        (LOCAL, row(10, 2), {1: (ONE, ONE), 2: (None, OTHER)}, {10, 11, 12}),
        (LOCAL, None, {1: (ONE, None)}, {10, 11, 12}),
        (LOCAL, row(10, 2), {}, {10}),
        (LOCAL, row(10, 2), {1: (ONE, None), 2: (OTHER, OTHER)}, set()),
        (LOCAL, row(10, 1), {1: (ONE, ONE)}, set()),
        (INS, row(10, 2, INS), {1: (ONE, ONE)}, set()),
    ],
    ids=["goes to another", "is forgotten", "a patient who isn't touched", "he ends in the other", "stays", "an INS"],
)
def test_who_loses_a_number_is_found_under_all_of_his(kind, after, patients, found):
    """But for one who ends in another: there all his numbers lead to one person."""
    event = IdentityEvent("x", 1, 1, identifiers={10: (row(10, 1, kind), after)}, patients=patients)
    assert parted_by([event]) == found
