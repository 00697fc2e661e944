"""
DirectoryDestination: each delivery becomes one file, whole or not at all, and no file is ever overwritten.

What goes beside the message (core.bundle) is written before it, under the very names by which the message names it:
while one of them is taken by other bytes, the delivery waits for the receiver to take that file.

A file is written under a hidden temporary name in the same folder, flushed, given its name, and the folder is
flushed: only then is it accepted. A name that is taken by the same bytes is the delivery of an attempt whose end was
not seen: accepted as it is. Taken by other bytes: the name gets a number.

A folder that routes.yaml names by a relative path is Passerelle's own, and made; an absolute one never is: where a
network share is not mounted, files would land under the mount point.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.core.bundle import unpack
from engine.core.messages import Delivery, PayloadKind, show_delivery_id
from engine.core.ports import SendOutcome, SendResult
from engine.routes import configuration
from engine.transports.directory.files import (
    first_free,
    in_words,
    make_folder,
    numbered,
    rename_to_free,
    safe_name,
    sync_folder,
    write_durably,
)

OPEN_SECONDS: Final = 2.0
CLOSE_SECONDS: Final = 5.0
LOOK_BACK: Final = 8
"""Numbered files of one name that are compared with what is to be written, before another is added."""

Done = Callable[[Delivery, SendOutcome], None]

_STOPPED: Final = "the engine is stopping"


class DirectoryDestination:
    """
    The destination side of a folder (core.ports.DestinationDoor).

    Args:
        destination: What routes.yaml says: path, connections (how many files are written at once).
    """

    def __init__(self, destination: configuration.Destination) -> None:
        self.capacity = destination.connections
        self._path = destination.folder
        self._own = not Path(destination.path).is_absolute()
        self._made = False
        self._name = destination.name
        self._threads: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: dict[int, tuple[Delivery, Done]] = {}
        self._idle = asyncio.Event()
        self._naming = threading.Lock()
        self._written = 0
        self._last_error = ""

    async def open(self) -> None:
        """
        Prepare, and make a folder of our own.

        One that is missing, or hangs, is no error here: what is sent says so.
        """
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(self.capacity, thread_name_prefix=f"directory {self._name}")
        await asyncio.wait((self._loop.run_in_executor(self._threads, self._try_to_make_own),), timeout=OPEN_SECONDS)

    def send(self, delivery: Delivery, data: bytes, done: Done) -> None:
        """Write `data` as `delivery.target`, or `<place>-<ordinal>.hl7`; see core.ports.DestinationDoor."""
        assert self._loop is not None
        if self._threads is None:
            self._loop.call_soon(done, delivery, SendOutcome(SendResult.NOT_SENT, reason=_STOPPED))
            return
        self._under_way[delivery.id] = (delivery, done)
        name = safe_name(delivery.target) or f"{show_delivery_id(delivery.id)}.hl7"
        work = self._loop.run_in_executor(
            self._threads, self._write_all, name, f".passerelle-{show_delivery_id(delivery.id)}.tmp", data,
            delivery.payload_kind == PayloadKind.BUNDLE,
        )  # fmt: skip
        work.add_done_callback(partial(self._written_or_not, delivery.id))

    async def close(self) -> None:
        """Stop; a write that hangs (network share) ends as NO_ANSWER."""
        threads, self._threads = self._threads, None
        if threads is None:
            return
        threads.shutdown(wait=False)
        if self._under_way:
            self._idle.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), CLOSE_SECONDS)
        for number in list(self._under_way):
            self._end(number, SendOutcome(SendResult.NO_ANSWER, reason=f"{_STOPPED}; the folder did not answer"))

    def facts(self) -> dict[str, Any]:
        """Return figures for status; no file name."""
        return {
            "path": str(self._path),
            "under_way": len(self._under_way),
            "written": self._written,
            "last_error": self._last_error,
        }

    async def probe(self) -> list[tuple[str, bool, str]]:
        """Look at the folder, and write and remove an empty hidden file."""
        threads = ThreadPoolExecutor(1, thread_name_prefix=f"probe {self._name}")
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, self._probe)
        finally:
            threads.shutdown(wait=False)

    # --- in the loop --------------------------------------------------------------------------------------

    def _written_or_not(self, number: int, work: asyncio.Future[SendOutcome]) -> None:
        # Cancelled: the loop is being torn down; the write may still happen.
        outcome = SendOutcome(SendResult.NO_ANSWER, reason=_STOPPED) if work.cancelled() else work.result()
        if outcome.result is SendResult.ACCEPTED:
            self._written += 1
            self._last_error = ""
        else:
            self._last_error = outcome.reason
        self._end(number, outcome)

    def _end(self, number: int, outcome: SendOutcome) -> None:
        waiting = self._under_way.pop(number, None)
        if not self._under_way:
            self._idle.set()
        if waiting is not None:
            delivery, done = waiting
            done(delivery, outcome)

    # --- in a thread --------------------------------------------------------------------------------------

    def _make_own(self) -> None:
        """Make the folder where it is ours; after a trouble again: somebody may have taken it away."""
        if self._own and not self._made:
            self._path.mkdir(parents=True, exist_ok=True)
            self._made = True

    def _try_to_make_own(self) -> None:
        with suppress(OSError):
            self._make_own()

    def _write_all(self, name: str, temporary: str, data: bytes, bundled: bool) -> SendOutcome:
        try:
            self._make_own()
        except OSError as error:
            return SendOutcome(SendResult.NOT_SENT, reason=f"can't make {self._path}: {in_words(error)}")
        outcome = self._write_bundle(name, temporary, data) if bundled else self._write(name, temporary, data)
        self._made = outcome.result is SendResult.ACCEPTED
        return outcome

    def _write_bundle(self, name: str, temporary: str, data: bytes) -> SendOutcome:
        data, files = unpack(data)
        for path, content in files:
            try:
                if not self._write_beside(path, content, temporary):
                    reason = "a file of the name that the message gives lies there still: the receiver must take it"
                    return SendOutcome(SendResult.NOT_SENT, reason=reason)
            except OSError as error:
                return SendOutcome(SendResult.NOT_SENT, reason=f"can't write to {self._path}: {in_words(error)}")
        return self._write(name, temporary, data)

    def _write_beside(self, path: str, content: bytes, temporary: str) -> bool:
        """Write a file that the message names; False: other bytes have its name."""
        parts = [safe_name(part) for part in path.split("/")]
        folder = make_folder(self._path, "/".join(filter(None, parts[:-1])))
        there, here = folder / (parts[-1] or "attachment"), folder / temporary
        if _holds(there, content):
            return True
        try:
            write_durably(here, content)
            rename_to_free(here, there)
        except FileExistsError:
            return False
        finally:
            with suppress(OSError):
                here.unlink()
        sync_folder(folder)
        return True

    def _write(self, name: str, temporary: str, data: bytes) -> SendOutcome:
        here = self._path / temporary
        try:
            try:
                write_durably(here, data)
                self._give_name(here, name, data)
            finally:
                with suppress(OSError):
                    here.unlink()
        except OSError as error:
            return SendOutcome(SendResult.NOT_SENT, reason=f"can't write to {self._path}: {in_words(error)}")
        try:
            sync_folder(self._path)
        except OSError as error:
            reason = f"the file is written, but {self._path} can't be flushed: {in_words(error)}"
            return SendOutcome(SendResult.NO_ANSWER, reason=reason)
        return SendOutcome(SendResult.ACCEPTED)

    def _give_name(self, here: Path, name: str, data: bytes) -> None:
        """Give the temporary file its name, or a numbered one, or none when it is there already."""
        with self._naming:
            while True:
                number = first_free(name, lambda text: os.path.lexists(self._path / text))
                if self._is_there(name, number, data):
                    return
                with suppress(FileExistsError):  # somebody else took the name just now: look again
                    rename_to_free(here, self._path / numbered(name, number))
                    return

    def _is_there(self, name: str, free: int, data: bytes) -> bool:
        recent = range(max(free - LOOK_BACK, 1), free)
        candidates = [0, *recent] if free else []
        return any(_holds(self._path / numbered(name, number), data) for number in candidates)

    def _probe(self) -> list[tuple[str, bool, str]]:
        steps: list[tuple[str, bool, str]] = []
        try:
            self._make_own()
            free = shutil.disk_usage(self._path).free
            if not self._path.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "not a directory")
            steps.append(("folder", True, f"{self._path} is there, {free // 1_000_000} MB free"))
        except OSError as error:
            return [("folder", False, f"{self._path}: {in_words(error)}")]
        trial = self._path / ".passerelle-probe.tmp"
        try:
            write_durably(trial, b"")
            trial.unlink()
            steps.append(("write", True, "a file can be written and removed"))
        except OSError as error:
            steps.append(("write", False, f"no file can be written: {in_words(error)}"))
        return steps


def _holds(path: Path, data: bytes) -> bool:
    """Tell whether a plain file holds exactly these bytes; False when it can't be read or was taken away."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            return os.fstat(handle).st_size == len(data) and file.read() == data
    except OSError:
        return False
