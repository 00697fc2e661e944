"""
One budget of bytes for all blocks in reception, so that memory stays bounded whatever the senders do.

A connection whose open block is small costs nothing here. Large ones are registered; when together they
pass the budget, all of them but the one registered first stop reading, and go on as room comes back: the
first can always finish, so nobody waits for ever.
"""

from __future__ import annotations

from typing import Final, Protocol

LARGE_BYTES: Final = 65_536


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
            limit: Bytes over which all but the oldest large block wait; one block may pass it alone.
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
        self._throttling = self._total > self._limit
        for index, connection in enumerate(self._large):
            connection.throttle(self._throttling and index > 0)
