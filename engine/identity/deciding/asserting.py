"""
What a site says of a patient: kept as it says it, one assertion a site.

One site's status is never copied to another's (RNIV 1 v2.0, § 4.9.2). What a message doesn't say stays as it was said
before: absence changes nothing (PAM France, A31). An INS counts as asserted only from a qualified identity.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from engine.core.identities import Assertion
from engine.identity.deciding.judging import comparable_assertion, firm_traits
from engine.identity.statuses import Status
from engine.identity.traits import StrictTraits, trait_hash, traits_of

if TYPE_CHECKING:
    from engine.core.identities import PatientRow
    from engine.identity.claimed import Claims, Person
    from engine.identity.deciding.terms import Terms

UPDATING: Final = frozenset(
    {"A01", "A04", "A05", "A08", "A18", "A24", "A28", "A30", "A31", "A34", "A36", "A40", "A46", "A47"}
)
"""Events of ADT by which a site says who somebody is; A08 counts as A31 (PAM France excludes it, hospitals send it)."""


def updates(claims: Claims) -> bool:
    """Whether a message changes what its site says of a patient."""
    return claims.is_source and (claims.event in UPDATING or claims.type != "ADT")


def own_assertion(patient: PatientRow, site: str) -> Assertion | None:
    """Return what a site says of a patient."""
    return next((one for one in patient.assertions if one.site == site), None)


def says_nothing_new(person: Person, claims: Claims, patient: PatientRow) -> bool:
    """Whether a site says of a patient what it said before, or nothing that counts."""
    before = own_assertion(patient, claims.site)
    if before is None:
        return False
    traits, status = person.traits, person.status
    if not updates(claims):
        return traits == traits_of(before)
    return (
        before.birth_name == traits.birth_name and before.birth_date == traits.birth_date
        and before.first_name == traits.first_name and before.first_names == traits.first_names
        and before.sex == traits.sex and before.birth_place == traits.birth_place
        and before.status == status.status.value and before.attributes == _attributes(person)
        and all(one.hash == before.ins or not one.usable for one in person.ins)
    )  # fmt: skip


def agrees(person: Person, claims: Claims, patient: PatientRow) -> bool:
    """Whether a result clearly speaks of the patient for whom its site's number stands: letter by letter."""
    before = own_assertion(patient, claims.site)
    traits = person.traits
    return (
        before is not None and traits.birth_date == before.birth_date and traits.sex == before.sex
        and (traits.first_name == before.first_name or before.birth_name in person.names)
    )  # fmt: skip


def make_assertion(person: Person, terms: Terms, before: Assertion | None) -> Assertion:
    """
    Make what a site says of a patient now.

    Args:
        person: As the message says.
        terms: Of the message.
        before: What the site said before, where it did.
    """
    said = before is not None and not person.status.status and not person.status.attributes
    traits = merged_traits(person.traits, before)
    same = before is not None and traits == traits_of(before)
    if said and same and before is not None:
        status, attributes = before.status, before.attributes
    else:
        status, attributes = person.status.status.value, _attributes(person)
    ins = before.ins if before is not None else 0
    best = person.best_ins if status == Status.QUALIFIED else None
    if best is not None:
        ins = best.hash
    comparable = person.status.comparable and (not said or before is None or comparable_assertion(before))
    if same and before is not None and comparable and comparable_assertion(before):
        hashed = before.traits
    else:
        hashed = trait_hash(traits, terms.claims.references) if comparable else 0
    made = Assertion(
        terms.claims.site, status, attributes, *traits, ins=ins, traits=hashed, place=terms.place, at_ms=terms.at_ms
    )
    return with_firm(made, firm_traits(before))


def put_assertion(person: Person, terms: Terms, patient: int) -> bool:
    """
    Remember what a site says of a patient.

    Returns:
        Whether the traits changed.
    """
    row = terms.draft.living(patient)
    before = own_assertion(row, terms.claims.site)
    made = make_assertion(person, terms, before)
    if before is not None and before == replace(made, place=before.place, at_ms=before.at_ms):
        return False
    terms.draft.put_assertion(patient, made)
    terms.draft.did("assert")
    return before is None or before.traits != made.traits or traits_of(before) != traits_of(made)


def with_firm(assertion: Assertion, firm: StrictTraits | None) -> Assertion:
    """Keep of which traits a site was sure before, where it isn't sure of what it says now."""
    if firm is None or firm_traits(assertion) is not None:
        return assertion
    return replace(assertion, firm=tuple(firm))


def repeats(person: Person, claims: Claims, before: Assertion) -> bool:
    """Whether a source of identity says of somebody what it said before, or less, and of the same status."""
    if merged_traits(person.traits, before) != traits_of(before):
        return False
    if not updates(claims) or not (person.status.status or person.status.attributes):
        return True
    return person.status.status.value == before.status and _attributes(person) == before.attributes


def merged_traits(traits: StrictTraits, before: Assertion | None) -> StrictTraits:
    """Return what a site says with what it said before of the rest: absence changes nothing."""
    if before is None:
        return traits
    return StrictTraits(*(new or old for new, old in zip(traits, traits_of(before), strict=True)))


def _attributes(person: Person) -> tuple[str, ...]:
    return tuple(sorted(one.value for one in person.status.attributes)) if person.status.attributes else ()
