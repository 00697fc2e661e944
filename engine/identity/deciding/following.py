"""
Another registry numbers the patients (`registry: follow`): its messages fill the cross-reference.

Its A28 and A31 list a federation identifier with the local numbers of the hospitals; its A40 joins two, its A24 and A37
link and unlink numbers. It decides, nothing is reviewed here. Absence in its lists unlinks nothing (PAM France, A31).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind, IdentifierRow, PatientRow
from engine.identity.deciding.asserting import put_assertion
from engine.identity.deciding.decision import Code, conflict
from engine.identity.deciding.joining import join
from engine.identity.deciding.knowing import know
from engine.identity.deciding.merging import unlink
from engine.identity.deciding.moving import paired, record_stays
from engine.identity.events import MERGES, RENAMES
from engine.identity.policy import GROUP, Registry

if TYPE_CHECKING:
    from engine.identity.claimed import Claimed, Claims, Person
    from engine.identity.deciding.terms import Terms
    from engine.identity.policy import IdentityPolicy


def is_registry(claims: Claims, policy: IdentityPolicy) -> bool:
    """Whether a message comes from the registry that is followed, and says who somebody is."""
    return (
        policy.registry is Registry.FOLLOW and GROUP in policy.may_assert and claims.is_source
        and any(person.federation for person in claims.persons)
    )  # fmt: skip


def follow(terms: Terms) -> list[int]:
    """
    Do as the registry says; return the ids of the persons' patients.

    Raises:
        Ended: It links two of its own patients (A24): its A40 joins them; or an identity officer said the contrary.
    """
    persons = terms.claims.persons
    if terms.claims.event == "A24" and len(persons) > 1:
        return _linked(persons, terms)
    if terms.claims.event == "A37" and len(persons) > 1:
        unlink(persons[0], persons[1], terms)
    return [_follow(person, terms) for person in persons]


def _linked(persons: list[Person], terms: Terms) -> list[int]:
    """Carry out an A24: the numbers of both persons lead to the one patient whom it numbers."""
    numbered, *others = sorted(persons, key=lambda person: not person.federation)
    id_ = _follow(numbered, terms)
    for other in others:
        theirs = _follow(other, terms) if other.federation else id_
        if theirs != id_:
            raise conflict(
                Code.TWO_PATIENTS, "the registry links two of its own patients: its A40 says which of them goes on",
                id_, theirs,
            )  # fmt: skip
        terms.check_asserted(other.local)
        for one in other.local:
            _lead_to(id_, one, terms)
    return [id_ for _ in persons]


def _follow(person: Person, terms: Terms) -> int:
    if not person.federation:
        return know(person, terms)
    terms.check_asserted([*person.local, *person.prior])
    number = person.federation[0]
    id_ = _numbered(number, person, terms)
    if terms.claims.event in MERGES | RENAMES:
        for new, old in (*paired(person.federation, person.prior_federation), *paired(person.local, person.prior)):
            _end_in(id_, new, old, terms)
    for one in person.local:
        _lead_to(id_, one, terms)
    put_assertion(person, terms, id_)
    record_stays(person, terms)
    return id_


def _numbered(number: Claimed, person: Person, terms: Terms) -> int:
    """Return the patient of a federation identifier: known, known without it, or new."""
    known = terms.find(number)
    if known is not None:
        return known.id
    draft = terms.draft
    nameless = [patient for one in person.local if (patient := terms.find(one)) is not None and not patient.number]
    if nameless:
        id_ = nameless[0].id
        draft.put_patient(replace(nameless[0], number=number.value))
    else:
        id_ = terms.next_patient()
        draft.mint(PatientRow(id_, number.value))
    draft.put(IdentifierRow(number.hash, IdentifierKind.FEDERATION, number.authority, number.value, id_))
    draft.did("follow")
    return id_


def _lead_to(id_: int, one: Claimed, terms: Terms) -> None:
    """Let a local number be the patient's, as the registry says; who had only that one ends in him."""
    row = terms.look(one)
    if row is not None and row.patient == id_:
        return
    if row is not None and not terms.draft.living(row.patient).number:
        join(terms.draft, id_, row.patient)
    else:
        terms.put(one, id_)
    terms.draft.did("follow")


def _end_in(id_: int, new: Claimed, old: Claimed, terms: Terms) -> None:
    """Let a merged number lead to the patient; a federation identifier's whole patient ends in him."""
    row = terms.look(old)
    if row is None or new.value == old.value:
        return
    if row.kind is IdentifierKind.FEDERATION:
        if row.patient != id_:
            if id_ in terms.draft.living(row.patient).apart:
                raise conflict(
                    Code.APART, "an identity officer said that they are two people: undo that if it was wrong, retry",
                    id_, row.patient,
                )  # fmt: skip
            join(terms.draft, id_, row.patient)
    else:
        terms.draft.put(replace(row, kind=IdentifierKind.ALIAS, patient=id_))
    terms.draft.did("follow")
