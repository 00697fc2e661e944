"""The numbers of kinds and states are in databases: none may change."""

from __future__ import annotations

from engine.core.identities import IdentifierKind, IdentityEvent, ReviewState


def test_stored_numbers() -> None:
    kinds = {"LOCAL": 0, "FEDERATION": 1, "INS": 2, "STAY": 3, "ALIAS": 4}
    assert {one.name: one.value for one in IdentifierKind} == kinds
    assert {one.name: one.value for one in ReviewState} == {"OPEN": 0, "LINKED": 1, "APART": 2}


def test_events_share_no_rows() -> None:
    one, other = IdentityEvent("mint", 1, 0), IdentityEvent("mint", 2, 0)
    one.patients[1] = (None, None)
    assert other.patients == {}
