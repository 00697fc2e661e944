"""
When each source and destination was last heard of, written down now and then: ages go on after a restart.

Without it a restart in the night would hide an outage of six hours. What happened in the last seconds before a
crash may be missing, which makes an age some seconds too long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from engine.core.changes import Moments, Receipt
from engine.core.ports import Runtime, Store, Timer, Urgency
from engine.errors import StoreError

EVERY_SECONDS: Final = 10.0
_SAME_MS: Final = 5_000
"""A clock that is set a little, or the way from one clock to another, doesn't move the begin of an outage."""

Read = Callable[[], Mapping[tuple[str, str], int]]
"""Gives (what, name) -> milliseconds, as core.changes.Moments; 0: never, or over."""


class Ages:
    """Submits `Moments` when something has changed."""

    def __init__(self, store: Store, runtime: Runtime, read: Read) -> None:
        """
        Prepare; `start` sets the first timer.

        Args:
            store: Where moments are kept.
            runtime: Timers.
            read: Tells the moments of now.
        """
        self._store = store
        self._runtime = runtime
        self._read = read
        self._known: dict[tuple[str, str], int] = {}
        self._timer: Timer | None = None

    def start(self, known: Mapping[tuple[str, str], int]) -> None:
        """Begin with what the store has."""
        self._known = dict(known)
        self._timer = self._runtime.call_later(EVERY_SECONDS, self._look)

    def stop(self) -> None:
        """Write down the last ones."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._write()

    def _look(self) -> None:
        self._write()
        self._timer = self._runtime.call_later(EVERY_SECONDS, self._look)

    def _write(self) -> None:
        changed = {key: at_ms for key, at_ms in self._read().items() if self._differs(key, at_ms)}
        if not changed:
            return

        def done(result: Receipt | StoreError) -> None:
            if isinstance(result, Receipt):
                self._known |= changed

        self._store.submit(Moments(changed), Urgency.LAZY, done)

    def _differs(self, key: tuple[str, str], at_ms: int) -> bool:
        known = self._known.get(key, 0)
        if key[0] == "outage" and known and at_ms:
            return abs(known - at_ms) > _SAME_MS
        return known != at_ms
