"""When a change that nobody waits for is committed, beside a disk that may be slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from engine.store.sqlite.company import LAZY_SECONDS, SOON_SECONDS, Company


class Clock:
    """A loop's timers without a loop."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, Callable[[], None], Any]] = []

    def time(self) -> float:
        """Return the seconds of this clock."""
        return self.now

    def call_later(self, seconds: float, work: Callable[[], None]) -> _Handle:
        """Note a timer."""
        handle = _Handle()
        self._timers.append((self.now + seconds, len(self._timers), work, handle))
        return handle

    def go_to(self, moment: float) -> None:
        """Let the time pass, timers in their order."""
        while due := sorted((each for each in self._timers if each[0] <= moment), key=lambda each: each[:2]):
            self._timers.remove(due[0])
            self.now = max(self.now, due[0][0])
            if not due[0][3].cancelled:
                due[0][2]()
        self.now = moment


class _Handle:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Disk:
    """A writer that is told to commit, and tells when it has."""

    def __init__(self, clock: Clock) -> None:
        self.pending: deque[str] = deque()
        self.begun = 0
        self.commits: list[tuple[float, list[str]]] = []
        self._clock = clock

    def due(self) -> None:
        """Begin a commit of all that is pending."""
        self.begun += 1
        self.commits.append((round(self._clock.now, 6), list(self.pending)))
        self.pending.clear()


def house() -> tuple[Clock, Disk, Company]:
    """Give a clock, a writer that has committed nothing, and its company."""
    clock = Clock()
    disk = Disk(clock)
    return clock, disk, Company(disk, cast("asyncio.AbstractEventLoop", clock))


def test_alone_it_waits_two_and_a_half_milliseconds() -> None:
    """Nobody else comes: the wait is short."""
    clock, disk, company = house()
    clock.go_to(1.0)
    disk.pending.append("route")
    company.soon()
    clock.go_to(2.0)
    assert disk.commits == [(1.0 + SOON_SECONDS, ["route"])]


def test_on_a_slow_disk_it_rides_with_the_answered_senders_next_message() -> None:
    """
    A commit that takes 40 ms is under way when the change comes; its sender answers 1 ms after its end.

    A commit of the change alone, begun at once behind the first, would keep the next message waiting 40 ms longer.
    """
    clock, disk, company = house()
    disk.pending.append("message 1")
    disk.due()
    clock.go_to(0.005)
    disk.pending.append("route 0")
    company.soon()
    clock.go_to(0.040)
    assert len(disk.commits) == 1
    company.told(disk.begun)
    clock.go_to(0.041)
    disk.pending.append("message 2")
    disk.due()
    assert disk.commits[1:] == [(0.041, ["route 0", "message 2"])]


def test_without_a_next_message_it_leaves_soon_after_the_slow_commit() -> None:
    """The wait is bounded: the end of the commit, and two waits of 2.5 ms."""
    clock, disk, company = house()
    disk.pending.append("message 1")
    disk.due()
    clock.go_to(0.001)
    disk.pending.append("route 0")
    company.soon()
    clock.go_to(0.040)
    company.told(disk.begun)
    clock.go_to(0.040 + 2 * SOON_SECONDS)
    (_, first), (moment, second) = disk.commits
    assert (first, second) == (["message 1"], ["route 0"])
    assert 0.040 + SOON_SECONDS <= moment <= 0.040 + 2 * SOON_SECONDS


def test_what_nobody_waits_for_at_all_waits_longer() -> None:
    """LAZY changes have no company to wait for but the time."""
    clock, disk, company = house()
    disk.pending.append("note")
    company.lazy()
    clock.go_to(1.0)
    assert disk.commits == [(LAZY_SECONDS, ["note"])]


def test_cancelled_nothing_is_committed() -> None:
    """The store closes by itself."""
    clock, disk, company = house()
    disk.pending.append("route")
    company.soon()
    company.lazy()
    company.cancel()
    clock.go_to(1.0)
    assert disk.commits == []
