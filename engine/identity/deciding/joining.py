"""
Two patients become one: what forbids it, and how it is done.

Forbidden whatever asks for it: an officer said that they are two people; one hospital has a number in use for each of
them; two NIR are qualified; what the hospitals say of them disagrees beyond tolerance
(docs/developers/identity.md, rule 7).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind, PatientRow, ReviewState
from engine.identity.crossreference import read_together
from engine.identity.deciding.asserting import own_assertion, with_firm
from engine.identity.deciding.decision import Code
from engine.identity.deciding.judging import believed_traits, firm_traits
from engine.identity.ins import InsKind, authority_of
from engine.identity.statuses import Status
from engine.identity.traits import compare_traits

if TYPE_CHECKING:
    from engine.core.identities import IdentifierRow
    from engine.identity.deciding.draft import Draft


def obstacle(draft: Draft, one: PatientRow, other: PatientRow, *, both_in_use: bool = False) -> tuple[Code, str] | None:
    """
    Say what forbids that two patients become one.

    Args:
        draft: With what the message changed already: a merged number is an alias there.
        one: The one.
        other: The other.
        both_in_use: Their own hospital says that both numbers stay in use for one person (A24).

    Returns:
        Code and sentence; None: nothing forbids it.
    """
    if other.id in one.apart:
        return Code.APART, (
            "an identity officer said that they are two people: if that was wrong, undo it, then retry"
        )  # fmt: skip
    mine, theirs = rows_of(draft, one), rows_of(draft, other)
    if not both_in_use:
        shared = _in_use(mine) & _in_use(theirs)
        if shared:
            return Code.TWO_NUMBERS, (
                "a hospital has a number in use for each of the two: it must merge them itself (A40), then retry"
            )  # fmt: skip
    nirs = {row.value for row in (*mine, *theirs) if _qualified_nir(row, one, other)}
    if len(nirs) > 1:
        return Code.TWO_INS, "hospitals have two NIR qualified for them: have the wrong one corrected, then retry"
    return _disagreement(one, other)


def join(draft: Draft, keep: int, gone: int) -> tuple[str, str]:
    """
    Let one patient end in another.

    Returns:
        (federation identifier that ends, the one that goes on); either may be empty.
    """
    ending, living = draft.living(gone), draft.living(keep)
    for other in ending.apart:  # who is apart from the one is apart from both
        _replace_apart(draft, other, gone, keep)
    apart = sorted({*living.apart, *ending.apart} - {keep, gone})
    draft.put_patient(replace(living, apart=tuple(apart), number=living.number or ending.number))
    for assertion in ending.assertions:
        kept = own_assertion(living, assertion.site)
        draft.put_assertion(keep, assertion if kept is None else with_firm(kept, firm_traits(assertion)))
    for row in rows_of(draft, ending):
        draft.put(replace(row, patient=keep))
    draft.close(keep, gone, ReviewState.LINKED)
    draft.end_patient(gone)
    return ending.number, living.number or ending.number


def rows_of(draft: Draft, patient: PatientRow) -> list[IdentifierRow]:
    """Return the identifiers of a patient; those that were never read are asked for together."""
    read_together(draft, patient.identifiers)
    return [row for key in patient.identifiers if (row := draft.identifier(key)) is not None]


def authorities_in_use(draft: Draft, patient: PatientRow) -> set[str]:
    """Return the authorities of which a patient has a local number in use."""
    return _in_use(rows_of(draft, patient))


def _in_use(rows: list[IdentifierRow]) -> set[str]:
    return {row.authority for row in rows if row.kind is IdentifierKind.LOCAL}


def _qualified_nir(row: IdentifierRow, *patients: PatientRow) -> bool:
    if row.kind is not IdentifierKind.INS or authority_of(row.authority).kind is not InsKind.NIR:
        return False
    return any(
        one.ins == row.hash and one.status == Status.QUALIFIED for patient in patients for one in patient.assertions
    )


def _disagreement(one: PatientRow, other: PatientRow) -> tuple[Code, str] | None:
    for mine in one.assertions:
        for theirs in other.assertions:
            left, right = believed_traits(mine), believed_traits(theirs)
            if left is None or right is None:
                continue
            compared = compare_traits(left, right)
            if compared.beyond_tolerance:
                names = ", ".join(compared.different)
                return Code.TRAITS, (
                    f"what {mine.site} and {theirs.site} say of them disagrees ({names}): if it is one person, "
                    "have the hospital that is wrong correct it first"
                )  # fmt: skip
    return None


def _replace_apart(draft: Draft, id_: int, gone: int, keep: int) -> None:
    patient = draft.patient(id_)
    if patient is not None:
        apart = sorted({*patient.apart, keep} - {gone})
        draft.put_patient(replace(patient, apart=tuple(apart)))
