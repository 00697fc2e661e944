"""
One budget of bytes for all blocks in reception, so that memory stays bounded whatever the senders do.

A connection whose open block is small costs nothing here. The others are registered; when together they pass
the budget, each may only grow to its share (the budget over their number), and those above it stop reading. So
a few hogs can't hold up everybody: an honest block below the share passes. When nobody is below it, the one
registered first goes on, and can finish: nobody waits for ever, and what waits too long is closed by its door.
"""

from __future__ import annotations

from typing import Final, Protocol

LARGE_BYTES: Final = 4_096


class Throttled(Protocol):
    """A connection that can stop reading."""

    def throttle(self, on: bool) -> None:
        """Stop (True) or go on (False) reading."""


class ReceptionBudget:
    """Count the bytes of large open blocks over all sources."""

    def __init__(self, limit: int = 64_000_000) -> None:
        """
        Begin empty.

        Args:
            limit: Bytes over which the blocks above their share wait.
        """
        self._limit = limit
        self._large: dict[Throttled, int] = {}
        self._total = 0
        self._throttling = False

    @property
    def total(self) -> int:
        """Bytes of large open blocks now."""
        return self._total

    def changed(self, connection: Throttled, buffered: int) -> None:
        """Tell how many bytes a connection's open block holds now; 0 when it ended."""
        before = self._large.get(connection, 0)
        if buffered < LARGE_BYTES and not before:
            return
        self._total += buffered - before
        if buffered:
            self._large[connection] = buffered
        else:
            self._large.pop(connection, None)
            if self._throttling:
                connection.throttle(False)
        if self._total > self._limit or self._throttling:
            self._balance()

    def _balance(self) -> None:
        large = self._large
        self._throttling = self._total > self._limit
        share = self._limit // len(large) if large else 0
        crowded = self._throttling and all(buffered > share for buffered in large.values())
        for index, (connection, buffered) in enumerate(large.items()):
            first = crowded and index == 0
            connection.throttle(self._throttling and buffered > share and not first)
