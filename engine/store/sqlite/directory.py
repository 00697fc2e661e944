"""The data directory: its lock, its key, the in-flight slots, the room left on its disk."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import re
import secrets
import struct
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.errors import StoreLocked, StoreUnavailable
from engine.store.backlog import sent_in
from engine.store.sqlite.connections import FILE_NAME
from engine.store.sqlite.room import disk_full, free_bytes, is_disk_full

_SLOT: Final = struct.Struct("<qiI")
_SLOT_VALUES: Final = struct.Struct("<qi")
MAPPED_BYTES: Final = 4096 * _SLOT.size
"""As much of the slots' file is mapped; more deliveries than that are hardly ever under way."""
KEY_BYTES: Final = 32
LAST_COMMIT_SECONDS: Final = 10.0
"""How long the last commit of a killed engine may take: its disk may be slow."""
LOOK_SECONDS: Final = 0.005
_BRING_BACK: Final = "bring the file back from the backup of this database; nothing was changed"
_BRIEFLY: Final = ", for a moment"
_WRITER: Final = ", writer "
_HOLDER: Final = re.compile(r"process (\d+) since")


def mark_of(key: bytes) -> str:
    """Return what the database remembers of its key: enough to know it again, nothing to make it from."""
    return hashlib.blake2b(b"passerelle key", key=key, digest_size=8).hexdigest()


class DataDirectory:
    """A directory that one process owns."""

    def __init__(self, path: Path, *, briefly: bool = False) -> None:
        """
        Nothing is touched before `acquire`.

        Args:
            path: Of the directory.
            briefly: It will be held for a moment only, by a command: others wait for it.
        """
        self.path = path
        self._briefly = briefly
        self._lock = -1
        self._slots = -1
        self._map: mmap.mmap | None = None
        self._noted: dict[int, tuple[int, int]] = {}

    def acquire(self, now_ms: int) -> None:
        """
        Make the directory if needed, and lock it.

        Raises:
            StoreLocked: Another process owns it; the sentence says which one.
            StoreUnavailable: It can't be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        holder = self._flock(lock)
        if holder is not None:
            os.close(lock)
            raise StoreLocked(f"the data directory '{self.path}' is held by {_in_words(holder)}")
        self._lock = lock
        try:
            self._begin(lock, now_ms)
        except OSError as error:
            self.release()
            raise self._unusable(error) from error

    def _begin(self, lock: int, now_ms: int) -> None:
        """Write who holds the lock, and make the slots ready."""
        since = datetime.fromtimestamp(now_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        os.ftruncate(lock, 0)
        holder = f"process {os.getpid()} since {since}{_BRIEFLY if self._briefly else ''}\n"
        os.pwrite(lock, holder.encode(), 0)
        self._slots = os.open(self.path / "inflight", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _take_room(self._slots, MAPPED_BYTES)
        self._map = mmap.mmap(self._slots, MAPPED_BYTES)

    def _unusable(self, error: OSError) -> StoreUnavailable:
        if is_disk_full(error):
            return disk_full(self.path)
        return StoreUnavailable(f"the data directory {self.path} can't be used: {error.strerror}")

    def _flock(self, lock: int) -> str | None:
        """
        Take the lock; return who holds it where that isn't possible.

        The writer process of an engine that was killed holds it until its last commit has ended, and a command that
        asks a stopped engine until it has its answer: both are waited for.
        """
        until = time.monotonic() + LAST_COMMIT_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.pread(lock, 200, 0).decode("utf-8", "replace").strip()
                passing = not holder or holder.endswith(_BRIEFLY) or not _lives(holder)
                if not passing or time.monotonic() > until:
                    return holder
                time.sleep(LOOK_SECONDS)
            else:
                return None

    def note_writer(self, pid: int) -> None:
        """Write into the lock who else holds it: our writer process, perhaps longer than we live."""
        held = os.pread(self._lock, 200, 0).decode("utf-8", "replace").strip()
        os.pwrite(self._lock, f"{held}{_WRITER}{pid}\n".encode(), 0)

    @property
    def lock(self) -> int:
        """Descriptor of the lock; who inherits it holds the directory with us."""
        return self._lock

    def release(self) -> None:
        """Unlock; the lock's file stays, empty."""
        if self._map is not None:
            self._map.close()
            self._map = None
        if self._slots >= 0:
            os.close(self._slots)
            self._slots = -1
        if self._lock >= 0:
            with suppress(OSError):
                os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = -1

    def key(self) -> bytes:
        """
        Return the key of references; make it, durably, the first time.

        Raises:
            StoreUnavailable: It is gone or damaged, and there is a database whose hashes were made with it: with
                another one every patient would be unknown, and what waits would have other lanes than what comes.
        """
        path = self.path / "key"
        try:
            if path.exists():
                key = path.read_bytes()
                if len(key) != KEY_BYTES:
                    raise StoreUnavailable(f"{path} must hold {KEY_BYTES} bytes: {_BRING_BACK}")
                return key
            if (self.path / FILE_NAME).exists():
                raise StoreUnavailable(f"{path} is missing, and {FILE_NAME} was written with it: {_BRING_BACK}")
            key = secrets.token_bytes(KEY_BYTES)
            fresh = self.path / "key.new"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, key)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fresh.rename(path)
            self.sync()
        except OSError as error:
            raise (
                disk_full(self.path)
                if is_disk_full(error)
                else StoreUnavailable(f"{path} can't be used: {error.strerror}")
            ) from error
        return key

    def require_key(self, mark: str | None) -> str:
        """
        Return the mark of the key, which the database is to remember.

        Args:
            mark: What the database remembers; None: it was never asked to.

        Raises:
            StoreUnavailable: The key is that of another database.
        """
        own = mark_of(self.key())
        if mark not in (None, own):
            path = self.path / "key"
            raise StoreUnavailable(f"{path} isn't the key with which {FILE_NAME} was written: {_BRING_BACK}")
        return own

    def sync(self) -> None:
        """Make new names in the directory durable."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def note_sending(self, delivery: int, attempt: int, slot: int) -> None:
        """Write an in-flight slot; no fsync: it survives the process, not the machine."""
        self._noted[slot] = (delivery, attempt)
        values = _SLOT_VALUES.pack(delivery, attempt)
        values += zlib.crc32(values).to_bytes(4, "little")
        offset = slot * _SLOT.size
        if self._map is not None and offset < MAPPED_BYTES:  # a page of the system's cache: no call
            self._map[offset : offset + _SLOT.size] = values
        else:
            os.pwrite(self._slots, values, offset)

    def sent(self) -> Mapping[int, int]:
        """Return the deliveries of the slots written by this process, with the attempt."""
        return sent_in(self._noted)

    def sent_perhaps(self) -> list[tuple[int, int]]:
        """Return (delivery, attempt) of every slot; a slot half written is left out."""
        data = b""
        while chunk := os.pread(self._slots, 1 << 20, len(data)):
            data += chunk
        whole = len(data) - len(data) % _SLOT.size
        return [
            (delivery, attempt)
            for delivery, attempt, check in _SLOT.iter_unpack(data[:whole])
            if delivery and zlib.crc32(_SLOT_VALUES.pack(delivery, attempt)) == check
        ]

    def clear_slots(self) -> None:
        """Forget every slot."""
        os.ftruncate(self._slots, MAPPED_BYTES)
        if self._map is not None:
            self._map[:] = bytes(MAPPED_BYTES)

    def free_bytes(self) -> int:
        """Return the room left on the disk for this account."""
        return free_bytes(self.path)


def _take_room(descriptor: int, size: int) -> None:
    """
    Make a file at least so long, and take its room on the disk now.

    A mapped page for which there is no room would end the process when it is written (SIGBUS).

    Raises:
        OSError: There is no room.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except (AttributeError, OSError) as error:  # this platform, or this file system, has no such call
        if is_disk_full(error):
            raise
        os.ftruncate(descriptor, max(os.fstat(descriptor).st_size, size))


def file_bytes(path: Path) -> int:
    """Return the size of a file; 0: there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _in_words(holder: str) -> str:
    """Say who really holds the lock, and what to do."""
    held, _, writer = holder.partition(_WRITER)
    if writer.isdecimal() and not _lives(held):
        return (
            f"process {writer}, the store's writer of an engine that is gone ({held}): its last commit has not ended "
            f"for {LAST_COMMIT_SECONDS:.0f} s; it is stopped, or its disk hangs. Look at the disk, end it "
            f"(kill -9 {writer}), then start again: what it had not committed was never acknowledged"
        )
    return f"{held or 'another process'}: stop it first, or name another one (--data DIR)"


def _lives(holder: str) -> bool:
    """Tell whether the process that wrote its name into the lock is still there; yes where it can't be known."""
    found = _HOLDER.match(holder)
    if found is None:
        return True
    try:
        state = Path(f"/proc/{found[1]}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()  # where processes can't be looked at, nobody is waited for
    except (OSError, IndexError):
        return True
    return state not in "ZX"
