"""
What an identity officer decides: the consequence first, then the router does it between two messages.

The dry run asks the same pure functions (identity.acts) as the router will; what changed meanwhile is refused there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from engine.core.identities import IdentityEvent, ReviewState
from engine.errors import OperationRefused
from engine.identity import acts
from engine.identity.deciding.parting import speakers
from engine.identity.former import NUMBERS, going_along, stale
from engine.identity.policy import Registry
from engine.operations.acts import Act, carry_out, require_count, require_reason
from engine.operations.identities.knowing import (
    decided,
    hashes_of,
    read_number,
    require_identity,
    require_patient,
    require_references,
)
from engine.operations.identities.looking import waiting_of
from engine.operations.identities.remaining import names_both
from engine.operations.identities.seeing import Seeing, compared
from engine.operations.identities.telling import carried, require_event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from engine.core.identities import IdentifierRow, PatientRow
    from engine.identity.crossreference import Known
    from engine.identity.policy import IdentityPolicy
    from engine.operations.desk import Answer, Desk

_PATIENTS_LOOKED_AT: Final = 5
_LATER_MAX: Final = 50


async def identity_link(
    desk: Desk, who: str, one: str, other: str, reason: str = "", expect: int | None = None, dry: bool = False
) -> Answer:
    """
    Join two patients: they are one person. The one with the lower id goes on.

    Args:
        desk: Where.
        who: Name of the operator.
        one: Id of the one.
        other: Id of the other.
        reason: Why.
        expect: How many identifiers must change their patient; otherwise nothing is changed (exit code 3).
        dry: Only say what would be.

    Returns:
        As `carry_out`. Of a dry run: `count`, how many identifiers change their patient (`moved` too);
        `changes`, sentences;
        `compared`, how what is known of the two compares; `waiting`, by destination, the deliveries of both that have
        not left; `carried`, how many deliveries carried their identifiers (up to 1,000); `remaining`, the
        deliveries that wait with numbers of both, and are made anew (identities.remaining);
        `forgotten`, how many numbers nobody has any more.
    """
    first, second = (read_number(text, "patient") for text in (one, other))
    patients = [await require_patient(desk, id_) for id_ in (first, second)]
    if second in patients[0][0].apart:
        raise OperationRefused(
            f"patients {first} and {second} are marked as two people{await _marked(desk, first, second)}; "
            "undo that first if it was wrong"
        )
    keys = [row.hash for _, rows in patients for row in rows]
    others = [id_ for patient, _ in patients for id_ in (patient.id, *patient.apart)]
    event = await _event(desk, lambda view: acts.link(first, second, view, _act(desk, who, reason)), keys, others)
    if dry:
        told = {"compared": compared(patients[0][0], patients[1][0])}
        return await _consequence(desk, event, (first, second), keys) | told
    arguments: dict[str, Any] = {"one": min(first, second), "other": max(first, second)}
    return await _done(desk, who, "link", event, arguments, reason, expect)


async def identity_unlink(
    desk: Desk,
    who: str,
    id: str,  # noqa: A002 - the command line's word
    site: str = "",
    kind: str = "",
    value: str = "",
    another_person: bool = False,
    reason: str = "",
    expect: int | None = None,
    dry: bool = False,
) -> Answer:
    """
    Give numbers of a patient a patient of their own: they are another person's. The two are apart from then on.

    Args:
        desk: Where.
        who: Name of the operator.
        id: Of the patient.
        site: All numbers of this hospital; or one number, by kind and value.
        kind: ipp.
        value: The number.
        another_person: Its hospital has given this one number to somebody else: of him nothing is known yet, what was
            said under it stays with the patient, and the number may be his only one.
        reason: Why.
        expect: As `identity_link`.
        dry: As `identity_link`; also `unsaid`: no hospital has said anything of the new patient, so that nothing that
            waits can be made anew for him (E-ID-PARTED); `given_back`, the group's numbers from before a link that go
            along (identity.former): the first one is the new patient's; `former`, those that stay with him.
    """
    configuration, policy = require_identity(desk)
    references = require_references(desk)
    number = read_number(id, "patient")
    if another_person and not kind:
        raise OperationRefused("say which number is another person's: all of a hospital's aren't one person's")
    patient, rows = await require_patient(desk, number)
    sites = {one.key: one.site for one in configuration.authorities.all()}
    wanted = frozenset(hashes_of(configuration, references, kind, value)) if kind else None
    moved = _moved(number, rows, sites, wanted, site)
    keys = [row.hash for row in moved]
    left = [row for row in rows if row.kind in NUMBERS and row not in moved]
    leaving, unsure = (sorted(some) for some in speakers(moved, left, sites))
    back = [] if another_person else await _given_back(desk, policy, patient, rows, keys)
    former = [row.hash for row in back]
    fresh = (await desk.store.identity_facts()).next_patient
    event = await _event(
        desk,
        lambda view: acts.unlink(
            keys, view, _act(desk, who, reason), policy=policy, references=references,
            next_patient=lambda: fresh, sites=leaving, unsure=unsure, another_person=another_person, former=former,
        ),
        [row.hash for row in rows], [number],
    )  # fmt: skip
    if dry:
        told = _numbers_told(Seeing(configuration, references), patient, rows, back)
        return await _consequence(desk, event, (number,), keys) | {"unsaid": _nothing_said(event)} | told
    arguments: dict[str, Any] = {"identifiers": keys, "sites": ",".join(leaving), "unsure": ",".join(unsure)}
    arguments |= {"another_person": another_person, "former": former}
    return await _done(desk, who, "unlink", event, arguments, reason, expect, subject=f"patient {number}")


def _nothing_said(event: IdentityEvent) -> bool:
    """Whether no hospital has said anything of a patient whom an event makes."""
    return any(one is None and new is not None and not new.assertions for one, new in event.patients.values())


def _numbers_told(
    seeing: Seeing, patient: PatientRow, rows: Sequence[IdentifierRow], back: Sequence[IdentifierRow]
) -> dict[str, list[str]]:
    """Return the group's numbers from before a link: those that go along (`back`), and those that stay."""
    staying = [row for row in stale(patient, rows) if row not in back]
    return {
        name: [seeing.value(row.authority, row.value) for row in some]
        for name, some in (("given_back", back), ("former", staying))
    }


def _moved(
    number: int, rows: Sequence[IdentifierRow], sites: Mapping[str, str], wanted: frozenset[int] | None, site: str
) -> list[IdentifierRow]:
    """
    Choose the numbers of a patient that become another person's.

    Args:
        number: Of the patient.
        rows: All of his identifiers.
        sites: By authority.
        wanted: Hashes of the numbers; None: all that the hospital `site` gave.
        site: Of the numbers, where none is named.

    Raises:
        OperationRefused: He has none of them.
    """
    numbers = [row for row in rows if row.kind in NUMBERS]
    if wanted is None:
        moved = [row for row in numbers if sites.get(row.authority) == site]
    else:
        moved = [row for row in numbers if row.hash in wanted]
    if not moved:
        there = ", ".join(sorted({sites.get(row.authority, row.authority) for row in numbers}))
        words = f"a number of the site '{site}'" if wanted is None else "this number"
        raise OperationRefused(f"patient {number} hasn't {words}; he has numbers of {there}")
    return moved


async def identity_apart(
    desk: Desk, who: str, one: str, other: str, reason: str = "", expect: int | None = None, dry: bool = False
) -> Answer:
    """Say that two patients are two people: never proposed again, never joined; arguments as `identity_link`."""
    first, second = (read_number(text, "patient") for text in (one, other))
    patients = [await require_patient(desk, id_) for id_ in (first, second)]
    ids = (first, second)
    event = await _event(desk, lambda view: acts.mark_apart(first, second, view, _act(desk, who, reason)), (), ids)
    if dry:
        told = {"compared": compared(patients[0][0], patients[1][0]), "count": 1}
        return await _consequence(desk, event, (), []) | told
    require_count(1, expect, "pair")
    return await _done(desk, who, "apart", event, {"one": first, "other": second}, reason, None)


async def identity_undo(
    desk: Desk, who: str, event: str, reason: str = "", expect: int | None = None, dry: bool = False
) -> Answer:
    """
    Take a decision back: everything becomes what it was before it, unless something later touched it.

    Args:
        desk: Where.
        who: Name of the operator.
        event: Id of the decision (identity_history).
        reason: Why.
        expect: As `identity_link`.
        dry: As `identity_link`.
    """
    former = await require_event(desk, event)
    later = await _later(desk, former)
    undone = next((one for one in later if one.undoes == former.id), None)
    if undone is not None and not any(one.undoes == undone.id for one in later):
        raise OperationRefused(f"decision {former.id} was taken back already, by decision {undone.id}")
    made = await _event(desk, lambda view: acts.undo(former, view, _act(desk, who, reason)), *_touched(former), later)
    if dry:
        return await _consequence(desk, made, former.patients, list(former.identifiers))
    return await _done(desk, who, "undo", made, {"event": former.id}, reason, expect)


async def identity_next_number(
    desk: Desk, who: str, number: int, reason: str = "", expect: int | None = None, dry: bool = False
) -> Answer:
    """
    Jump the counter of the group's numbers forward: after a restore, no number is given twice.

    Args:
        desk: Where.
        who: Name of the operator.
        number: The next patient gets this one; never less than now.
        reason: Why.
        expect: 1.
        dry: Only say what would be.
    """
    _, policy = require_identity(desk)
    now = (await desk.store.identity_facts()).next_patient
    if number <= now:
        raise OperationRefused(f"the next number is {now:,} already: the counter only goes forward")
    if number > policy.number.last:
        raise OperationRefused(f"the group's numbers end at {policy.number.last:,}", exit_code=2)
    if dry:
        return {"v": 1, "dry": True, "count": 1, "now": now, "next": number}
    require_count(1, expect, "counter")
    act = Act(stage="router", verb="identity-next", arguments={"patient": number}, label=str(number))
    return await carry_out(desk, [act], who=who, verb="identity next-number", reason=reason)


def _act(desk: Desk, who: str, reason: str) -> acts.Act:
    return acts.Act(who=who, reason=reason.strip(), place=0, at_ms=desk.now_ms())


async def _event(
    desk: Desk, decide: Callable[[Known], IdentityEvent | acts.Refusal], identifiers: Collection[int],
    patients: Collection[int], later: Collection[IdentityEvent] = (),
) -> IdentityEvent:  # fmt: skip
    """
    Ask what an act would do; the rows named are read first, all at once.

    Raises:
        OperationRefused: It isn't done; decisions that stand in the way (`later`) are named.
    """
    require_identity(desk)
    made = await decided(desk, decide, identifiers, patients)
    if isinstance(made, acts.Refusal):
        ids = ", ".join(str(one.id) for one in later)
        raise OperationRefused(f"{made.sentence}; later decisions on the same: {ids}" if ids else made.sentence)
    return made


async def _later(desk: Desk, former: IdentityEvent) -> list[IdentityEvent]:
    """Return the decisions after one that touched its patients, newest first; of its first patients, when many."""
    found: dict[int, IdentityEvent] = {}
    for id_ in list(former.patients)[:_PATIENTS_LOOKED_AT]:
        for one in await desk.queries.identity_events(patient=id_, limit=_LATER_MAX):
            if one.id > former.id:
                found[one.id] = one
    return [found[id_] for id_ in sorted(found, reverse=True)]


async def _marked(desk: Desk, one: int, other: int) -> str:
    """Name the decision that marked two patients apart."""
    pair = min(one, other), max(one, other)
    for event in await desk.queries.identity_events(patient=one, limit=_LATER_MAX):
        review = event.reviews.get(pair, (None, None))[1]
        if review is not None and review.state is ReviewState.APART:
            return f" (decision {event.id})"
    return ""


def _touched(event: IdentityEvent) -> tuple[Collection[int], Collection[int]]:
    return event.identifiers, {*event.patients, *(id_ for pair in event.reviews for id_ in pair)}


def moved_by(event: IdentityEvent) -> int:
    """Count the identifiers that an event gives to another patient; hospitals' numbers also where they come or go."""
    moved = 0
    for before, after in event.identifiers.values():
        if before is not None and after is not None:
            moved += before.patient != after.patient
        else:
            row = before or after
            moved += row is not None and row.kind in NUMBERS
    return moved


def _forgotten(event: IdentityEvent) -> int:
    """Count the hospitals' numbers that nobody has any more."""
    return sum(after is None and row is not None and row.kind in NUMBERS for row, after in event.identifiers.values())


async def _consequence(desk: Desk, event: IdentityEvent, patients: Iterable[int], keys: list[int]) -> Answer:
    configuration, _ = require_identity(desk)
    seeing = Seeing(configuration, require_references(desk))
    return {
        "v": 1,
        "dry": True,
        "count": moved_by(event),
        "moved": moved_by(event),
        "changes": seeing.changes(event),
        "waiting": await waiting_of(desk, patients, keys),
        "carried": await carried(desk, keys),
        "remaining": await names_both(desk, event),
        "forgotten": _forgotten(event),
    }


async def _done(
    desk: Desk, who: str, verb: str, event: IdentityEvent, arguments: dict[str, Any], reason: str,
    expect: int | None, subject: str = "",
) -> Answer:  # fmt: skip
    require_count(moved_by(event), expect, "identifier")
    require_reason(reason)
    label = subject or " and ".join(str(arguments[name]) for name in ("one", "other", "event") if name in arguments)
    act = Act(stage="router", verb=f"identity-{verb}", arguments=arguments, label=label)
    return await carry_out(desk, [act], who=who, verb=f"identity {verb}", reason=reason)


async def _given_back(
    desk: Desk, policy: IdentityPolicy, patient: PatientRow, rows: Sequence[IdentifierRow], keys: Collection[int]
) -> list[IdentifierRow]:
    """Return the group's numbers that go along: where it gives them itself, those of before a link."""
    if policy.registry is not Registry.OWN:
        return []
    events = [
        event
        for row in stale(patient, rows)
        for event in await desk.queries.identity_events(identifier=row.hash, limit=_LATER_MAX)
    ]
    return going_along(patient, rows, keys, events)
