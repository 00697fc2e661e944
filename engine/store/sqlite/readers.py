"""A thread with a read-only connection of its own, for the stages or for operators."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from engine.errors import StoreUnavailable
from engine.store.names import Names, UnknownName
from engine.store.sqlite.connections import open_reader
from engine.store.sqlite.driver import Connection, sqlite3

Result = TypeVar("Result")


class Reader:
    """One thread: reads run one after the other, each a transaction of one statement."""

    def __init__(self, path: Path, name: str, names: Names) -> None:
        self._path = path
        self._names = names
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=f"store-{name}")
        self._connection: Connection | None = None

    @property
    def executor(self) -> Executor:
        """The thread, for the loop's run_in_executor."""
        return self._threads

    def run(self, read: Callable[[Connection], Result]) -> Result:
        """
        Run a read; in the thread only.

        Raises:
            StoreUnavailable: The database can't be read.
        """
        try:
            if self._connection is None:
                self._connection = open_reader(self._path)
            try:
                return read(self._connection)
            except UnknownName:  # committed a moment ago: its row came with what was read
                self._names.learn(dict(self._connection.execute("SELECT id, name FROM names").fetchall()))
                return read(self._connection)
        except sqlite3.Error as error:
            self._drop()
            raise StoreUnavailable(f"the store can't be read at the moment: {error}") from error

    def close(self) -> None:
        """Wait for what runs, then close."""
        self._threads.submit(self._drop)
        self._threads.shutdown(wait=True)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
