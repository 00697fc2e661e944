"""
What the memory store keeps, and how it takes a change back.

Rows are never changed in place: a change puts a new row, so that undoing is putting the old one back.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from engine.core.changes import Audit
from engine.core.identities import IdentifierRow, IdentityEvent, PatientRow, ReviewRow, Wait
from engine.core.messages import Attachment, Attempt, Delivery, Hold, Intention, Refusal, StoredMessage, Takeover
from engine.errors import StoreLocked
from engine.store.counting import CounterKey
from engine.store.identity_rules import traits_of

MISSING: Final = object()


@dataclass(slots=True)
class MessageRow:
    """A message and the router's decision on it."""

    message: StoredMessage
    code: str = ""
    field: str = ""
    reason: str = ""
    config: str = ""
    linked_to: int = 0
    keys: tuple[int, ...] = ()


@dataclass(slots=True)
class DeliveryRow:
    """A delivery, with the beginning of its first attempt and the end of its last one."""

    delivery: Delivery
    first_ms: int = 0
    end_ms: int = 0


@dataclass(slots=True)
class IntentionRow:
    """An intention, and its outcome when it was executed."""

    intention: Intention
    accepted: bool | None = None
    outcome: str = ""


@dataclass
class MemoryDisk:
    """What survives a crash of the memory store."""

    messages: dict[int, MessageRow] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    attachments: dict[int, tuple[Attachment, ...]] = field(default_factory=dict)
    fragments: dict[int, tuple[bytes, tuple[int, ...]]] = field(default_factory=dict)
    """What a message was when it came, and the places of those that joined it."""
    deliveries: dict[int, DeliveryRow] = field(default_factory=dict)
    deliveries_by_place: dict[int, list[int]] = field(default_factory=dict)
    attempts: dict[tuple[int, int], Attempt] = field(default_factory=dict)
    refusals: dict[int, Refusal] = field(default_factory=dict)
    intentions: dict[int, IntentionRow] = field(default_factory=dict)
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    actions: dict[int, Audit] = field(default_factory=dict)
    moments: dict[tuple[str, str], int] = field(default_factory=dict)
    configs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    takeovers: dict[int, Takeover] = field(default_factory=dict)
    counters: dict[CounterKey, int] = field(default_factory=dict)
    identifiers: dict[int, IdentifierRow] = field(default_factory=dict)
    patients: dict[int, PatientRow] = field(default_factory=dict)
    reviews: dict[tuple[int, int], ReviewRow] = field(default_factory=dict)
    review_numbers: dict[tuple[int, int], int] = field(default_factory=dict)
    """In the order in which the pairs came onto the list."""
    identity_events: dict[int, IdentityEvent] = field(default_factory=dict)
    waits: dict[int, Wait] = field(default_factory=dict)
    """By place."""
    slots: dict[int, tuple[int, int]] = field(default_factory=dict)
    """In-flight slots: (delivery, attempt)."""
    next_place: int = 1
    next_number: int = 1
    """Next id of refusals, intentions and actions."""
    next_event: int = 1
    next_patient: int = 1
    """Higher than every id of a patient ever given."""
    clean: bool = True
    started_ms: int = 0
    stopped_ms: int = 0
    key: bytes = b"the key of a store in memory...."
    owner: object | None = None

    places: list[int] = field(default_factory=list)
    """Keys of `messages`, in order."""
    queued: dict[str, list[int]] = field(default_factory=dict)
    """Ids of the queued deliveries by destination, in order."""
    alike: dict[int, set[int]] = field(default_factory=dict)
    """Hash of strict traits -> ids of patients."""

    def siblings(self, place: int) -> list[int]:
        """Ids of a message's deliveries."""
        return self.deliveries_by_place.get(place, [])

    def write(self, table: str, key: Any, row: Any) -> Any:
        """Put a row (`MISSING`: remove it) and keep the orders; returns what was there before."""
        rows: dict[Hashable, Any] = getattr(self, table)
        before = rows.get(key, MISSING)
        if row is MISSING:
            rows.pop(key, None)
        else:
            rows[key] = row
        if table == "messages":
            _keep_order(self.places, key, before is not MISSING, row is not MISSING)
        elif table == "deliveries":
            was = before is not MISSING and before.delivery.queued
            present = row is not MISSING and row.delivery.queued
            if was != present:
                destination = (before if row is MISSING else row).delivery.destination
                _keep_order(self.queued.setdefault(destination, []), key, was, present)
        elif table == "patients":
            for traits in traits_of(None if before is MISSING else before):
                self.alike[traits].discard(key)
            for traits in traits_of(None if row is MISSING else row):
                self.alike.setdefault(traits, set()).add(key)
        return before

    def acquire(self, owner: object) -> None:
        """
        Take the lock.

        Raises:
            StoreLocked: Another store owns this disk.
        """
        if self.owner is not None and self.owner is not owner:
            raise StoreLocked("this store in memory is held by another one")
        self.owner = owner

    def release(self, owner: object) -> None:
        """Give the lock back."""
        if self.owner is owner:
            self.owner = None


def _keep_order(order: list[int], key: int, was: bool, present: bool) -> None:
    if present and not was:
        insort(order, key)
    elif was and not present:
        del order[bisect_left(order, key)]


class Undo:
    """Every write of a transaction goes through here and can be taken back."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk
        self._log: list[tuple[str, Hashable, Any]] = []

    def mark(self) -> int:
        """Return the present point."""
        return len(self._log)

    def put(self, table: str, key: Hashable, row: object) -> None:
        """Insert or replace a row."""
        self._log.append((table, key, self._disk.write(table, key, row)))

    def remove(self, table: str, key: Hashable) -> None:
        """Remove a row, if it is there."""
        self._log.append((table, key, self._disk.write(table, key, MISSING)))

    def set(self, name: str, number: int) -> None:
        """Set a number of the disk itself."""
        self._log.append((name, MISSING, getattr(self._disk, name)))
        setattr(self._disk, name, number)

    def back_to(self, mark: int) -> None:
        """Take back everything after a mark."""
        while len(self._log) > mark:
            table, key, old = self._log.pop()
            if key is MISSING:
                setattr(self._disk, table, old)
            else:
                self._disk.write(table, key, old)
