"""The view: what was read, with decisions over it; what was never read is asked for."""

from __future__ import annotations

import pytest

from engine.core.identities import (
    Assertion,
    IdentifierKind,
    IdentifierRow,
    IdentityEvent,
    IdentityRows,
    PatientRow,
    ReviewRow,
)
from engine.identity.crossreference import Known, Unread, read_together


def patient(id_: int, traits: int = 0) -> PatientRow:
    said = Assertion("cha", "PROV", (), "A", "B", "", "19700101", "F", "", 0, traits, 1, 1)
    return PatientRow(id_, f"G{id_}", (said,))


def row(key: int, id_: int) -> IdentifierRow:
    return IdentifierRow(key, IdentifierKind.LOCAL, "1.2.3|PI", str(key), id_)


EMPTY = IdentityRows({}, {}, {}, {})


def test_what_was_never_read_is_asked_for():
    """Each with its key."""
    known = Known()
    for ask, keys in (
        (lambda: known.identifier(5), ((5,), (), ())),
        (lambda: known.patient(6), ((), (6,), ())),
        (lambda: known.alike(7), ((), (), (7,))),
        (lambda: known.review(1, 2), ((), (1, 2), ())),
    ):
        with pytest.raises(Unread) as raised:
            ask()
        unread = raised.value
        assert (unread.identifiers, unread.patients, unread.traits) == keys


def test_what_was_asked_for_and_isnt_there_is_unknown():
    """It isn't asked for again."""
    known = Known()
    known.take(EMPTY, [5], [1, 2], [7])
    assert known.identifier(5) is known.patient(1) is known.review(1, 2) is None
    assert known.alike(7) == ()


def test_decisions_go_before_what_is_read():
    """In whatever order both come; a revert brings back what was."""
    known = Known()
    known.take(IdentityRows({5: row(5, 1)}, {1: patient(1, 7)}, {7: (1,)}, {}), traits=[7])
    event = IdentityEvent("link", 1, 1, identifiers={5: (row(5, 1), row(5, 2))}, patients={1: (patient(1, 7), None)})
    known.apply(event)
    known.take(IdentityRows({5: row(5, 1)}, {1: patient(1, 7)}, {7: (1,)}, {}), traits=[7])
    assert known.identifier(5).patient == 2
    assert known.patient(1) is None
    assert known.alike(7) == ()
    known.revert(event)
    assert known.identifier(5).patient == 1
    assert known.alike(7) == (1,)


def test_traits_of_a_decision_join_those_read_later():
    """A patient minted in memory is alike one on disk."""
    known = Known()
    known.apply(IdentityEvent("mint", 1, 1, patients={9: (None, patient(9, 7))}))
    known.take(IdentityRows({}, {}, {7: (1,)}, {}), traits=[7])
    assert known.alike(7) == (1, 9)


def test_reviews_of_a_pair_need_one_reading():
    """Two patients read apart say nothing of their pair; one minted in memory has no other."""
    known = Known()
    known.take(IdentityRows({}, {1: patient(1)}, {}, {}), patients=[1])
    known.take(IdentityRows({}, {2: patient(2)}, {}, {}), patients=[2])
    with pytest.raises(Unread):
        known.review(1, 2)
    review = ReviewRow(1, 2, "same-traits", "", 1, 1)
    known.take(IdentityRows({}, {1: patient(1), 2: patient(2)}, {}, {(1, 2): review}), patients=[1, 2])
    assert known.review(1, 2) == review
    known.apply(IdentityEvent("mint", 1, 1, patients={9: (None, patient(9))}))
    assert known.review(1, 9) is None


def test_forgotten_rows_are_asked_for_again():
    """Identifiers, patients with their reviews, traits."""
    known = Known()
    review = ReviewRow(1, 2, "same-traits", "", 1, 1)
    known.take(IdentityRows({5: row(5, 1)}, {1: patient(1), 2: patient(2)}, {7: (1,)}, {(1, 2): review}), traits=[7])
    known.forget([5], [1], [7])
    for ask in (
        lambda: known.identifier(5),
        lambda: known.patient(1),
        lambda: known.alike(7),
        lambda: known.review(1, 2),
    ):
        with pytest.raises(Unread):
            ask()


def test_rows_are_asked_for_together():
    """Once, not one after the other."""
    known = Known()
    known.take(EMPTY, [5], [1])
    with pytest.raises(Unread) as raised:
        read_together(known, [5, 6, 7], [1, 2], [(3, 4)])
    assert (raised.value.identifiers, raised.value.patients) == ((6, 7), (2, 3, 4))
    read_together(known, [5], [1])


def test_two_pairs_of_one_patient():
    """Read one after the other, both are known afterwards."""
    known = Known()
    rows = {id_: patient(id_) for id_ in (1, 2, 3)}
    for pair in ((1, 2), (1, 3)):
        with pytest.raises(Unread):
            known.review(*pair)
        known.take(IdentityRows({}, {id_: rows[id_] for id_ in pair}, {}, {}), patients=pair)
    assert known.review(1, 2) is known.review(1, 3) is None


def test_letting_a_patient_go_looks_at_his_own_pairs_only():
    """Whatever the length of the review list; the other one of a pair may go later, or stay."""

    class Reviews(dict[tuple[int, int], ReviewRow | None]):
        def __iter__(self):
            raise AssertionError("all pairs were looked through")

    known = Known()
    known._reviews = Reviews()
    pairs = [(1, 2), (1, 3), (2, 3), (3, 4)]
    reviews = {pair: ReviewRow(*pair, "merge", "they were merged", 1, 1) for pair in pairs}
    patients = {id_: patient(id_) for id_ in (1, 2, 3, 4)}
    known.take(IdentityRows({}, patients, {}, reviews), patients=patients)
    known.forget((), [3])
    assert known.review(1, 2) == reviews[1, 2]
    for pair in pairs[1:]:
        with pytest.raises(Unread):
            known.review(*pair)
    known.forget((), [4, 1, 2])
    assert not known._pairs
    assert not known._reviews
