"""
Removing what is older than its retention: a slice at a time, behind everything else.

Every ten minutes; at once again while slices come back full. Never by a clock that may be wrong, which would remove
everything: one that went more than a day ahead while the engine ran (by its monotonic clock), or that is more than a
day ahead of the newest message. What was received by a wrong clock looks new, so after a start whose last message is
old a day has to pass too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog

from engine.core.changes import Prune, Receipt
from engine.core.ports import Runtime, Store, StoreQueries, Timer, Urgency
from engine.errors import PasserelleError, StoreError
from engine.settings import Keep

_log = structlog.get_logger(__name__)

DAY_MS: Final = 86_400_000
DAY_SECONDS: Final = 86_400.0
FIRST_SECONDS: Final = 60.0
"""After the start, which has better to do."""
EVERY_SECONDS: Final = 600.0
BUSY_SECONDS: Final = 5.0
"""Pause before the next slice while the store is loaded."""
BUSY_LOAD: Final = 0.3
SLICE_MESSAGES: Final = 500


class Retention:
    """Submits `Prune` now and then."""

    def __init__(
        self, keep: Keep, store: Store, queries: StoreQueries, runtime: Runtime,
        alert: Callable[[str, str, str], None],
    ) -> None:  # fmt: skip
        """
        Prepare; `start` sets the first timer.

        Args:
            keep: Days by kind.
            store: Where slices are submitted.
            queries: Tell when the newest message came.
            runtime: Clocks and timers.
            alert: Told `E-CLOCK-AHEAD` when the clock went ahead while the engine ran, `E-CLOCK-BACK` at its end.
        """
        self._keep = keep
        self._store = store
        self._queries = queries
        self._runtime = runtime
        self._alert = alert
        self._believed = (runtime.now_ms(), runtime.monotonic())
        """What the clock said when it was last believed, and when that was."""
        self._jumped = False
        self._not_before = 0.0
        """Monotonic seconds; nothing goes before."""
        self._timer: Timer | None = None
        self._stopped = False
        self._round = 0
        self.removed = 0
        """Messages of which something was removed since the start."""
        self.clock_ahead = False
        """The last look found the clock more than a day ahead: of itself, or of the newest message."""

    def start(self) -> None:
        """Look for the first time in a minute."""
        self._runtime.spawn(self._begin(), "retention")

    async def _begin(self) -> None:
        try:
            newest_ms = await self._newest_ms()
        except PasserelleError:
            newest_ms = 0
        if self._runtime.now_ms() > newest_ms + DAY_MS:
            self._not_before = self._runtime.monotonic() + DAY_SECONDS
        self._again(FIRST_SECONDS)

    def stop(self) -> None:
        """Submit nothing more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def facts(self) -> dict[str, Any]:
        """Return what was removed since the start, for status."""
        return {"removed": self.removed, "clock_ahead": self.clock_ahead}

    def _again(self, seconds: float) -> None:
        if not self._stopped:
            self._timer = self._runtime.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._store.load > BUSY_LOAD:
            self._again(BUSY_SECONDS)
        else:
            self._runtime.spawn(self._slice(), "retention")

    async def _slice(self) -> None:
        try:
            newest_ms = await self._newest_ms()
        except PasserelleError:  # the store can't be read now
            self._again(EVERY_SECONDS)
            return
        now_ms = self._runtime.now_ms()
        self._watch_clock(now_ms)
        self.clock_ahead = self._jumped or now_ms > newest_ms + DAY_MS
        if self._stopped:
            return
        if self.clock_ahead or self._runtime.monotonic() < self._not_before:
            self._end_round()
            return
        keep = self._keep
        prune = Prune(
            bodies_before_ms=now_ms - keep.bodies_days * DAY_MS,
            dead_before_ms=now_ms - keep.dead_days * DAY_MS,
            rows_before_ms=now_ms - keep.rows_days * DAY_MS,
            limit=SLICE_MESSAGES,
        )
        self._store.submit(prune, Urgency.LAZY, self._pruned)

    def _watch_clock(self, now_ms: int) -> None:
        """Compare the clock with the monotonic one; what it drifts, or is set back, is followed."""
        was_ms, since = self._believed
        ahead_ms = now_ms - was_ms - (self._runtime.monotonic() - since) * 1000
        jumped = ahead_ms > DAY_MS
        if not jumped:
            self._believed = now_ms, self._runtime.monotonic()
        if jumped is not self._jumped:
            self._jumped = jumped
            if jumped:
                days = f"the clock went {ahead_ms / DAY_MS:.0f} days ahead while the engine ran"
                self._alert("E-CLOCK-AHEAD", "clock", f"{days}: nothing is removed until it is right")
            else:
                self._alert("E-CLOCK-BACK", "clock", "the clock is right again")

    async def _newest_ms(self) -> int:
        place = (await self._queries.facts())["highest_place"]
        row = await self._queries.message_row(place) if place else None
        return int(row["received_ms"]) if row is not None else 0

    def _pruned(self, result: Receipt | StoreError) -> None:
        if not isinstance(result, Receipt):
            _log.warning("retention failed", reason=str(result))
            self._again(EVERY_SECONDS)
            return
        self.removed += result.place
        self._round += result.place
        if result.place >= SLICE_MESSAGES:
            self._again(0.0)
        else:
            self._end_round()

    def _end_round(self) -> None:
        if self._round:
            _log.info("retention", messages=self._round)
        self._round = 0
        self._again(EVERY_SECONDS)
