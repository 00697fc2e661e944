"""Operators' questions on the cross-reference of the memory store."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from engine.core.identities import (
    OPEN_PAIRS,
    IdentifierRow,
    IdentityEvent,
    Pairs,
    PatientRow,
    ReviewRow,
)
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

    async def reviews(self, which: Pairs = OPEN_PAIRS, *, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Pairs on the review list, in the order in which they came onto it, by id above `after`."""
        numbers = self._disk.review_numbers
        chosen = sorted((numbers[row.low, row.high], pack_review(row)) for row in self._chosen(which))
        return [review_row((number, *values)) for number, values in chosen if number > after][:limit]

    async def review_counts(self, which: Pairs = OPEN_PAIRS) -> dict[str, int]:
        """Pairs on the review list: by rule, how many."""
        return dict(Counter(row.rule for row in self._chosen(which)))

    def _chosen(self, which: Pairs) -> list[ReviewRow]:
        patients = self._disk.patients

        def meant(row: ReviewRow) -> bool:
            pair = (row.low, row.high)
            there = [patients[one] for one in pair if one in patients]
            return (
                which.state in (None, row.state)
                and which.rule in ("", row.rule)
                and which.patient in (0, *pair)
                and row.at_ms >= which.since_ms
                and (not which.living or len(there) == len(pair))
                and (not which.site or any(said.site == which.site for one in there for said in one.assertions))
            )

        return [row for row in self._disk.reviews.values() if meant(row)]

    async def identity_stats(self) -> dict[str, Any]:
        """Counts of patients, identifiers by kind, events by rule, reviews by state, messages that wait."""
        ends: dict[bool, list[int]] = {False: [], True: []}
        for place, wait in self._disk.waits.items():
            ends[self._disk.messages[place].code == FRAGMENT_WAITING].append(wait.until_ms)
        waiting, parts = ((len(one), min(one, default=0)) for one in ends.values())
        return identity_stats_of(self._disk.counters, waiting, parts)

    async def wait_end(self, place: int) -> int:
        """Until when a message waits; 0: it doesn't wait."""
        wait = self._disk.waits.get(place)
        return 0 if wait is None else wait.until_ms

    async def identity_rows(self, *, after: int = 0, limit: int = 500) -> list[tuple[PatientRow, list[IdentifierRow]]]:
        """Patients with their identifiers (stays excepted), by id above `after`."""
        disk = self._disk
        ids = sorted(key for key in disk.patients if key > after)[:limit]
        rows = [disk.patients[key] for key in ids]
        return [(row, [disk.identifiers[key] for key in row.identifiers if key in disk.identifiers]) for row in rows]
