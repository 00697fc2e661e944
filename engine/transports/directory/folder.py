"""
The incoming folder as blocking calls: list, read, move away. Runs in the source's own thread.

Theory of operation: a file in the folder is a message nobody has acknowledged. Moving it away is the
acknowledgement, so nothing is moved that is not exactly what was read: a file whose size or time changed in
between stays, and is found again.
"""

from __future__ import annotations

import fnmatch
import heapq
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.core.messages import Attachment
from engine.transports.directory.files import fit, free_path, in_words, make_folder, sync_folder

FOUND_MAX: Final = 2_000
"""Oldest files that one look brings back: memory is bounded however many lie there."""

HEAD_BYTES: Final = 65_536
"""What is kept of a file that is refused (Refusal.raw)."""

_TEMPORARY: Final = (".tmp", ".part", ".filepart", "~")
_REASON: Final = ".reason.txt"


@dataclass(slots=True)
class Found:
    """A file that may be a message."""

    name: str
    size: int
    mtime_ns: int
    companion: str = ""
    """The companion file to move with it; empty: none, or it serves another file too."""
    vouched: bool = False
    """Its companion says that it is complete."""


@dataclass(slots=True)
class Reading:
    """What reading one file gave."""

    found: Found
    raw: bytes = b""
    """The content; the first 64 KB when the file is too long."""
    code: str = ""
    """Empty: read. `E-TOO-LONG`, `E-UNREADABLE`, or `changed`: gone or not complete, look again later."""
    reason: str = ""
    attachments: tuple[Attachment, ...] = ()
    also: tuple[str, ...] = ()
    """Files that belong to it alone, below the folder: they go where it goes."""

    @property
    def size(self) -> int:
        """Bytes that it holds in memory."""
        return len(self.raw) + sum(len(one.data or b"") for one in self.attachments)


@dataclass(slots=True)
class Move:
    """A file to move away."""

    found: Found
    into: str
    """Folder below the watched one."""
    reason: str = ""
    """Written beside it, when it was refused."""
    also: tuple[str, ...] = ()
    """Files that go with it, below the folder."""
    answer: bytes = b""
    """Acknowledgement to write, where the source wants one."""


class Folder:
    """
    One watched folder.

    Args:
        path: The folder; it is never made.
        pattern: fnmatch pattern of the names, in any case.
        companion: Extension of the file that says `complete`, or empty.
        max_size: Longest file to read, bytes.
    """

    def __init__(self, path: Path, pattern: str, companion: str, max_size: int) -> None:
        self.path = path
        self._matches = re.compile(fnmatch.translate(pattern), re.IGNORECASE).match
        self._companion = companion.lower()
        self._max_size = max_size
        self.without_companion = 0
        """Files that the last look passed over because their companion is not there yet."""

    def look(self) -> list[Found]:
        """
        Return the oldest files that match, by (mtime, name).

        Sub-folders, symbolic links, devices, and names of files under way are passed over.

        Raises:
            OSError: The folder can't be listed.
        """
        with os.scandir(self.path) as entries:
            present = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
        candidates = self._with_companions(present) if self._companion else self._plain(present)
        found = heapq.nsmallest(FOUND_MAX, candidates, key=lambda item: (item.mtime_ns, item.name))
        _share_companions(found)
        return found

    def read(self, batch: Sequence[Found]) -> list[Reading]:
        """Read each file, in order; one that can't be read says so in its Reading."""
        return [self._read(found) for found in batch]

    def move(self, moves: Sequence[Move]) -> list[str]:
        """
        Move files away, durably.

        Returns:
            For each: empty (moved, or gone already), `changed` (left where it is), or what went wrong.
        """
        touched: set[Path] = set()
        results = [self._move(move, touched) for move in moves]
        for folder in touched:
            # Not durable means: found again after a power cut, and recognised as a retransmission.
            with suppress(OSError):
                sync_folder(folder)
        return results

    def _wanted(self, name: str) -> bool:
        if name.startswith((".", "~")) or not self._matches(name):
            return False
        lower = name.lower()
        return not lower.endswith(_TEMPORARY) and not (self._companion and lower.endswith(self._companion))

    def _plain(self, present: set[str]) -> Iterator[Found]:
        for name in present:
            if self._wanted(name):
                with suppress(OSError):  # gone since it was listed
                    status = os.lstat(self.path / name)
                    yield Found(name, status.st_size, status.st_mtime_ns)

    def _with_companions(self, present: set[str]) -> Iterator[Found]:
        self.without_companion = 0
        by_lower = {name.lower(): name for name in present if name.lower().endswith(self._companion)}
        for name in present:
            if not self._wanted(name):
                continue
            lower = name.lower()
            companion = by_lower.get(lower + self._companion) or by_lower.get(
                lower.rpartition(".")[0] + self._companion, ""
            )
            if not companion:
                self.without_companion += 1
                continue
            with suppress(OSError):
                status = os.lstat(self.path / name)
                # An older companion was left by an earlier file of that name: it vouches for nothing.
                vouched = os.lstat(self.path / companion).st_mtime_ns >= status.st_mtime_ns
                yield Found(name, status.st_size, status.st_mtime_ns, companion, vouched)

    def _read(self, found: Found) -> Reading:
        try:
            # O_NOFOLLOW and O_NONBLOCK: what was a plain file may be a link or a pipe by now.
            handle = os.open(self.path / found.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb", 0) as file:
                return self._read_open(found, file.fileno())
        except FileNotFoundError:
            return Reading(found, code="changed")
        except OSError as error:
            return Reading(found, code="E-UNREADABLE", reason=f"the file can't be read: {in_words(error)}")

    def _read_open(self, found: Found, handle: int) -> Reading:
        if not _same(os.fstat(handle), found):
            return Reading(found, code="changed")
        if found.size > self._max_size:
            reason = f"the file has {found.size} bytes, more than the {self._max_size} that this source takes"
            return Reading(found, _read_up_to(handle, HEAD_BYTES), "E-TOO-LONG", reason)
        raw = _read_up_to(handle, found.size + 1)
        if len(raw) != found.size or not _same(os.fstat(handle), found):
            return Reading(found, code="changed")
        return Reading(found, raw)

    def _move(self, move: Move, touched: set[Path]) -> str:
        found = move.found
        here = self.path / found.name
        try:
            if not _same(os.lstat(here), found):
                return "changed"
        except FileNotFoundError:
            return ""
        except OSError as error:
            return in_words(error)
        try:
            folder = make_folder(self.path, move.into)
            there = free_path(folder, found.name)
            here.rename(there)
            touched.update((self.path, folder))
        except OSError as error:
            return in_words(error)
        self._move_what_belongs(move, folder, there)
        return ""

    def _move_what_belongs(self, move: Move, folder: Path, there: Path) -> None:
        """Move the companion, write the reason; the file itself is moved, so nothing here fails the move."""
        with suppress(OSError):
            if move.found.companion:
                (self.path / move.found.companion).rename(free_path(folder, move.found.companion))
        for name in move.also:
            with suppress(OSError):
                into = make_folder(self.path, str(Path(move.into, name).parent))
                (self.path / name).rename(free_path(into, Path(name).name))
        with suppress(OSError):
            if move.reason:
                free_path(folder, fit(there.name, _REASON)).write_text(move.reason + "\n", encoding="utf-8")


def _share_companions(found: list[Found]) -> None:
    """Let only the last of the files with one companion (`a.hpr` and `a.pdf`, `a.ok`) take it away."""
    seen: set[str] = set()
    for item in reversed(found):
        if item.companion in seen:
            item.companion = ""
        elif item.companion:
            seen.add(item.companion)


def _same(status: os.stat_result, found: Found) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size == found.size and status.st_mtime_ns == found.mtime_ns


def _read_up_to(handle: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := os.read(handle, min(size, 1 << 20))):
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
