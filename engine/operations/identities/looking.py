"""Look into the cross-reference: a patient, his history, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.core.identities import IdentifierKind
from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryKind
from engine.identity.decisions import territorial
from engine.operations.acts import require_reason
from engine.operations.identities.knowing import (
    KINDS,
    hashes_of,
    read_number,
    require_identity,
    require_patient,
    require_references,
)
from engine.operations.identities.reviewing import reviews_of
from engine.operations.identities.seeing import Seeing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.operations.desk import Answer, Desk

_PAGE_MAX: Final = 400
_QUEUE_MAX: Final = 100
_WITHOUT_BYTES: Final = (DeliveryKind.FENCE, DeliveryKind.WALL)


async def identity_find(desk: Desk, who: str, kind: str, value: str, reveal: bool = False, reason: str = "") -> Answer:
    """
    Find the patients who have an identifier.

    Args:
        desk: Where.
        who: Name of the operator.
        kind: ipp, nda, ins, or number (the group's own).
        value: The identifier; hashed here, it goes nowhere else.
        reveal: With the values; needs a reason, and stands in the audit trail before anything is shown.
        reason: Why.
    """
    configuration, _ = require_identity(desk)
    references = require_references(desk)
    keys = hashes_of(configuration, references, kind, value)
    found = await desk.store.identities(keys)
    rows = [row for key in keys if (row := found.identifiers.get(key)) is not None and row.value == value]
    under = {row.under for row in rows if row.kind is IdentifierKind.STAY}
    if under:
        rows += [row for key, row in (await desk.store.identities(sorted(under))).identifiers.items() if key in under]
    ids = sorted({row.patient for row in rows if row.patient})
    if reveal and ids:
        await desk.audit(who, "reveal", f"patient {', '.join(map(str, ids))}", require_reason(reason))
    seeing = Seeing(configuration, references, reveal=reveal)
    shown = [seeing.patient(*await require_patient(desk, id_)) for id_ in ids]
    return {"v": 1, "masked": not reveal, "rows": shown}


async def identity_show(
    desk: Desk,
    who: str,
    id: str,  # noqa: A002 - the command line's word
    reveal: bool = False,
    reason: str = "",
) -> Answer:
    """
    Show a patient: identifiers, what each hospital says of him, pairs on the review list, deliveries that wait.

    Args:
        desk: Where.
        who: Name of the operator.
        id: Of the patient.
        reveal: With the values; needs a reason, and stands in the audit trail before anything is shown.
        reason: Why.
    """
    configuration, _ = require_identity(desk)
    references = require_references(desk)
    patient, rows = await require_patient(desk, read_number(id, "patient"))
    if reveal:
        await desk.audit(who, "reveal", f"patient {id}", require_reason(reason))
    seeing = Seeing(configuration, references, reveal=reveal)
    waiting = await waiting_of(desk, [patient.id], [row.hash for row in rows])
    reviews = await reviews_of(desk, patient.id)
    shown = seeing.patient(patient, rows)
    return {"v": 1, "masked": not reveal} | shown | {"reviews": reviews, "waiting": waiting}


async def identity_history(
    desk: Desk,
    who: str,
    id: str = "",  # noqa: A002 - the command line's word
    before: str = "",
    limit: int = 50,
    reveal: bool = False,
    reason: str = "",
) -> Answer:
    """
    List decisions, newest first: of rules and of people, with what they changed.

    Args:
        desk: Where.
        who: Name of the operator.
        id: Of a patient, also one who was joined to another; empty: all decisions.
        before: Id of the last decision seen, to go on.
        limit: How many at most.
        reveal: With the values; needs a reason, and stands in the audit trail before anything is shown.
        reason: Why.
    """
    configuration, _ = require_identity(desk)
    patient = read_number(id, "patient") if id else 0
    wanted = min(limit, _PAGE_MAX)
    below = read_number(before, "event") if before else 0
    found = await desk.queries.identity_events(patient=patient, before=below, limit=wanted)
    if patient and not found and not before:
        await require_patient(desk, patient)
    if reveal and found:
        await desk.audit(who, "reveal", f"history of patient {id}" if id else "history", require_reason(reason))
    seeing = Seeing(configuration, require_references(desk), reveal=reveal)
    rows = [seeing.event(event, patient) for event in found]
    return {"v": 1, "masked": not reveal, "rows": rows, "next": rows[-1]["id"] if len(rows) == wanted else ""}


async def identity_stats(desk: Desk) -> Answer:
    """Count patients, identifiers by kind, decisions by rule, pairs by state, messages that wait for an identifier."""
    require_identity(desk)
    facts = await desk.store.identity_facts()
    return {"v": 1} | await desk.queries.identity_stats() | {"next_patient": facts.next_patient}


async def waiting_of(desk: Desk, patients: Iterable[int], identifiers: Iterable[int]) -> list[dict[str, Any]]:
    """
    Count the deliveries of some patients that have not left: by destination, how many.

    Args:
        desk: Where.
        patients: Their ids.
        identifiers: Hashes of their identifiers: under these stands what was routed before they were known.
    """
    configuration, _ = require_identity(desk)
    references = require_references(desk)
    lanes = [territorial(references, id_) for id_ in patients]
    lanes += identifiers
    found = []
    for name in configuration.destinations:
        waiting: set[int] = set()
        for lane in lanes:
            for one in await desk.store.queue_of(name, lane, 0, _QUEUE_MAX):
                if one.state is DeliveryState.PENDING and one.kind not in _WITHOUT_BYTES:
                    waiting.add(one.id)
        if waiting:
            found.append({"destination": name, "waiting": len(waiting)})
    return found


__all__ = ["KINDS", "identity_find", "identity_history", "identity_show", "identity_stats", "waiting_of"]
