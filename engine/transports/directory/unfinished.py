"""
Files that rest and don't end as their format ends: somebody may still be writing them.

A slow sender, a share that hangs, a transfer that broke: half of a file would be half of a patient's results. So it
waits, and younger files about the same patient wait behind it. Runs in the source's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from engine.routes.configuration import UnfinishedRule
from engine.routes.directories import Ending
from engine.transports.directory.folder import Found, Reading
from engine.transports.directory.keptback import READ_BYTES_MAX, KeptBack, Known

CODE: Final = "E-UNFINISHED"

Read = Callable[[Sequence[Found], float], list[Reading]]


@dataclass(slots=True)
class _Waiting(Known):
    """A file that lacks its end."""

    keys: frozenset[bytes]
    rank: tuple[int, str]
    """Time and name when it was first seen: it keeps its turn while it grows."""


class UnfinishedFiles:
    """
    Reads those files of a folder that are whole, or whose wait is over.

    Args:
        rule: How long a file waits for its end, and what becomes of it then.
        ending: Says what bytes lack, and of whom they speak.
        read: Reads files that rest.
    """

    def __init__(self, rule: UnfinishedRule, ending: Ending, read: Read) -> None:
        self._rule = rule
        self._ending = ending
        self._read = read
        self._kept: KeptBack[_Waiting] = KeptBack()
        self.begin = self._kept.begin

    @property
    def waiting(self) -> int:
        """Files that wait for their end, or behind one that does."""
        return self._kept.count

    def read(self, batch: Sequence[Found], now: float) -> list[Reading]:
        """
        Read a batch.

        Args:
            batch: Files that rest, oldest first.
            now: Seconds that never go back.

        Returns:
            Those that may go, in order; one that is refused says so. The others wait for another look.
        """
        readings: list[Reading] = []
        size = 0
        for found in batch:
            if size > READ_BYTES_MAX:
                break
            if self._still_waits(found, now):
                continue
            for reading in self._read([found], now):
                if reading.code or self._may_go(reading, now):
                    readings.append(reading)
                    size += reading.size
        return readings

    def _still_waits(self, found: Found, now: float) -> bool:
        """Tell whether a file is known to lack its end, and has not changed since."""
        known = self._kept.unchanged(found)
        if known is None:
            return False
        if found.vouched or now - known.since >= self._rule.wait:
            return False
        self._kept.hold(known.keys)
        return True

    def _may_go(self, reading: Reading, now: float) -> bool:
        found = reading.found
        lacking = self._ending.lacks(reading.raw)
        if not lacking:
            self._kept.files.pop(found.name, None)
            return self._passes(reading)
        known = self._kept.unchanged(found)
        if known is None:
            before = self._kept.files.get(found.name)
            rank = before.rank if before is not None else (found.mtime_ns, found.name)
            known = _Waiting(found.size, found.mtime_ns, now, self._ending.keys(reading.raw), rank)
            self._kept.files[found.name] = known
        if not found.vouched and now - known.since < self._rule.wait:
            self._kept.hold(known.keys)
            return False
        if self._rule.then == "take":
            return self._passes(reading)
        reading.code = CODE
        reading.reason = (
            f"{lacking}, and it has not grown for {self._rule.wait:.0f} s: it was written by half; have it written "
            "again, or write unfinished: { then: take } at the source, where its system never writes that line"
        )
        return True

    def _passes(self, reading: Reading) -> bool:
        """Tell whether a file may go although others wait: only one about other patients."""
        rank = (reading.found.mtime_ns, reading.found.name)
        before = [one.keys for name, one in self._kept.files.items() if one.rank < rank and name != reading.found.name]
        if not self._kept.keys and not before:
            return True
        keys = self._ending.keys(reading.raw)
        if keys.isdisjoint(self._kept.keys.union(*before)):
            return True
        self._kept.hold(keys)
        return False
