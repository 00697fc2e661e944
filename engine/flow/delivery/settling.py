"""
Outcomes on their way to the disk.

A Settle that can't be stored at the moment is submitted again: its lanes wait meanwhile, and nothing is sent
twice. A Settle that is refused means that memory and disk disagree, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from engine.core.changes import Receipt, Settle
from engine.core.ports import Runtime, Store, Urgency
from engine.errors import ChangeRefused, StoreError
from engine.flow.delivery.deadlines import Deadlines, Moment
from engine.flow.delivery.flight import Flight, Slots, apply_settle

_AGAIN_SECONDS: Final = 1.0


class Settling:
    """The outcomes of one destination that aren't on disk yet."""

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        slots: Slots,
        deadlines: Deadlines,
        settled: Callable[[Flight, Settle], None],
        refused: Callable[[Flight, ChangeRefused], None],
    ) -> None:
        """
        Begin with none.

        Args:
            store: Takes them.
            runtime: Clock.
            slots: Get back a flight's slot when its outcome is on disk.
            deadlines: The destination's timer.
            settled: Called when an outcome is on disk and its delivery equal to its row.
            refused: Called when the store refused one.
        """
        self._store = store
        self._runtime = runtime
        self._slots = slots
        self._deadlines = deadlines
        self._settled = settled
        self._refused = refused
        self._flights: dict[int, Flight] = {}
        self._unstored: list[tuple[Flight, Settle]] = []

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._flights.values())

    def __contains__(self, delivery: object) -> bool:
        return delivery in self._flights

    def submit(self, flight: Flight, settle: Settle, *, urgent: bool = False) -> None:
        """Put an outcome on disk; `urgent`: nothing else is under way, and others wait for it."""
        self._flights[flight.delivery.id] = flight
        self._store.submit(settle, Urgency.NOW if urgent else Urgency.SOON, partial(self._done, flight, settle))

    def _done(self, flight: Flight, settle: Settle, receipt: Receipt | StoreError) -> None:
        if isinstance(receipt, StoreError) and not isinstance(receipt, ChangeRefused):
            self._unstored.append((flight, settle))
            self.later()
            return
        del self._flights[flight.delivery.id]
        if flight.slot >= 0:
            self._slots.give(flight.slot)
        if isinstance(receipt, ChangeRefused):
            self._refused(flight, receipt)
            return
        apply_settle(flight.delivery, settle)
        self._settled(flight, settle)

    def later(self) -> None:
        """Submit again, in a while, what could not be stored."""
        self._deadlines.set(Moment.SETTLE, 0, self._runtime.monotonic() + _AGAIN_SECONDS)

    def again(self) -> None:
        """Submit again what could not be stored."""
        unstored, self._unstored = self._unstored, []
        for flight, settle in unstored:
            self.submit(flight, settle)
