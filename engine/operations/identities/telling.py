"""Who received an identifier, in which message, when: no message un-merges at a receiver, so people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.core.lifecycle import DeliveryState
from engine.errors import OperationRefused
from engine.operations.identities.knowing import (
    hashes_of,
    read_number,
    require_identity,
    require_patient,
    require_references,
)
from engine.operations.rows import PARTED_WORDS, delivery_row, read_delivery

if TYPE_CHECKING:
    from engine.core.identities import IdentityEvent
    from engine.operations.desk import Answer, Desk

_PAGE_MAX: Final = 1_000


async def identity_impact(
    desk: Desk,
    id: str = "",  # noqa: A002 - the command line's word
    event: str = "",
    kind: str = "",
    value: str = "",
    before: str = "",
    limit: int = 50,
) -> Answer:
    """
    List the deliveries that carried the identifiers of a patient, newest first, and those that still wait.

    Args:
        desk: Where.
        id: Of a patient, also one who was joined to another since.
        event: Id of a decision instead: the identifiers that it moved.
        kind: Kind of one identifier instead: ipp, nda, ins, number.
        value: That identifier.
        before: Id of the last delivery seen, to go on.
        limit: How many at most.

    Returns:
        `rows`: id, destination, message, type, state, sent_ms (0: not yet), note (of one that left as it was made, or
        is to be made anew, when its patients were parted); `waiting`: how many of these wait;
        `destinations`: how many by destination, of these.
    """
    keys = await _keys(desk, id, event, kind, value)
    wanted = min(limit, _PAGE_MAX)
    found = await desk.queries.carriers(keys, before=read_delivery(before) if before else 0, limit=wanted)
    rows = [_row(one) for one in found]
    by_destination: dict[str, int] = {}
    for row in rows:
        by_destination[row["destination"]] = by_destination.get(row["destination"], 0) + 1
    return {
        "v": 1,
        "rows": rows,
        "identifiers": len(keys),
        "waiting": sum(row["state"] == "pending" for row in rows),
        "destinations": by_destination,
        "next": rows[-1]["id"] if len(rows) == wanted else "",
    }


async def carried(desk: Desk, keys: list[int]) -> int:
    """Count the deliveries that carried some identifiers, up to a thousand."""
    return len(await desk.queries.carriers(keys, limit=_PAGE_MAX)) if keys else 0


async def _keys(desk: Desk, id_: str, event: str, kind: str, value: str) -> list[int]:
    configuration, _ = require_identity(desk)
    if sum(map(bool, (id_, event, kind))) != 1:
        raise OperationRefused("say whose: the id of a patient, --event ID, or one identifier (--ipp…)", exit_code=2)
    if kind:
        return hashes_of(configuration, require_references(desk), kind, value)
    if event:
        return list((await require_event(desk, event)).identifiers)
    number = read_number(id_, "patient")
    if number in (await desk.store.identities((), (number,))).patients:
        _, rows = await require_patient(desk, number)
        return [row.hash for row in rows]
    for one in await desk.queries.identity_events(patient=number, limit=20):
        former = one.patients.get(number, (None, None))[0]
        if former is not None:
            return list(former.identifiers)
    await require_patient(desk, number)  # says that there is none
    return []


async def require_event(desk: Desk, text: str) -> IdentityEvent:
    """
    Return a decision.

    Raises:
        OperationRefused: There is none of that id.
    """
    found = await desk.queries.identity_event(read_number(text, "event"))
    if found is None:
        raise OperationRefused(f"there is no decision {text}; `passerelle identity history` lists them")
    return found


def _row(one: dict[str, Any]) -> dict[str, Any]:
    shown = delivery_row(one)
    delivered = int(one["state"]) == DeliveryState.DELIVERED if not isinstance(one["state"], str) else (
        one["state"].lower() == "delivered"
    )  # fmt: skip
    return {
        "id": shown["id"], "message": shown["message"], "destination": shown["destination"],
        "type": shown.get("type", ""), "state": shown["state"], "route": shown.get("route", ""),
        "sent_ms": int(one.get("end_ms") or 0) if delivered else 0,
        "note": next((words for words in shown["flags"] if words in PARTED_WORDS), ""),
    }  # fmt: skip
