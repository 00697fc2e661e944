"""
Which INS a patient keeps (PAM France 2.11.1; ANS, Référentiel INS).

Remembered is an INS that a site asserts as qualified. A NIR takes the place of a NIA, whose row stays: it was the same
person's. A deletion takes NIR and NIA away together, unless another site asserts them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind, IdentifierRow, PatientRow
from engine.identity.deciding.asserting import own_assertion
from engine.identity.deciding.decision import Code, conflict
from engine.identity.ins import InsKind, authority_of
from engine.identity.statuses import Status

if TYPE_CHECKING:
    from engine.identity.claimed import ClaimedIns, Person
    from engine.identity.deciding.draft import Draft
    from engine.identity.deciding.terms import Terms


def look_ins(claimed: ClaimedIns, terms: Terms) -> IdentifierRow | None:
    """Look an INS up, verified."""
    row = terms.draft.identifier(claimed.hash)
    if row is not None and (row.value != claimed.ins.value or row.authority != claimed.ins.authority.oid):
        raise conflict(Code.HASH, "two numbers have one hash: tell the maintainers, nothing was decided")
    return row


def check_one_nir(person: Person, terms: Terms, patient: PatientRow) -> None:
    """
    Make sure that no other site has another NIR qualified for the same patient (docs/developers/identity.md, rule 7).

    Raises:
        Ended: One has.
    """
    best = person.best_ins
    if best is None or not person.status.qualified or best.ins.authority.kind is not InsKind.NIR:
        return
    for one in patient.assertions:
        if one.site == terms.claims.site or one.ins in (0, best.hash) or one.status != Status.QUALIFIED:
            continue
        held = terms.draft.identifier(one.ins)
        if held is not None and authority_of(held.authority).kind is InsKind.NIR:
            raise conflict(
                Code.TWO_INS,
                f"the NIR isn't the one that {one.site} has qualified for the same patient: an identity officer must "
                "find out whose it is; have the wrong one corrected, or unlink the numbers, then retry",
                patient.id,
            )  # fmt: skip


def keep_ins(person: Person, terms: Terms, patient: int, replaced: int) -> None:
    """
    Remember the INS of a qualified identity, and forget the one that it replaces where no site asserts that any more.

    Args:
        person: As the message says.
        terms: Of the message.
        patient: Whose it is.
        replaced: Hash of the INS that the site asserted before; 0: none.
    """
    draft = terms.draft
    if not person.status.qualified:
        return
    for claimed in person.ins:
        if claimed.usable and look_ins(claimed, terms) is None:
            ins = claimed.ins
            draft.put(IdentifierRow(claimed.hash, IdentifierKind.INS, ins.authority.oid, ins.value, patient))
            draft.did("attach")
    best = person.best_ins
    if best is None or replaced in (0, best.hash):
        return
    row = draft.identifier(replaced)
    if row is not None and row.patient == patient and authority_of(row.authority).kind is InsKind.NIR:
        drop_unasserted(draft, patient, {replaced})


def change_ins(person: Person, terms: Terms, patient: int) -> None:
    """
    Carry out what an A47 does with the INS: NIR and NIA go together (PAM France).

    Changed: those that no site asserts any more are forgotten. Deleted, or no longer qualified: so are all of the site.
    """
    best = person.best_ins
    if person.deletes_ins or best is None or not person.status.qualified:
        _delete_ins(terms, patient)
        return
    draft = terms.draft
    held = {key for key in draft.living(patient).identifiers if _is_ins(draft, key)} - {best.hash}
    if drop_unasserted(draft, patient, held):
        draft.did("change-ins")


def _delete_ins(terms: Terms, patient: int) -> None:
    draft, row = terms.draft, terms.draft.living(patient)
    own = own_assertion(row, terms.claims.site)
    if own is not None and own.ins:
        draft.put_assertion(patient, replace(own, ins=0, place=terms.place, at_ms=terms.at_ms))
    held = {key for key in row.identifiers if _is_ins(draft, key)}
    if drop_unasserted(draft, patient, held):
        draft.did("delete-ins")


def drop_unasserted(draft: Draft, patient: int, keys: set[int]) -> bool:
    """Forget those INS of a patient that no site asserts; return whether there was one."""
    asserted = {one.ins for one in draft.living(patient).assertions}
    dropped = False
    for key in keys - asserted:
        row = draft.identifier(key)
        if row is not None and row.patient == patient and row.kind is IdentifierKind.INS:
            draft.drop(row)
            dropped = True
    return dropped


def _is_ins(draft: Draft, key: int) -> bool:
    row = draft.identifier(key)
    return row is not None and row.kind is IdentifierKind.INS
