"""
When to commit what nobody waits for.

A SOON change rides with the next NOW; a commit of its own would make that one wait for its end. So it waits for
company: while a commit is under way, however long the disk takes, and 2.5 ms longer, in which the sender that was
answered by that commit sends its next message. LAZY ones wait 200 ms.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

SOON_SECONDS: Final = 0.0025
SOON_CROWD: Final = 64
"""So many changes are company enough."""
LAZY_SECONDS: Final = 0.2


class Writing(Protocol):
    """What the store submits to: a thread (`writer.Writer`) or a process (`apart.WriterProcess`)."""

    begun: int

    @property
    def pending(self) -> object:
        """What waits to be taken; empty is false."""

    def due(self) -> None:
        """Tell that what is pending must be committed."""


class Company:
    """The timers of one writer."""

    def __init__(self, writer: Writing, loop: asyncio.AbstractEventLoop) -> None:
        self._writer = writer
        self._loop = loop
        self._soon: asyncio.TimerHandle | None = None
        self._lazy: asyncio.TimerHandle | None = None
        self._told = writer.begun
        """Number of the last commit that was told."""
        self._told_at = loop.time()

    def soon(self) -> None:
        """A SOON change was submitted."""
        if self._soon is None:
            self._wait(SOON_SECONDS)

    def lazy(self) -> None:
        """A LAZY change was submitted."""
        if self._lazy is None:
            self._lazy = self._loop.call_later(LAZY_SECONDS, self._lazy_is_due)

    def told(self, number: int) -> None:
        """A commit was told: `number` as `Writing.begun` counts."""
        self._told = number
        self._told_at = self._loop.time()

    def cancel(self) -> None:
        """Wait no longer."""
        for timer in (self._soon, self._lazy):
            if timer is not None:
                timer.cancel()
        self._soon = self._lazy = None

    def _wait(self, seconds: float) -> None:
        self._soon = self._loop.call_later(seconds, self._soon_is_due)

    def _soon_is_due(self) -> None:
        """Commit, unless a commit is under way, or was told just now."""
        self._soon = None
        if not self._writer.pending:
            return
        if self._writer.begun > self._told:
            self._wait(SOON_SECONDS)
            return
        left = self._told_at + SOON_SECONDS - self._loop.time()
        if left > 0:
            self._wait(left)
        else:
            self._commit()

    def _lazy_is_due(self) -> None:
        self._lazy = None
        self._commit()

    def _commit(self) -> None:
        if self._writer.pending:
            self._writer.due()
