"""The room left on the disk of a data directory: what is kept for what is under way, and what is said without it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.errors import StoreUnavailable

LEAST_FREE_BYTES: Final = 1_000_000_000
LEAST_FREE_SHARE: Final = 0.05
START_BYTES: Final = 1_000_000
"""With less room than this nothing can be begun: a start fails, and so does a commit."""
_MEGABYTE: Final = 1 << 20  # as `df -h` counts
_GIGABYTE: Final = 1 << 30
_NOTHING_LOST: Final = "make room; nothing that was acknowledged is lost"


def _disk(directory: Path) -> os.statvfs_result:
    """Look at the disk of a directory, which may be still to be made."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return os.statvfs(directory)


def free_bytes(directory: Path) -> int:
    """Return the room left on a directory's disk for this account."""
    found = _disk(directory)
    return found.f_bavail * found.f_frsize


def total_bytes(directory: Path) -> int:
    """Return the size of a directory's disk."""
    found = _disk(directory)
    return found.f_blocks * found.f_frsize


def least_free(directory: Path) -> int:
    """Return the room below which nothing more is taken: 1 GB, or 5 % of a smaller disk."""
    return min(LEAST_FREE_BYTES, int(total_bytes(directory) * LEAST_FREE_SHARE))


def too_little(free: int, least: int, *, already: bool) -> bool:
    """
    Tell whether there is too little room to take messages.

    Args:
        free: Room left.
        least: Room below which nothing is taken.
        already: Whether there was too little before: then a tenth more is wanted, or each message that leaves would
            let one in, and each would be told.
    """
    return free < least + (least // 10 if already else 0)


def is_disk_full(error: BaseException) -> bool:
    """Tell whether there is no room left, as the system or SQLite says it."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk is full" in str(error)


def full(directory: Path, free: int | None = None) -> str:
    """Say that there is no room on a directory's disk, how much there is, and what to do."""
    return f"the disk of {directory} is full ({_of(directory, free)}): {_NOTHING_LOST}"


def disk_full(directory: Path) -> StoreUnavailable:
    """Return what is said when there is no room even to begin."""
    return StoreUnavailable(f"{full(directory)}, and no engine can start there before (df -h {directory})")


class Room:
    """The room of one data directory, as its engine sees it."""

    def __init__(
        self,
        directory: Path,
        least: int | None,
        free: Callable[[], int],
        trouble: Callable[[], BaseException | None] = lambda: None,
    ) -> None:
        """
        Keep where to look.

        Args:
            directory: The data directory.
            least: Room below which nothing more is taken; 0: no limit; None: 1 GB, or 5 % of a smaller disk.
            free: Tells the room left.
            trouble: Tells why the writer can store nothing; None: it can.
        """
        self._directory = directory
        self._least = least
        self._free = free
        self._trouble = trouble
        self._short = False
        self._said = ""
        self._left = sys.maxsize
        """Room left, when the disk last said it."""

    @property
    def left(self) -> int:
        """Room left; as it was, where the disk doesn't say: the next commit tells what is wrong with it."""
        with suppress(OSError):
            self._left = self._free()
        return self._left

    @property
    def least(self) -> int:
        """Room below which nothing more is taken; 0: no limit. The directory may be still to be made."""
        return least_free(self._directory) if self._least is None else self._least

    @property
    def full(self) -> bool:
        """Whether nothing can be stored for want of room, going by the room left and the writer's trouble."""
        trouble = self._trouble()
        return self.left < START_BYTES or (trouble is not None and is_disk_full(trouble))

    def shortage(self) -> str:
        """Say that there is no room, or too little to take messages; empty: there is enough, or none can tell."""
        with suppress(OSError):
            self._said = self._shortage()
        return self._said

    def _shortage(self) -> str:
        free = self._free()
        self._short = too_little(free, max(self.least, START_BYTES), already=self._short)
        if self.full:
            return full(self._directory, free)
        if self._short:
            room = _of(self._directory, free)
            return f"the disk of {self._directory} is nearly full ({room}), so nothing is received: {_NOTHING_LOST}"
        return ""

    def facts(self) -> dict[str, int | str | bool]:
        """Return `free_bytes`, `shortage` (the sentence) and `disk_full`, for status."""
        return {"free_bytes": self.left, "shortage": self.shortage(), "disk_full": self.full}


def of_disk(directory: Path) -> tuple[bool, str]:
    """Look at a directory's disk, engine or not: whether there is room enough, and a sentence."""
    sentence = Room(directory, None, lambda: free_bytes(directory)).shortage()
    return not sentence, sentence or _of(directory, None)


def _of(directory: Path, free: int | None) -> str:
    """Say how much is free, and of how much, in one unit: `1.9 of 40 MB free`."""
    total = total_bytes(directory)
    unit, word = (_GIGABYTE, "GB") if total >= _GIGABYTE else (_MEGABYTE, "MB")
    return f"{_figure(free_bytes(directory) if free is None else free, unit)} of {_figure(total, unit)} {word} free"


def _figure(count: int, unit: int) -> str:
    """Write a size with at most one decimal, never more than there is."""
    return f"{count * 10 // unit / 10:,.1f}".removesuffix(".0")
