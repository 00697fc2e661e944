"""The data directory: its lock, its key, the in-flight slots, the room left on its disk."""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
import zlib
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.errors import StoreLocked, StoreUnavailable

_SLOT: Final = struct.Struct("<qiI")
_SLOT_VALUES: Final = struct.Struct("<qi")
KEY_BYTES: Final = 32
LEAST_FREE_BYTES: Final = 1_000_000_000
LEAST_FREE_SHARE: Final = 0.05


class DataDirectory:
    """A directory that one process owns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1
        self._slots = -1

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
            raise StoreUnavailable(f"the data directory {self.path} can't be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(lock, 200, 0).decode("utf-8", "replace").strip()
            os.close(lock)
            raise StoreLocked(f"the data directory {self.path} is held by {holder or 'another process'}") from error
        self._lock = lock
        since = datetime.fromtimestamp(now_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()} since {since}\n".encode(), 0)
        self._slots = os.open(self.path / "inflight", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def release(self) -> None:
        """Unlock; the lock's file stays, empty."""
        if self._slots >= 0:
            os.close(self._slots)
            self._slots = -1
        if self._lock >= 0:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = -1

    def key(self) -> bytes:
        """Return the key of references; make it, durably, the first time."""
        path = self.path / "key"
        try:
            if path.exists():
                key = path.read_bytes()
                if len(key) != KEY_BYTES:
                    raise StoreUnavailable(f"{path} must hold {KEY_BYTES} bytes: bring it back from a backup")
                return key
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
            raise StoreUnavailable(f"{path} can't be used: {error.strerror}") from error
        return key

    def sync(self) -> None:
        """Make new names in the directory durable."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def note_sending(self, delivery: int, attempt: int, slot: int) -> None:
        """Write an in-flight slot; no fsync: it survives the process, not the machine."""
        values = _SLOT_VALUES.pack(delivery, attempt)
        os.pwrite(self._slots, values + zlib.crc32(values).to_bytes(4, "little"), slot * _SLOT.size)

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
        os.ftruncate(self._slots, 0)

    def free_bytes(self) -> int:
        """Return the room left on the disk for this account."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def least_free(self) -> int:
        """Return the room below which nothing more is taken: 1 GB, or 5 % of a smaller disk."""
        found = os.statvfs(self.path)
        return min(LEAST_FREE_BYTES, int(found.f_blocks * found.f_frsize * LEAST_FREE_SHARE))
