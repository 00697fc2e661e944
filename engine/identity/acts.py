"""
What an identity officer does: link, unlink, mark apart, undo; each an event, or a sentence that says why not.

Pure functions of the view, executed by the router between two messages (RNIV 1 v2.0, EXI SI 36 and 37: people decide
on what the rules leave open, and every decision can be taken back). The same obstacles hold as for rules: nothing that
would be a conflict in a message is done by an act, except that an officer may join those who were apart after undoing
that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind, IdentityEvent, ReviewRow, ReviewState
from engine.identity.crossreference import read_together
from engine.identity.deciding.draft import Draft
from engine.identity.deciding.joining import join, obstacle, rows_of
from engine.identity.deciding.parting import part
from engine.identity.former import stale

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from engine.core.references import References
    from engine.identity.crossreference import CrossReference
    from engine.identity.policy import IdentityPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who acts, and why."""

    who: str
    reason: str
    place: int
    """The last place decided before it."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act isn't done, and what to do next; no value of a message."""

    sentence: str


def link(keep: int, gone: int, view: CrossReference, act: Act) -> IdentityEvent | Refusal:
    """
    Join two patients: both federation identifiers lead to one of them from then on.

    Args:
        keep: Who goes on.
        gone: Who ends in him.
        view: What is known.
        act: Who acts.

    Raises:
        Unread: The view never read a row that is needed.
    """
    draft = Draft(view)
    living, ending = draft.patient(keep), draft.patient(gone)
    if keep == gone or living is None or ending is None:
        return Refusal("there are no two patients to link: look them up again with identity find")
    hindered = obstacle(draft, living, ending)
    if hindered is not None:
        return Refusal(hindered[1])
    join(draft, keep, gone)
    draft.did("link")
    return _event(draft, act)


def unlink(
    keys: Collection[int], view: CrossReference, act: Act, *, policy: IdentityPolicy, references: References,
    next_patient: Callable[[], int], sites: Collection[str] = (), unsure: Collection[str] = (),
    another_person: bool = False, former: Sequence[int] = (),
) -> IdentityEvent | Refusal:  # fmt: skip
    """
    Give local numbers of one patient a patient of their own; both are apart from then on.

    Args:
        keys: Hashes of the numbers.
        view: What is known.
        act: Who acts.
        policy: How patients are numbered.
        references: Makes hashes.
        next_patient: Gives the id of the new patient.
        sites: Whose assertions go with the numbers: the sites all of whose numbers these are.
        unsure: Whose assertions neither of the two keeps: the sites that gave others of them too (parting.speakers).
        another_person: The hospital has given the numbers to somebody else: what was said under them was said of the
            patient who had them, and stays with him. He may have no other.
        former: Hashes of the group's numbers that go along, the first one the new patient's own (identity.former).

    Raises:
        Unread: The view never read a row that is needed.
    """
    draft = Draft(view)
    rows = [row for key in sorted(set(keys)) if (row := draft.identifier(key)) is not None]
    numbers = (IdentifierKind.LOCAL, IdentifierKind.ALIAS)
    if not rows or len(rows) < len(set(keys)) or any(row.kind not in numbers for row in rows):
        return Refusal("only local numbers that are known can be unlinked: look them up again with identity find")
    if len({row.patient for row in rows}) > 1:
        return Refusal("the numbers are not of one patient: unlink those of one after those of the other")
    patient = draft.living(rows[0].patient)
    moved = {row.hash for row in rows}
    left = [row for row in rows_of(draft, patient) if row.kind in numbers and row.hash not in moved]
    if not left and not another_person:
        return Refusal(
            "these are all the local numbers of the patient: nothing would be left to part them from; if the hospital "
            "has given one of them to another person, use identity unlink --ipp --another-person"
        )
    back = [row for key in former if (row := draft.identifier(key)) is not None]
    if (
        len(back) < len(former)
        or any(row.patient != patient.id for row in back)
        or len(stale(patient, back)) < len(back)
    ):
        return Refusal("the group's number that was to go along isn't there any more: look the patient up again")
    part(
        draft, rows, references, policy, next_patient, place=act.place, at_ms=act.at_ms, sentence=act.reason,
        sites=frozenset() if another_person else frozenset(sites),
        unsure=frozenset() if another_person else frozenset(unsure), former=back,
    )  # fmt: skip
    draft.did("unlink")
    return _event(draft, act)


def mark_apart(one: int, other: int, view: CrossReference, act: Act) -> IdentityEvent | Refusal:
    """
    Say that two patients are two people: they are never proposed again, and nothing joins them.

    Args:
        one: The one.
        other: The other.
        view: What is known.
        act: Who acts.

    Raises:
        Unread: The view never read a row that is needed.
    """
    draft = Draft(view)
    low, high = min(one, other), max(one, other)
    first, second = draft.patient(low), draft.patient(high)
    if low == high or first is None or second is None:
        return Refusal("there are no two patients to tell apart: look them up again with identity find")
    if high in first.apart:
        return Refusal("they are marked apart already")
    draft.put_patient(replace(first, apart=tuple(sorted({*first.apart, high}))))
    draft.put_patient(replace(second, apart=tuple(sorted({*second.apart, low}))))
    found = draft.review(low, high)
    row = found or ReviewRow(low, high, "apart", act.reason, act.place, act.at_ms)
    draft.put_review(replace(row, state=ReviewState.APART))
    draft.did("apart")
    return _event(draft, act)


def undo(event: IdentityEvent, view: CrossReference, act: Act) -> IdentityEvent | Refusal:
    """
    Take a decision back: every row becomes what it was before it.

    Args:
        event: The decision.
        view: What is known.
        act: Who acts.

    Returns:
        The event that does it, or a refusal: something later has touched one of its rows.

    Raises:
        Unread: The view never read a row that is needed.
    """
    read_together(view, event.identifiers, event.patients, event.reviews)
    touched = sum(view.identifier(key) != after for key, (_, after) in event.identifiers.items())
    touched += sum(view.patient(id_) != after for id_, (_, after) in event.patients.items())
    touched += sum(view.review(*pair) != after for pair, (_, after) in event.reviews.items())
    if touched:
        return Refusal(
            f"something later changed {touched} of what this decision left: undo that first (identity history), or use "
            "link and unlink"
        )
    return IdentityEvent(
        "undo", act.place, act.at_ms, who=act.who, reason=act.reason, undoes=event.id,
        identifiers={key: (after, before) for key, (before, after) in event.identifiers.items()},
        patients={id_: (after, before) for id_, (before, after) in event.patients.items()},
        reviews={pair: (after, before) for pair, (before, after) in event.reviews.items()},
    )  # fmt: skip


def _event(draft: Draft, act: Act) -> IdentityEvent | Refusal:
    event = draft.event(act.place, act.at_ms, who=act.who, reason=act.reason)
    return event if event is not None else Refusal("nothing would change")
