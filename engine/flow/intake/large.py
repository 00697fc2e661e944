"""Large messages on their way from reception to their routes: until then they count in the reception budget."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.changes import Route
from engine.core.messages import StoredMessage
from engine.core.ports import Store
from engine.core.reception import LARGE_MESSAGE_BYTES, ReceptionBudget


class LargeMessages:
    """What the large messages of all sources hold."""

    def __init__(self, store: Store, budget: ReceptionBudget) -> None:
        """Begin with none."""
        self._store = store
        self._budget = budget
        self._listening: set[str] = set()
        self._unrouted: dict[int, int] = {}
        """Place -> bytes."""

    @property
    def load(self) -> float:
        """0..1: how far they fill the budget."""
        return self._budget.load

    def taken(self, message: StoredMessage) -> None:
        """Count a message that is about to be stored."""
        if message.held_bytes >= LARGE_MESSAGE_BYTES:
            self._budget.take(message.held_bytes)

    def stored(self, message: StoredMessage) -> None:
        """Count it until it is routed: from now on it has a place."""
        if message.held_bytes < LARGE_MESSAGE_BYTES:
            return
        if message.group not in self._listening:
            self._listening.add(message.group)
            self._store.on_routed(message.group, self._routed)
        self._unrouted[message.place] = message.held_bytes

    def not_stored(self, message: StoredMessage) -> None:
        """Count it no more: its sender has it."""
        if message.held_bytes >= LARGE_MESSAGE_BYTES:
            self._budget.release(message.held_bytes)

    def _routed(self, routes: Sequence[Route]) -> None:
        if not self._unrouted:
            return
        for route in routes:
            size = self._unrouted.pop(route.place, 0)
            if size:
                self._budget.release(size)
