"""The store of one machine: the port of core, in the loop; the work is done by the writer and reader threads."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.core.changes import Change, Route
from engine.core.identities import IdentityEvent, IdentityFacts, IdentityRows
from engine.core.messages import Arrival, Delivery, Fate, Hold, Intention, StoredMessage
from engine.core.ports import Done, Page, Queued, Received, Recovery, Urgency
from engine.errors import StoreBroken, StoreError, StoreUnavailable
from engine.store.announcing import Announcer
from engine.store.backlog import load_of, newly_unrouted, size_of
from engine.store.bases import BaseOf, default_base_of
from engine.store.counting import CounterKey
from engine.store.names import Names
from engine.store.sqlite.apart import WriterProcess
from engine.store.sqlite.books import Books
from engine.store.sqlite.checkpoints import Checkpoints
from engine.store.sqlite.company import SOON_CROWD, Company
from engine.store.sqlite.connections import FILE_NAME, in_words, migrate, open_checkpointer, open_writer
from engine.store.sqlite.directory import DataDirectory, file_bytes
from engine.store.sqlite.driver import Connection, require_safe_version, sqlite3
from engine.store.sqlite.identity_reads import read_facts, read_identities, read_waiting, read_waiting_for
from engine.store.sqlite.ledger import Ledger
from engine.store.sqlite.patience import patiently, silence
from engine.store.sqlite.queries import SqliteQueries
from engine.store.sqlite.readers import Reader
from engine.store.sqlite.reading import Reads
from engine.store.sqlite.recovery import recover
from engine.store.sqlite.report import Report
from engine.store.sqlite.room import START_BYTES, Room, disk_full, is_disk_full
from engine.store.sqlite.scan import recount_database
from engine.store.sqlite.writer import Writer, WriterParts

SWITCH_SECONDS: Final = 0.00005
"""
How long a thread keeps the interpreter once another asks for it: at each statement the writer gives it up and
must get it back from a busy loop. The default of 5 ms would make the writer ten times slower.
"""

Result = TypeVar("Result")


class SqliteStore:
    """A data directory with one SQLite database, owned by this process."""

    def __init__(
        self,
        directory: Path,
        *,
        base_of: BaseOf | None = None,
        min_free: int | None = None,
        free_bytes: Callable[[], int] | None = None,
        fault: Callable[[str], None] | None = None,
        briefly: bool = False,
        apart: bool = False,
    ) -> None:
        """
        Keep the parts; nothing is touched before `open`.

        Args:
            directory: The data directory; made by `open`.
            base_of: Gives the base of splices; parsers.base_of by default.
            min_free: Bytes of the disk below which no message is taken; 0: never; None: 1 GB, or 5 % of a
                smaller disk.
            free_bytes: Tells the room left; of the directory's disk by default.
            fault: Test only: called with the name of each group of statements; may raise the library's errors.
            briefly: A command holds the directory for a moment: an engine that starts meanwhile waits for it.
            apart: Write in a process of its own, so that it runs beside a busy loop; for the engine. Without, in a
                thread: at once there, for commands that ask a stopped engine, and for tests.
        """
        self.reference_key = b""
        """Key of the References of this directory; known after `open`."""
        self._directory = DataDirectory(directory, briefly=briefly)
        self._path = directory / FILE_NAME
        self._free_bytes = free_bytes or self._directory.free_bytes
        self.room = Room(directory, min_free, self._free_bytes, lambda: self._writer.trouble if self._writer else None)
        """What is left of the disk."""
        self._fault = fault or (lambda _name: None)
        self._apart = apart
        self._ledger = Ledger()
        self._checkpoints = Checkpoints(lambda: open_checkpointer(self._path))
        self._reads = Reads(self._ledger.names, base_of or default_base_of)
        self._stage_reader = Reader(self._path, "stages", self.names)
        self._query_reader = Reader(self._path, "queries", self.names)
        self.queries = SqliteQueries(self)
        self._announcer = Announcer()
        self.on_received: Callable[[str, Callable[[Received], None]], None] = self._announcer.on_received
        self.on_deliveries: Callable[[str, Callable[[Queued], None]], None] = self._announcer.on_deliveries
        self.on_routed: Callable[[str, Callable[[Sequence[Route]], None]], None] = self._announcer.on_routed
        self.on_intentions: Callable[[str, Callable[[Intention], None]], None] = self._announcer.on_intentions
        self.on_trouble: Callable[[Callable[[StoreError | None], None]], None] = self._announcer.on_trouble
        self._writer: Writer | WriterProcess | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changes_held = 0
        self._bytes_held = 0
        self._unrouted = 0
        """Messages taken in this run and not yet routed."""
        self._aside = 0  # of these, those that are routed beside what comes
        self._company: Company | None = None
        self._announced = 0
        self._waiting_reads: list[tuple[int, asyncio.Future[None]]] = []
        self._closing = False
        self._silent = False
        self._started_ms = 0
        self._stopped_ms = 0

    # --- life ---

    async def open(self, *, now_ms: int) -> Recovery:
        """
        Lock the directory, bring the schema up to date, start the writer.

        Raises:
            StoreLocked: Another process owns the directory.
            StoreUnavailable: The directory or the database can't be used.
        """
        require_safe_version()
        loop = self._loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._directory.acquire, now_ms)
        writer = WriterProcess(self._announce) if self._apart else None
        try:
            if writer is not None:  # it makes itself ready while we look at the database
                writer.spawn(self._directory.path, self._directory.lock, self.room.least)
            connection, books, recovery = await loop.run_in_executor(None, self._open_database, now_ms)
        except BaseException:
            if writer is not None:
                writer.discard()
            self._directory.release()
            raise
        self._started_ms = now_ms
        # Only ever lowered: another part may need it lower still.
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        if writer is not None:
            connection.close()
            await writer.begin()
            self._directory.note_writer(writer.pid)
            self._writer = writer
        else:
            self._checkpoints.start()
            self._writer = Writer(self._parts(books), connection)
            self._writer.start()
        self._company = Company(self._writer, loop)
        return recovery

    def _open_database(self, now_ms: int) -> tuple[Connection, Books, Recovery]:
        self.reference_key = self._directory.key()
        books = Books(self.names)
        try:
            connection = open_writer(self._path)
            try:
                self._path.chmod(0o600)
                migrate(connection)
                self._directory.sync()
                books.load(connection)
                found = recover(connection, self._directory, self.names, now_ms)
            except BaseException:
                connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            # SQLite says `disk I/O error` where a few pages are left, and not enough of them
            if is_disk_full(error) or self._directory.free_bytes() < START_BYTES:
                raise disk_full(self._directory.path) from error
            raise StoreUnavailable(f"the database {self._path} can't be opened: {in_words(error)}") from error
        self._ledger.open(books)
        self._announcer.first_high = books.next_place - 1
        self._announcer.high_deliveries = found.high_deliveries
        self._stopped_ms = found.stopped_ms
        return connection, books, found.recovery

    def _parts(self, books: Books) -> WriterParts:
        return WriterParts(
            connect=lambda: open_writer(self._path),
            books=books,
            checkpoints=self._checkpoints,
            report=self._report,
            free_bytes=self._free_bytes,
            least_free=self.room.least,
            fault=self._fault,
        )

    async def close(self) -> None:
        """
        Commit what was submitted, mark a clean stop, unlock.

        Raises:
            StoreUnavailable: The writer did not end in time and was killed; the sentence says so.
        """
        await self._end(abandon=False)

    async def abandon(self) -> None:
        """Stop as a crash would, for tests: what was not committed is lost, nobody is told."""
        await self._end(abandon=True)

    async def _end(self, *, abandon: bool) -> None:
        writer, loop = self._writer, self._loop
        if writer is None or loop is None or self._closing:
            return
        self._closing = True
        self._silent = abandon
        if self._company is not None:
            self._company.cancel()
        writer.stop(abandon=abandon)
        killed = await loop.run_in_executor(None, writer.join)
        if not abandon:
            # The last commits were handed to the loop; they are announced before this returns.
            await self._announcement(writer.begun)
        if isinstance(writer, WriterProcess):
            writer.hang_up()
        self._writer = None
        await loop.run_in_executor(None, self._close_rest)
        for _, waiting in self._waiting_reads:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting_reads.clear()
        if killed and not abandon:
            raise StoreUnavailable(killed)

    def _close_rest(self) -> None:
        if not self._apart:
            self._checkpoints.stop()
        self._stage_reader.close()
        self._query_reader.close()
        self._directory.release()

    # --- writing ---

    def submit(self, change: Change, urgency: Urgency, done: Done | None = None) -> None:
        """Queue a change; never blocks. Must be called in the loop."""
        writer, company = self._writer, self._company
        if writer is None or company is None or self._closing or writer.failure is not None:
            self._refuse(change, done)
            return
        size = size_of(change)
        writer.pending.append((change, done, size))
        self._changes_held += 1
        self._bytes_held += size
        if urgency == Urgency.NOW or (urgency == Urgency.SOON and len(writer.pending) >= SOON_CROWD):
            writer.submit_now()
        elif urgency == Urgency.SOON:
            company.soon()
        else:
            company.lazy()

    def _refuse(self, change: Change, done: Done | None) -> None:
        closed = StoreUnavailable("the store is closed")
        if done is not None:
            asyncio.get_running_loop().call_soon(self._announcer.tell, [(change, done, closed)])

    def meanwhile(self, work: Callable[[], None]) -> None:
        """Call in the loop while a commit is under way."""
        if isinstance(self._writer, WriterProcess) and self._writer.failure is None:
            self._writer.meanwhile(work)
        elif self._loop is not None:
            self._loop.call_soon(work)

    @property
    def load(self) -> float:
        """0..1: how much waits to be committed, or to be routed."""
        return load_of(self._changes_held, self._bytes_held, self._unrouted - self._aside)

    def set_aside(self, count: int) -> None:
        """Leave so many more messages out of the load (negative: fewer)."""
        self._aside += count

    def sending(self, delivery: int, attempt: int, slot: int) -> None:
        """Note that a delivery is about to leave."""
        self._directory.note_sending(delivery, attempt, slot)

    def sent(self) -> Mapping[int, int]:
        """Deliveries of this run that left, or are about to, with the attempt."""
        return self._directory.sent()

    def _report(self, report: Report) -> None:
        """Hand a commit over to the loop; in the writer thread."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._announce, report)
        except RuntimeError:
            # The loop is closed: nobody is left who could hear it.
            return

    def _announce(self, report: Report) -> None:
        """Answer those who wait, and let the answers leave before anything else that the commit gives to do."""
        if self._silent or self._loop is None:
            return
        self._loop.call_soon(self._announce_rest, report)
        self._announcer.answer(report.outcomes)

    def _announce_rest(self, report: Report) -> None:
        if self._silent:
            return
        self._changes_held -= len(report.outcomes)
        self._bytes_held -= report.size
        self._unrouted = max(0, self._unrouted + newly_unrouted(report.outcomes))
        self._announced = report.number
        if self._company is not None:
            self._company.told(report.number)
        self._ledger.learn(report)
        try:
            self._announcer.publish(report.outcomes)
        finally:
            for trouble in report.trouble:
                self._announcer.trouble(trouble)
                if isinstance(trouble, StoreBroken):
                    self._fail_stranded(trouble)
            self._release_reads()

    def _fail_stranded(self, broken: StoreBroken) -> None:
        """Fail what was submitted while the writer was ending; from now on `submit` refuses by itself."""
        writer = self._writer
        if writer is not None and writer.pending:
            stranded = list(writer.pending)
            writer.pending.clear()
            self._announcer.tell([(change, done, broken) for change, done, _ in stranded])

    def _release_reads(self) -> None:
        if self._waiting_reads:
            for number, waiting in self._waiting_reads:
                if number <= self._announced and not waiting.done():
                    waiting.set_result(None)
            self._waiting_reads = [each for each in self._waiting_reads if each[0] > self._announced]

    # --- reading ---

    async def _read(self, read: Callable[[Connection], Result]) -> Result:
        """
        Run a read in a thread; return when everything that it may have seen was announced.

        So a stage never finds on a page what it will hear of later.
        """
        writer, loop = self._writer, self._loop
        if writer is None or loop is None:
            raise StoreUnavailable("the store is closed")
        chosen = self._stage_reader

        def work() -> tuple[Result, int]:
            result = chosen.run(read)
            return result, writer.begun

        result, seen = await loop.run_in_executor(chosen.executor, work)
        await self._announcement(seen)
        return result

    async def _announcement(self, number: int) -> None:
        if self._announced < number and self._loop is not None:
            waiting = self._loop.create_future()
            self._waiting_reads.append((number, waiting))
            await waiting

    async def ask(self, read: Callable[[Connection], Result]) -> Result:
        """
        Run an operator's question, in a thread apart from the stages' reads.

        Raises:
            StoreUnavailable: The store is closed, or has been silent; the sentence says since when.
        """
        writer, loop = self._writer, self._loop
        if writer is None or loop is None:
            raise StoreUnavailable("the store is closed")
        reader = self._query_reader
        reading = loop.run_in_executor(reader.executor, lambda: (reader.run(read), writer.begun))
        if not await patiently(reading, self._silent_seconds):
            raise StoreUnavailable(self.silence())
        result, seen = reading.result()
        # A commit that hangs must not hide what is on disk.
        await patiently(asyncio.ensure_future(self._announcement(seen)), self._silent_seconds)
        return result

    def _silent_seconds(self) -> float:
        return self._writer.silent_seconds if isinstance(self._writer, WriterProcess) else 0.0

    def silence(self, least_seconds: float = 0.0) -> str:
        """Say since when the writer has said nothing; empty when it has not been silent for so long."""
        writer, seconds = self._writer, self._silent_seconds()
        if not isinstance(writer, WriterProcess) or not seconds or seconds < least_seconds:
            return ""
        since = datetime.fromtimestamp(time.time() - seconds).astimezone().strftime("%H:%M:%S")
        return silence(seconds, since, writer.pid)

    async def unrouted(self, group: str, after: int, limit: int, max_bytes: int) -> Page[StoredMessage]:
        """Messages in state RECEIVED after a place, in order."""
        high = self._announcer.high_place(group)
        items, whole = await self._read(lambda c: self._reads.unrouted(c, group, after, limit, max_bytes))
        last = items[-1].place if items else after
        return Page(items, max(last, high) if whole else last)

    async def last_queued(self, group: str) -> int:
        """The highest place of a routing group of which a delivery is queued."""
        return await self._read(lambda c: self._reads.last_queued(c, group))

    async def message(self, place: int) -> StoredMessage | None:
        """One message with its bytes."""
        return await self._read(lambda c: self._reads.message(c, place))

    async def fate(self, place: int) -> Fate | None:
        """What became of one message so far."""
        return await self._read(lambda c: self._reads.fate(c, place))

    async def recent(self, source: str, since_ms: int, limit: int) -> list[Arrival]:
        """The last arrivals of a source that were routed, oldest first."""
        return await self._read(lambda c: self._reads.recent(c, source, since_ms, limit))

    async def queue(self, destination: str, after: int, limit: int) -> Page[Delivery]:
        """Queued deliveries with an id above `after`, in order, without payloads."""
        high = self._announcer.high_deliveries.get(destination, 0)
        items, whole = await self._read(lambda c: self._reads.queue(c, destination, after, limit))
        last = items[-1].id if items else after
        return Page(items, max(last, high) if whole else last)

    async def queue_of(self, destination: str, lane: int, since: int, limit: int) -> list[Delivery]:
        """Queued deliveries that hold a lane key, in order, without payloads."""
        return await self._read(lambda c: self._reads.queue_of(c, destination, lane, since, limit))

    async def parted(self, destination: str, after: int, limit: int) -> list[Delivery]:
        """Pending deliveries that are marked PARTED, in order, without payloads."""
        return await self._read(lambda connection: self._reads.parted(connection, destination, after, limit))

    async def delivery(self, delivery: int) -> Delivery | None:
        """One delivery, without its payload."""
        return await self._read(lambda c: self._reads.delivery(c, delivery))

    async def payloads(self, ids: Collection[int], max_bytes: int) -> Mapping[int, bytes]:
        """The bytes to send, in the order asked; at least one if any exists."""
        return await self._read(lambda c: self._reads.payloads(c, ids, max_bytes))

    async def holds(self) -> list[Hold]:
        """Every hold in force."""
        return await self.ask(self._reads.holds)

    async def intentions(self, stage: str) -> list[Intention]:
        """Intentions not yet fulfilled, oldest first."""
        return await self._read(lambda c: self._reads.intentions(c, stage))

    async def identities(
        self, identifiers: Collection[int], patients: Collection[int] = (), traits: Collection[int] = ()
    ) -> IdentityRows:
        """What is known of some identifiers, patients and strict traits."""
        return await self._read(lambda c: read_identities(c, self.names, identifiers, patients, traits))

    async def waiting_until(self, now_ms: int, limit: int) -> list[int]:
        """Messages in state WAITING whose wait is over, those first whose wait ended first."""
        return await self._read(lambda c: read_waiting(c, now_ms, limit))

    async def waiting_for(self, hashes: Collection[int], *, linked: bool = False) -> dict[int, tuple[int, ...]]:
        """Messages in state WAITING that wait for one of these hashes, each with all of its own."""
        return await self._read(lambda c: read_waiting_for(c, hashes, linked=linked))

    async def identity_facts(self) -> IdentityFacts:
        """The next patient, when the next wait ends, and counts."""
        counters = self.counters
        return await self._read(lambda c: read_facts(c, counters))

    async def identity_event(self, event: int) -> IdentityEvent | None:
        """One identity event, as it was given to the store."""
        return await self.queries.identity_event(event)

    async def recount(self) -> dict[CounterKey, int]:
        """Count again by scanning: what the counters must say. For doctor and tests: it reads everything."""
        kept = dict(self._ledger.counters)
        return await self.ask(lambda c: recount_database(c, self.names, kept))

    # --- facts ---

    @property
    def counters(self) -> dict[CounterKey, int]:
        """A copy of the counters of what is on disk."""
        return dict(self._ledger.counters)

    def facts(self) -> dict[str, Any]:
        """What `queries.facts` tells, without the parts that need a read."""
        writer = self._writer
        return {
            "store": "sqlite",
            "version": sqlite3.sqlite_version,
            "path": str(self._path),
            "data_bytes": file_bytes(self._path),
            "wal_bytes": file_bytes(self._path.with_name(self._path.name + "-wal")),
            **self.room.facts(),
            **self._ledger.facts(),
            "changes_waiting": self._changes_held,
            "bytes_waiting": self._bytes_held,
            "started_ms": self._started_ms,
            "stopped_ms": self._stopped_ms,
            "trouble": str(writer.trouble) if writer is not None and writer.trouble is not None else "",
        }

    @property
    def names(self) -> Names:
        """The interned names."""
        return self._ledger.names
