"""The door to the rules."""

from __future__ import annotations

from engine.core.identities import IdentifierKind, IdentifierRow, IdentityEvent
from engine.identity.deciding.decision import stay_patients
from engine.identity.decisions import references_of, territorial, touched
from tests.support.identity import REFERENCES, Group, ipp, message, nda, pid


def row(key: int, patient: int, kind: IdentifierKind = IdentifierKind.LOCAL) -> IdentifierRow:
    return IdentifierRow(key, kind, "1|PI", str(key), patient)


def test_references_that_a_decision_changes():
    """Known: the number's own to the patient's; moved: the one patient's to the other's. An INS is never a lane."""
    event = IdentityEvent("x", 1, 1, identifiers={
        5: (None, row(5, 1)), 6: (row(6, 1), row(6, 2)), 7: (row(7, 1), None), 8: (row(8, 2), row(8, 2)),
        9: (None, row(9, 1, IdentifierKind.INS)),
    })  # fmt: skip
    one, two = (territorial(REFERENCES, id_) for id_ in (1, 2))
    assert touched(event, REFERENCES) == [(5, one), (one, two), (one, 7)]


def test_the_lane_of_a_message_with_a_stay_only():
    """Its patient's, where the stay is known."""
    group = Group()
    raw = message("R01", pid(stay=nda("cha", "9")), type_="ORU")
    group.known.take(group.disk.read(_nothing()), group.claims(raw).keys)
    assert references_of(group.claims(raw), group.known) == ()
    group.hear(message("A01", pid(ipp("cha", "1"), stay=nda("cha", "9"))))
    assert references_of(group.claims(raw), group.known) == (territorial(REFERENCES, 1),)
    assert stay_patients(group.claims(raw).persons[0], group.known) == (1,)


def _nothing():
    from engine.identity.crossreference import Unread

    return Unread()
