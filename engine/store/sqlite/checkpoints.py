"""
Keeping the write-ahead log short.

A thread copies it into the database (PASSIVE: nobody waits) when 16 MB are to be copied; when it has grown to
64 MB all the same, the writer restarts it between two commits.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final

from engine.store.sqlite.connections import BUSY_SECONDS, PAGE_BYTES
from engine.store.sqlite.driver import Connection, sqlite3

PASSIVE_BYTES: Final = 16 * 1024 * 1024
RESTART_BYTES: Final = 64 * 1024 * 1024
LOOK_BYTES: Final = 1024 * 1024
"""The log is measured each time about so much was written."""
RESTART_WAIT_MS: Final = 50
"""How long the writer waits for readers before it goes on without a restart."""


class Checkpoints:
    """The checkpoint thread, and the writer's part."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._written = 0
        self._busy = False
        self._gate: SimpleQueue[bool] = SimpleQueue()
        self._thread = Thread(target=self._run, name="store-checkpoint", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._gate.put(False)
        self._thread.join()

    def after_commit(self, connection: Connection, written: int) -> None:
        """Count what the writer wrote; measure the log now and then, and act. In the writer thread."""
        self._written += written
        if self._written < LOOK_BYTES:
            return
        self._written = 0
        # NOOP tells the sizes and copies nothing.
        _, pages, copied = connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        if pages * PAGE_BYTES >= RESTART_BYTES:
            self._restart(connection)
        elif (pages - copied) * PAGE_BYTES >= PASSIVE_BYTES and not self._busy:
            self._busy = True
            self._gate.put(True)

    def _restart(self, connection: Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout = {RESTART_WAIT_MS}")
        try:
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        except sqlite3.OperationalError:
            pass  # a reader or the thread is at it: the next measure tries again
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    def _run(self) -> None:
        connection: Connection | None = None
        while self._gate.get():
            try:
                connection = connection or self._connect()
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error:
                pass  # the next measure tries again
            self._busy = False
        if connection is not None:
            connection.close()
