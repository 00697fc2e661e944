"""How many bytes of rendered messages stay in memory while they wait."""

from __future__ import annotations

from collections.abc import Container, Iterable

from engine.core.lanes import Lanes
from engine.core.messages import Delivery


class RenderedBudget:
    """
    Bytes of one destination's rendered messages.

    The count is high rather than exact (what is spilled from the lanes is forgotten with its bytes); it becomes
    exact when it passes the limit and the bytes of those that leave last are dropped, to be read again.
    """

    def __init__(self, limit: int) -> None:
        """
        Begin with none.

        Args:
            limit: Bytes.
        """
        self.limit = limit
        self._held = 0

    @property
    def left(self) -> int:
        """Bytes that may still be taken."""
        return self.limit - self._held

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Count the bytes that came with these."""
        for delivery in deliveries:
            if delivery.rendered is not None:
                self._held += len(delivery.rendered)

    def drop(self, delivery: Delivery) -> None:
        """Let go of a delivery's bytes."""
        if delivery.rendered is not None:
            self._held = max(0, self._held - len(delivery.rendered))
            delivery.rendered = None

    def keep_within(self, lanes: Lanes, leaving: Container[int]) -> None:
        """Drop the bytes of those that leave last, down to half the limit; never of those that are `leaving`."""
        if self._held <= self.limit:
            return
        kept = 0
        for delivery, blocked in sorted(lanes.loaded(), key=lambda pair: pair[0].id):
            if delivery.rendered is None or delivery.id in leaving:
                continue
            if blocked or kept + len(delivery.rendered) > self.limit // 2:
                delivery.rendered = None
            else:
                kept += len(delivery.rendered)
        self._held = kept

    def clear(self) -> None:
        """Forget the count."""
        self._held = 0
