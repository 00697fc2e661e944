"""How full a store's backlog is: changes submitted and not yet committed, counted and weighed alike in all stores."""

from __future__ import annotations

from typing import Final

from engine.core.changes import Change, Receive, Refuse, Route

CHANGES_HELD: Final = 8_000
BYTES_HELD: Final = 32 * 1024 * 1024
"""Backlog at which the store is full (load 1)."""
CHANGE_BYTES: Final = 300
"""What a change without bytes counts for."""


def size_of(change: Change) -> int:
    """Return about how many bytes of memory a change holds until it is committed."""
    size = CHANGE_BYTES
    kind = type(change)
    if kind is Receive:
        size += len(change.message.raw)  # type: ignore[union-attr]
    elif kind is Route:
        for delivery in change.deliveries:  # type: ignore[union-attr]
            size += CHANGE_BYTES if delivery.payload is None else CHANGE_BYTES + len(delivery.payload)
    elif kind is Refuse:
        size += len(change.refusal.raw)  # type: ignore[union-attr]
    return size


def load_of(changes: int, size: int) -> float:
    """Return the load (0..1) of a backlog of so many changes and bytes."""
    return min(1.0, max(changes / CHANGES_HELD, size / BYTES_HELD))
