"""
The writer: takes what was submitted, commits it in one transaction, says so.

It runs in a thread beside the loop, or in a process of its own (store.sqlite.apart).

It sleeps until a NOW change comes or a timer of the loop says that a SOON or LAZY one is due; what came
meanwhile rides along. Between two commits it may restart the write-ahead log. When the disk fails, every change of
the batch fails, the connection is opened again with growing pauses, and what comes meanwhile fails at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Protocol

from engine.core.changes import Change, Identify, Prune, Receipt, Receive, Refuse
from engine.errors import ChangeRefused, StoreBroken, StoreError, StoreUnavailable, where
from engine.store.counting import CounterKey
from engine.store.sqlite.books import Books
from engine.store.sqlite.checkpoints import Checkpoints
from engine.store.sqlite.driver import CULPRIT_ERRORS, Connection, sqlite3
from engine.store.sqlite.pruning import PAGES_FREED, prune
from engine.store.sqlite.rare import RareChanges
from engine.store.sqlite.report import Outcome, Pending, Report
from engine.store.sqlite.room import too_little
from engine.store.sqlite.transaction import Transaction, apply_one, apply_together
from engine.store.sqlite.walk import CountDiffers

COMMIT_CHANGES: Final = 2_000
COMMIT_BYTES: Final = 8 * 1024 * 1024
INDEX_SECONDS: Final = 0.2
"""Search keys wait this long, to be indexed in runs."""
INDEX_BEHIND: Final = 1_000
"""Keys waiting at which they are indexed ten times as often."""
COMMIT_OVERHEAD_BYTES: Final = 16 * 1024
"""Pages of indexes and counters that a commit writes beside its changes, about."""
LONG_BYTES: Final = 64 * 1024
"""Size of an `Identify` from which on it has a transaction of its own, in its turn: some hundred rows."""
PAUSE_FIRST: Final = 0.05
PAUSE_LONGEST: Final = 5.0
FREE_CHECK_SECONDS: Final = 1.0

LOW_DISK: Final = "too little room is left on the disk to take messages"
_NOT_ON_A_LOW_DISK: Final = frozenset({Receive, Refuse})
"""What comes from outside; what is under way ends, and that gives room back."""


def _is_long(item: Pending) -> bool:
    """Tell whether a change takes long by itself, as a batch of an import does."""
    return item[2] >= LONG_BYTES and type(item[0]) is Identify


class Gate(Protocol):
    """Where the writer sleeps; in a thread of the engine, a queue that the loop puts into."""

    def put(self, item: None) -> None:
        """End the writer's sleep."""

    def get(self, block: bool = True, timeout: float | None = None) -> None:
        """
        Sleep until somebody speaks.

        Raises:
            Empty: Nobody did in `timeout` seconds.
        """

    def get_nowait(self) -> None:
        """Take what was said; only when it isn't `empty`."""

    def empty(self) -> bool:
        """Whether nothing was said."""


@dataclass(slots=True, kw_only=True)
class WriterParts:
    """What the writer is given."""

    connect: Callable[[], Connection]
    books: Books
    checkpoints: Checkpoints
    report: Callable[[Report], None]
    """Called by the writer: hands over to the loop."""
    free_bytes: Callable[[], int]
    least_free: int
    """Below this nothing more is taken; 0: no limit."""
    fault: Callable[[str], None]


class Writer(Thread):
    """One thread, one connection, one transaction at a time."""

    def __init__(self, parts: WriterParts, connection: Connection, gate: Gate | None = None) -> None:
        super().__init__(name="store-writer", daemon=True)
        self.pending: deque[Pending] = deque()
        self.begun = 0
        """Number of the last commit that was tried: a snapshot taken now shows no later one."""
        self.low_disk = False
        self.trouble: StoreError | None = None
        self.failure: BaseException | None = None
        """A defect of ours that ended the thread."""
        self._parts = parts
        self._connection: Connection | None = connection
        self._gate: Gate = gate or SimpleQueue()
        self._asleep = False
        self._submitted_now = 0
        self._taken_now = 0
        self._due = False
        self._stopping = False
        self._abandoned = False
        self._index_at = 0.0
        self._counters: dict[CounterKey, int] = {}
        self._names: dict[int, str] = {}
        self._seconds = 0.0
        self._free_checked = float("-inf")
        self._pause = PAUSE_FIRST

    # --- called in the loop ---

    def submit_now(self) -> None:
        """Tell that a NOW change was put into `pending`."""
        self._submitted_now += 1
        if self._asleep:
            self.wake()

    def due(self) -> None:
        """Tell that what is pending must be committed."""
        self._due = True
        self.wake()

    def wake(self) -> None:
        """End the writer's sleep."""
        self._asleep = False
        self._gate.put(None)

    def stop(self, *, abandon: bool = False) -> None:
        """Ask for the end: after a last commit, or (`abandon`, test only) at once, as a crash would."""
        self._stopping = True
        self._abandoned = abandon
        self.wake()

    # --- the thread ---

    def run(self) -> None:
        """Commit until told to stop."""
        try:
            while True:
                self._sleep()
                if self._abandoned:
                    break
                if self._stopping and not self.pending:
                    self._finish()
                    break
                self._turn()
        except BaseException as error:
            self.failure = error
            # The place only: the exception's text might hold a value of a message.
            broken = StoreBroken(f"the store's writer broke, a fault of Passerelle: {where(error)}")
            self.trouble = broken
            self._fail_pending(broken)
            self._parts.report(Report([], self.begun, 0, [broken]))
        finally:
            self._disconnect()

    def _sleep(self) -> None:
        self._asleep = True
        while not (self._due or self._stopping or self._submitted_now > self._taken_now or self._keys_are_due()):
            try:
                self._gate.get(timeout=self._longest_sleep())
            except Empty:
                break
            self._asleep = True
        self._asleep = False
        self._due = False
        while not self._gate.empty():
            self._gate.get_nowait()

    def _longest_sleep(self) -> float | None:
        if self.low_disk:
            return FREE_CHECK_SECONDS
        if self._parts.books.unindexed:
            return max(0.0, self._index_at - time.monotonic())
        return None

    def _keys_are_due(self) -> bool:
        return bool(self._parts.books.unindexed) and time.monotonic() >= self._index_at

    def _take(self) -> tuple[list[Pending], int]:
        self._taken_now = self._submitted_now
        batch: list[Pending] = []
        size = 0
        pending = self.pending
        while pending and len(batch) < COMMIT_CHANGES and size < COMMIT_BYTES:
            alone = _is_long(pending[0])
            if alone and batch:
                break  # what came before it is told first
            item = pending.popleft()
            batch.append(item)
            size += item[2]
            if alone:
                break
        # What was left behind is as urgent as what was taken.
        self._due = bool(pending)
        return batch, size

    def _turn(self) -> None:
        batch, size = self._take()
        trouble: list[StoreError | None] = []
        self._watch_disk(trouble)
        prunes = [item for item in batch if type(item[0]) is Prune]
        if prunes:
            # Heavy, and nobody waits: in transactions of their own, after the others were told.
            batch = [item for item in batch if type(item[0]) is not Prune]
            size -= sum(item[2] for item in prunes)
        if batch or trouble or self._keys_are_due():
            self._commit(batch, size, trouble)
        for item in prunes:
            self._commit([item], item[2], [])

    def _commit(self, batch: list[Pending], size: int, trouble: list[StoreError | None]) -> None:
        """Commit a batch and report it."""
        connection = self._connection
        if connection is None:
            self._report_failed(batch, self.trouble or StoreUnavailable(LOW_DISK))
            return
        self.begun += 1
        try:
            outcomes = self._outcomes(batch)
        except (sqlite3.Error, OSError) as error:
            self._fail(batch, size, error)
            return
        self._pause = PAUSE_FIRST
        self._tell(outcomes, size, trouble)
        try:
            self._parts.checkpoints.after_commit(connection, size + COMMIT_OVERHEAD_BYTES)
        except sqlite3.Error:
            # The log only grows; a disk that really fails shows at the next commit.
            return

    def _tell(self, outcomes: list[Outcome], size: int, trouble: list[StoreError | None]) -> None:
        """Report a commit, with what it changed in the books."""
        counters, self._counters = self._counters, {}
        names, self._names = self._names, {}
        seconds, self._seconds = self._seconds, 0.0
        next_place = self._parts.books.next_place
        self._parts.report(Report(outcomes, self.begun, size, trouble, counters, names, next_place, seconds))

    def _outcomes(self, batch: list[Pending]) -> list[Outcome]:
        if len(batch) == 1 and isinstance(batch[0][0], Prune):
            return [(batch[0][0], batch[0][1], self._prune(batch[0][0]))]
        low = self.low_disk
        taken = [item for item in batch if type(item[0]) not in _NOT_ON_A_LOW_DISK] if low else batch
        receipts = iter(self._apply([item[0] for item in taken]))
        full = StoreUnavailable(LOW_DISK)
        return [
            (change, done, full if low and type(change) in _NOT_ON_A_LOW_DISK else next(receipts))
            for change, done, _ in batch
        ]

    def _apply(self, changes: list[Change]) -> list[Receipt | StoreError]:
        if not changes and not self._keys_are_due():
            return []
        started = time.perf_counter()
        try:
            receipts: list[Receipt | StoreError] = self._in_transaction(
                lambda work: list(apply_together(work, changes, RareChanges(work).apply))
            )
        except (CountDiffers, ChangeRefused, *CULPRIT_ERRORS):
            receipts = self._in_transaction(
                lambda work: [apply_one(work, change, RareChanges(work).apply) for change in changes]
            )
        self._seconds = time.perf_counter() - started
        return receipts

    def _in_transaction(self, apply: Callable[[Transaction], Any]) -> Any:
        connection: Connection = self._connection
        books = self._parts.books
        waited = bool(books.unindexed)
        work = Transaction(connection, books, self._parts.fault)
        if self._keys_are_due():
            work.index_keys()
        try:
            result = apply(work)
            names = books.names.unsaved.copy()
            work.commit()
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._counters |= {key: books.counters[key] for key in work.tally.changes}
        self._names |= names
        if work.indexed or not waited:
            behind = len(books.unindexed) > INDEX_BEHIND
            self._index_at = time.monotonic() + (INDEX_SECONDS / 10 if behind else INDEX_SECONDS)
        return result

    def _prune(self, change: Prune) -> Receipt | StoreError:
        books = self._parts.books
        before = books.prune_after, books.events_after
        try:
            receipt: Receipt = self._in_transaction(lambda work: prune(work, change))
        except sqlite3.Error:
            books.prune_after, books.events_after = before
            raise
        if self._connection is not None and receipt.place:
            self._connection.execute(f"PRAGMA incremental_vacuum({PAGES_FREED})").fetchall()
        return receipt

    # --- trouble ---

    def _watch_disk(self, trouble: list[StoreError | None]) -> None:
        if not self._parts.least_free or time.monotonic() - self._free_checked < FREE_CHECK_SECONDS:
            return
        self._free_checked = time.monotonic()
        try:
            free = self._parts.free_bytes()
        except OSError:
            return  # a disk that fails: the commit says so
        low = too_little(free, self._parts.least_free, already=self.low_disk)
        if low and not self.low_disk:
            self.trouble = StoreUnavailable(LOW_DISK)
            trouble.append(self.trouble)
        elif self.low_disk and not low:
            self.trouble = None
            trouble.append(None)
        self.low_disk = low

    def _fail(self, batch: list[Pending], size: int, error: Exception) -> None:
        unavailable = StoreUnavailable(f"nothing can be stored at the moment: {error}")
        first = self.trouble is None or self.low_disk
        self.trouble = unavailable
        self._parts.books.views.lost(item[0] for item in batch)
        outcomes: list[Outcome] = [(change, done, unavailable) for change, done, _ in batch]
        self._parts.report(Report(outcomes, self.begun, size, [unavailable] if first else []))
        self._disconnect()
        while not self._abandoned:
            self._wait_a_pause(unavailable)
            if self._stopping or self._reconnect():
                return

    def _wait_a_pause(self, error: StoreError) -> None:
        """Wait before the next try; what is submitted meanwhile fails at once."""
        until = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, PAUSE_LONGEST)
        while not self._stopping and (left := until - time.monotonic()) > 0:
            self._asleep = True
            if not self.pending:
                try:
                    self._gate.get(timeout=left)
                except Empty:
                    continue
            self._fail_pending(error)

    def _fail_pending(self, error: StoreError) -> None:
        """Fail everything that waits."""
        self._taken_now = self._submitted_now
        batch = []
        while self.pending:
            batch.append(self.pending.popleft())
        if batch:
            self._report_failed(batch, error)

    def _report_failed(self, batch: list[Pending], error: StoreError) -> None:
        self.begun += 1
        self._parts.books.views.lost(item[0] for item in batch)
        outcomes: list[Outcome] = [(change, done, error) for change, done, _ in batch]
        self._parts.report(Report(outcomes, self.begun, sum(item[2] for item in batch)))

    def _reconnect(self) -> bool:
        try:
            self._connection = self._parts.connect()
            # A write of its own: that the database opens doesn't mean that it can be written.
            self._connection.execute("INSERT OR REPLACE INTO run(key, value) VALUES ('probed', 1)")
            self._parts.books.load(self._connection)
        except (sqlite3.Error, OSError):
            self._disconnect()
            return False
        self.trouble = None
        self.low_disk = False
        self._free_checked = float("-inf")
        self.begun += 1
        self._parts.report(Report([], self.begun, 0, [None]))
        return True

    # --- the end ---

    def _finish(self) -> None:
        if self._connection is None:
            return
        try:
            while self._parts.books.unindexed:
                self._index_at = -1.0
                self._in_transaction(lambda _work: None)
            stopped = int(time.time() * 1000)
            self._connection.execute(
                "INSERT OR REPLACE INTO run(key, value) VALUES ('clean', 1), ('stopped_ms', ?)", (stopped,)
            )
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except (sqlite3.Error, OSError):
            # Then the next start is one after a crash: nothing is lost.
            return

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error:
                return
