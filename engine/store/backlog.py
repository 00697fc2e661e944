"""How full a store's backlog is: changes submitted and not yet committed, counted and weighed alike in all stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.core.changes import Change, Identify, Receipt, Receive, Refuse, Remake, Route, events_of
from engine.core.identities import IdentityEvent

CHANGES_HELD: Final = 8_000
BYTES_HELD: Final = 32 * 1024 * 1024
"""Backlog at which the store is full (load 1)."""
CHANGE_BYTES: Final = 300
"""What a change without bytes counts for."""
EVENT_BYTES: Final = 300
ROW_BYTES: Final = 500
"""What an identity event and each row that it touched count for, before and after together."""
UNROUTED_HELD: Final = 120
"""
Messages taken in this run and not yet routed at which the store is full.

Routing needs no receiver, only time: when more is taken than can be routed, the rest of the way would be read
from disk again, which costs what is missing. The senders' next messages wait instead, some milliseconds.
"""


def size_of(change: Change) -> int:
    """Return about how many bytes of memory a change holds until it is committed."""
    size = CHANGE_BYTES
    kind = type(change)
    if kind is Receive:
        size += change.message.held_bytes  # type: ignore[union-attr]
    elif kind is Route:
        for delivery in change.deliveries:  # type: ignore[union-attr]
            size += CHANGE_BYTES if delivery.payload is None else CHANGE_BYTES + len(delivery.payload)
        size += len(change.whole)  # type: ignore[union-attr]
        if change.identity:  # type: ignore[union-attr]
            size += _size_of_events(change.identity)  # type: ignore[union-attr]
    elif kind is Identify:
        size += _size_of_events(events_of(change))  # type: ignore[arg-type]
    elif kind is Remake:
        size += len(change.delivery.payload or b"")  # type: ignore[union-attr]
    elif kind is Refuse:
        size += len(change.refusal.raw)  # type: ignore[union-attr]
    return size


def _size_of_events(events: list[IdentityEvent]) -> int:
    return sum(EVENT_BYTES + ROW_BYTES * (len(event.identifiers) + len(event.patients)) for event in events)


def load_of(changes: int, size: int, unrouted: int = 0) -> float:
    """Return the load (0..1) of a backlog of so many changes and bytes, and messages not yet routed."""
    return min(1.0, max(changes / CHANGES_HELD, size / BYTES_HELD, unrouted / UNROUTED_HELD))


def newly_unrouted(outcomes: Iterable[tuple[Change, object, object]]) -> int:
    """Return by how many messages a commit's outcomes lengthen what waits to be routed (negative: shorten)."""
    count = 0
    for change, _, outcome in outcomes:
        kind = type(change)
        if kind is Receive:
            count += type(outcome) is Receipt
        elif kind is Route:
            if type(outcome) is Receipt:
                count += len(change.released) - 1  # type: ignore[union-attr]
    return count


def sent_in(slots: Mapping[int, tuple[int, int]]) -> dict[int, int]:
    """Return the deliveries of in-flight slots, each with its last attempt."""
    found: dict[int, int] = {}
    for delivery, attempt in slots.values():
        found[delivery] = max(attempt, found.get(delivery, 0))
    return found
