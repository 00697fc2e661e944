"""
Numbers go from a patient to one of their own: an A37, or an identity officer's unlink.

What a site said of the patient goes with its numbers, when all that it gave him go; so does an INS that only those
sites assert. Where a site has numbers on both sides afterwards, nothing shows of whom it spoke: neither keeps what it
said, nor an INS that nobody else asserts, since the one would be joined with whoever is the other elsewhere. The two
are apart from then on: nothing proposes them again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind, IdentifierRow, PatientRow, ReviewRow, ReviewState
from engine.identity.deciding.ins import drop_unasserted
from engine.identity.deciding.joining import rows_of
from engine.identity.policy import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from engine.core.references import References
    from engine.identity.deciding.draft import Draft
    from engine.identity.policy import IdentityPolicy


def new_patient(
    draft: Draft, references: References, policy: IdentityPolicy, next_patient: Callable[[], int],
    apart: tuple[int, ...] = (),
) -> int:  # fmt: skip
    """
    Put a new patient of the group, numbered unless another registry does that.

    Returns:
        His id.

    Raises:
        ValueError: No federation identifier is left.
    """
    id_ = next_patient()
    federation = policy.federation if policy.registry is Registry.OWN else None
    if federation is None:
        draft.mint(PatientRow(id_, "", apart=apart))
        return id_
    number = policy.number.write(id_)
    key = references.hash("patient", federation.key, number)
    row = IdentifierRow(key, IdentifierKind.FEDERATION, federation.key, number, id_)
    draft.mint(PatientRow(id_, number, apart=apart), row)
    return id_


def speakers(
    moved: Iterable[IdentifierRow], left: Iterable[IdentifierRow], sites: Mapping[str, str]
) -> tuple[frozenset[str], frozenset[str]]:
    """
    Say of which sites what they said of a patient goes with numbers that leave him.

    Args:
        moved: The numbers that go.
        left: The hospitals' numbers that stay.
        sites: By authority.

    Returns:
        The sites all of whose numbers go; those that have numbers on both sides.
    """
    going = {sites.get(row.authority, "") for row in moved} - {""}
    staying = {sites.get(row.authority, "") for row in left}
    return frozenset(going - staying), frozenset(going & staying)


def part(
    draft: Draft, rows: list[IdentifierRow], references: References, policy: IdentityPolicy,
    next_patient: Callable[[], int], *, place: int, at_ms: int, sentence: str, sites: frozenset[str] = frozenset(),
    unsure: frozenset[str] = frozenset(), former: Sequence[IdentifierRow] = (),
) -> int:  # fmt: skip
    """
    Give local numbers a patient of their own.

    Args:
        draft: Where it is done.
        rows: The numbers, all of one patient.
        references: Makes the hash of the new federation identifier.
        policy: Whether and how patients are numbered here.
        next_patient: Gives the id of the new patient.
        place: Of the message or act.
        at_ms: Its time.
        sentence: Why, for the review list.
        sites: Whose assertions go with the numbers (`speakers`).
        unsure: Whose assertions neither of the two keeps.
        former: The group's numbers of before a link that go along, the first one his again; none: he gets a new one.

    Returns:
        The new patient's id.
    """
    old = draft.living(rows[0].patient)
    rows_of(draft, old)  # what was never read is asked for before a number is spent
    if former:
        id_ = next_patient()
        draft.mint(PatientRow(id_, former[0].value, apart=(old.id,)))
    else:
        id_ = new_patient(draft, references, policy, next_patient, apart=(old.id,))
    for row in former:
        draft.put(replace(row, patient=id_))
    for row in rows:
        draft.put(replace(row, kind=IdentifierKind.LOCAL if len(rows) == 1 else row.kind, patient=id_))
    left = draft.living(old.id)
    moved = [one for one in left.assertions if one.site in sites]
    for assertion in moved:
        draft.put_assertion(id_, assertion)
    stay = tuple(one for one in left.assertions if one.site not in sites | unsure)
    draft.put_patient(replace(left, assertions=stay, apart=tuple(sorted({*left.apart, id_}))))
    kept = {one.ins for one in stay}
    for row in rows_of(draft, draft.living(old.id)):
        if row.kind is IdentifierKind.INS and row.hash not in kept and any(one.ins == row.hash for one in moved):
            draft.put(replace(row, patient=id_))
    if unsure:
        drop_unasserted(draft, old.id, set(draft.living(old.id).identifiers))
    draft.put_review(ReviewRow(old.id, id_, "unlink", sentence, place, at_ms, ReviewState.APART))
    return id_


def set_apart(draft: Draft, one: int, other: int) -> None:
    """Remember of two patients whom nothing had joined that they are two people: nothing proposes them again."""
    if other in draft.living(one).apart:
        return
    for mine, theirs in ((one, other), (other, one)):
        patient = draft.living(mine)
        draft.put_patient(replace(patient, apart=tuple(sorted({*patient.apart, theirs}))))
    draft.close(one, other, ReviewState.APART)
    draft.did("apart")
