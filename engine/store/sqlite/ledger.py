"""The loop's copy of the writer's books: what it must know without asking the disk or another process."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from engine.store.counting import CounterKey
from engine.store.names import Names
from engine.store.sqlite.books import Books
from engine.store.sqlite.report import Report

DURATIONS_KEPT: Final = 1_000


class Ledger:
    """Follows the writer, report by report."""

    def __init__(self) -> None:
        self.names = Names()
        self.counters: dict[CounterKey, int] = {}
        self.next_place = 1
        self._durations: deque[float] = deque(maxlen=DURATIONS_KEPT)
        self._commits = 0

    def open(self, books: Books) -> None:
        """Begin with what a start found on disk."""
        self.counters = books.counters.copy()
        self.next_place = books.next_place

    def learn(self, report: Report) -> None:
        """Take what a commit changed."""
        self.counters |= report.counters
        if report.names:
            self.names.learn(report.names)
        if report.next_place:
            self.next_place = report.next_place
        if report.seconds:
            self._durations.append(report.seconds)
            self._commits += 1

    def facts(self) -> dict[str, Any]:
        """Return the times of the last commits and how many there were, for status."""
        durations = sorted(self._durations)
        count = len(durations)
        return {
            "commit_p50_ms": round(durations[count // 2] * 1000, 3) if count else 0.0,
            "commit_p99_ms": round(durations[count * 99 // 100] * 1000, 3) if count else 0.0,
            "commits": self._commits,
            "highest_place": self.next_place - 1,
        }
