"""Which decisions parted the patients of a message while something of it waited: who decided, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.core.messages import DeliveryFlag, DeliveryKind, show_delivery_id
from engine.core.parting import parted_by
from engine.operations.identities.naming import numbers_of
from engine.operations.rows import word
from engine.routes.parting import PARTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.identities import IdentityEvent
    from engine.core.messages import StoredMessage
    from engine.operations.desk import Desk

_NUMBERS_MAX: Final = 20
_EVENTS_MAX: Final = 200
"""Of each number, newest first."""


async def partings_of(desk: Desk, place: int, deliveries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Say by which decisions the patients of a message were parted before a delivery of it had left.

    Args:
        desk: Where.
        place: Of the message.
        deliveries: Its rows.

    Returns:
        One a decision and delivery: `at_ms`, `what`, `delivery`, `destination`, `detail`: which decision, whose and
        why, and what became of the delivery. None where its bytes were pruned, or the configuration knows no patients.
    """
    stored = await desk.store.message(place)
    keys = [] if stored is None else await numbers_of(desk, stored)
    events: dict[int, IdentityEvent] = {}
    for key in keys[:_NUMBERS_MAX]:
        found = await desk.queries.identity_events(identifier=key, limit=_EVENTS_MAX)
        events |= {one.id: one for one in found if not parted_by([one]).isdisjoint(keys)}
    return [
        {"at_ms": event.at_ms, "what": "patients parted", "delivery": show_delivery_id(int(row["delivery"])),
         "destination": str(row["destination"]), "detail": f"{_by(event)}; {_became(row)}"}
        for _, event in sorted(events.items()) if stored is not None and _is_later(event, stored)
        for row in deliveries
        if word(DeliveryKind, row.get("kind", 0)) == "bytes" and _waited(row, event)
    ]  # fmt: skip


def _is_later(event: IdentityEvent, stored: StoredMessage) -> bool:
    """Whether a decision came after a message; that of a rule has the time of its own message."""
    return event.at_ms >= stored.received_ms if event.who else event.place > stored.place


def _waited(row: dict[str, Any], event: IdentityEvent) -> bool:
    """Whether a delivery hadn't left when something was decided."""
    ended = int(row.get("end_ms") or 0)
    marked = bool(int(row.get("flags") or 0) & DeliveryFlag.PARTED)
    return not ended or ended >= event.at_ms or marked


def _by(event: IdentityEvent) -> str:
    who = f"of {event.who}" if event.who else f"of a rule, by message {event.place}"
    return f"decision {event.id} ({event.rule}) {who}" + (f": {event.reason}" if event.reason else "")


def _became(row: dict[str, Any]) -> str:
    flags = int(row.get("flags") or 0)
    state = str(row["state"]).lower()
    if row.get("code") == PARTED:
        return "it couldn't be made anew, and is a dead letter E-ID-PARTED"
    if not flags & DeliveryFlag.PARTED:
        return "what named two people then was made anew"
    return _MARKED.get(state, "")


_MARKED: Final = {
    "pending": "it is to be made anew", "delivered": "it was in flight, and left as it was made",
    "dead": "it was dead, and is made anew when it is retried",
}  # fmt: skip
