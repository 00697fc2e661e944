"""Operators' questions on the cross-reference of the memory store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.core.identities import IdentifierRow, IdentityEvent, PatientRow, ReviewState
from engine.core.lifecycle import FRAGMENT_WAITING
from engine.store.identity_rows import pack_review
from engine.store.memory_rows import MemoryDisk
from engine.store.rows import identity_stats_of, review_row


class MemoryIdentityQueries:
    """The part of StoreQueries on identities, over a MemoryDisk."""

    _disk: MemoryDisk

    async def identity_events(
        self, *, patient: int = 0, identifier: int = 0, before: int = 0, limit: int = 50
    ) -> list[IdentityEvent]:
        """Identity events, newest first: those that touched a patient or an identifier, else all."""
        found = [
            replace(event)
            for number, event in sorted(self._disk.identity_events.items(), reverse=True)
            if not (before and number >= before)
            and (not (patient or identifier) or patient in event.patients or identifier in event.identifiers)
        ]
        return found[:limit]

    async def identity_event(self, event: int) -> IdentityEvent | None:
        """One identity event, as it was given to the store."""
        found = self._disk.identity_events.get(event)
        return None if found is None else replace(found)

    async def reviews(
        self, *, state: ReviewState | None = ReviewState.OPEN, after: int = 0, limit: int = 50
    ) -> list[dict[str, Any]]:
        """Pairs on the review list, in the order in which they came onto it."""
        numbers = sorted((number, pair) for pair, number in self._disk.review_numbers.items() if number > after)
        rows = [(number, self._disk.reviews[pair]) for number, pair in numbers]
        chosen = [(number, row) for number, row in rows if state is None or row.state == state]
        return [review_row((number, *pack_review(row))) for number, row in chosen[:limit]]

    async def identity_stats(self) -> dict[str, Any]:
        """Counts of patients, identifiers by kind, events by rule, reviews by state, messages that wait."""
        parts = sum(self._disk.messages[place].code == FRAGMENT_WAITING for place in self._disk.waits)
        return identity_stats_of(self._disk.counters, len(self._disk.waits) - parts, parts)

    async def identity_rows(self, *, after: int = 0, limit: int = 500) -> list[tuple[PatientRow, list[IdentifierRow]]]:
        """Patients with their identifiers (stays excepted), by id above `after`."""
        disk = self._disk
        ids = sorted(key for key in disk.patients if key > after)[:limit]
        rows = [disk.patients[key] for key in ids]
        return [(row, [disk.identifiers[key] for key in row.identifiers if key in disk.identifiers]) for row in rows]
