"""One timer for everything of a destination that waits for a moment: a heap, not a timer per message."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heapify, heappop, heappush

from engine.core.ports import Runtime, Timer


class Moment(IntEnum):
    """What is waited for."""

    DUE = 0
    """The next attempt of a delivery."""
    RESULTS = 1
    """Results may pass a parked delivery."""
    PARKED_LONG = 2
    """A parked delivery is told of."""
    PROBE = 3
    """The circuit lets one more leave."""
    READ = 4
    """A failed read is tried again."""
    SETTLE = 5
    """Outcomes that could not be stored are submitted again."""
    RECHECK = 6
    """Lanes of which nothing is loaded are asked for again."""
    DEATHS = 7
    """Deaths that no outage took back are told."""
    OVERDUE = 8
    """What is at the door is looked at."""


class Deadlines:
    """Moments of one destination, by what is waited for and the delivery concerned."""

    def __init__(self, runtime: Runtime, reached: Callable[[Moment, int], None]) -> None:
        """
        Begin with none.

        Args:
            runtime: Clock and timer.
            reached: Called when a moment has come, with the delivery (or 0).
        """
        self._runtime = runtime
        self._reached = reached
        self._at: dict[tuple[int, int], float] = {}
        self._heap: list[tuple[float, int, int]] = []
        self._timer: Timer | None = None
        self._timer_at = 0.0

    def __len__(self) -> int:
        return len(self._at)

    def set(self, what: Moment, delivery: int, at: float) -> None:
        """Wait until `at` (monotonic seconds); replaces an earlier wish for the same."""
        key = (int(what), delivery)
        if self._at.get(key) == at:
            return
        self._at[key] = at
        heappush(self._heap, (at, int(what), delivery))
        if len(self._heap) > 2 * len(self._at) + 1000:
            self._heap = [(moment, *key) for key, moment in self._at.items()]
            heapify(self._heap)
        self._arm()

    def get(self, what: Moment, delivery: int) -> float | None:
        """When it is due, or None."""
        return self._at.get((int(what), delivery))

    def drop(self, what: Moment, delivery: int) -> None:
        """Don't wait any longer."""
        self._at.pop((int(what), delivery), None)

    def clear(self) -> None:
        """Wait for nothing."""
        self._at.clear()
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def earliest(self, what: Moment) -> float | None:
        """The first moment of a kind; looks at all."""
        return min((at for (kind, _), at in self._at.items() if kind == what), default=None)

    def _arm(self) -> None:
        heap = self._heap
        while heap and self._at.get((heap[0][1], heap[0][2])) != heap[0][0]:
            heappop(heap)
        if not heap:
            return
        at = heap[0][0]
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._runtime.call_later(max(0.0, at - self._runtime.monotonic()), self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._runtime.monotonic()
        due: list[tuple[Moment, int]] = []
        while self._heap and self._heap[0][0] <= now:
            at, what, delivery = heappop(self._heap)
            if self._at.get((what, delivery)) == at:
                del self._at[what, delivery]
                due.append((Moment(what), delivery))
        for kind, delivery in due:
            self._reached(kind, delivery)
        self._arm()
