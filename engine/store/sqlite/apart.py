"""
The writer in a process of its own: the engine's side.

Beside a busy loop a thread waits for the interpreter's lock at each statement, and the loop waits for it in
turn: on two cores a third of both was lost so (docs/decisions/0009). Here they share nothing but a socket. The
process (store.sqlite.writing) holds the directory's lock together with us, so that after a `kill -9` nobody opens the
directory before its last commit has ended; when we are gone it ends by itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final, cast

from engine.core.changes import Receipt, Receive
from engine.errors import StoreBroken, StoreError, StoreUnavailable
from engine.store.sqlite.report import Outcome, Pending, Report
from engine.store.sqlite.wire import LENGTH_BYTES, Batch, Numbered, Said, fill, length_of, read_report, write_batch

POSTPONED_SECONDS: Final = 0.001
"""How long work waits for a commit under which it costs nobody time."""
BATCH_CHANGES: Final = 2_000
"""Changes of one frame, at most."""
MODULE: Final = "engine.store.sqlite.writing"
_COPIED_BYTES: Final = 65_536
_END_SECONDS: Final = 15.0
"""What the last commit may take at a stop; less than a service manager waits before it kills (systemd: 90 s)."""
_KILLED_SECONDS: Final = 3.0
_MEMORY: Final = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_ARENA_MAX": "2"}
"""The C library's settings (mallopt(3)): large messages go back to the system when they are stored."""


class WriterProcess(asyncio.Protocol):
    """What `store.sqlite.writer.Writer` is to the store, with the writer elsewhere; everything runs in the loop."""

    def __init__(self, report: Callable[[Report], None]) -> None:
        """
        Keep whom to tell; `spawn` starts the process, `begin` the work.

        Args:
            report: Called in the loop with each commit.
        """
        self.pending: deque[Pending] = deque()
        self.begun = 0
        """Number of the last change that was handed over: a snapshot taken now shows no later one."""
        self.trouble: StoreError | None = None
        self.failure: BaseException | None = None
        """The process ended without being asked."""
        self._report = report
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._under_way: dict[int, Pending] = {}
        """By number, in order: handed over, and not yet told."""
        self._asked = False
        self._waiting_since: float | None = None
        """When it last said something, or was first asked again, while something is under way."""
        self._stopping = False
        self._postponed: list[Callable[[], None]] = []
        self._postponed_until: asyncio.TimerHandle | None = None

    # --- life ---

    def spawn(self, directory: Path, lock: int, least_free: int) -> None:
        """
        Start the process; it makes itself ready and waits for the first batch.

        Args:
            directory: The data directory, which we have locked.
            lock: Descriptor of the lock; the process holds it too, until its end.
            least_free: Bytes of the disk below which it takes no message.

        Raises:
            StoreUnavailable: It can't be started.
        """
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", MODULE, str(theirs.fileno()), str(directory), str(least_free)]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(), lock), close_fds=True,
                env=os.environ | _MEMORY,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            raise StoreUnavailable(f"the store's writer can't be started: {error.strerror}") from error
        finally:
            theirs.close()
        self._socket = ours

    async def begin(self) -> None:
        """Let it open the database; it commits what comes from now on."""
        self._loop = asyncio.get_running_loop()
        ours, self._socket = self._socket, None
        await self._loop.create_unix_connection(lambda: self, sock=ours)
        self._send(Batch())

    @property
    def pid(self) -> int:
        """Of the process; 0 before it is started."""
        return 0 if self._process is None else self._process.pid

    @property
    def silent_seconds(self) -> float:
        """How long it has said nothing although something is under way."""
        if self._waiting_since is None or self._loop is None:
            return 0.0
        return self._loop.time() - self._waiting_since

    def stop(self, *, abandon: bool = False) -> None:
        """Ask for the end: after a last commit, or (`abandon`, test only) at once, as a crash would."""
        self._stopping = True
        if abandon:
            if self._process is not None:
                self._process.kill()
            return
        self._hand_over()
        self._send(Batch(end=True))

    def join(self) -> str:
        """
        Wait for the end of the process; in a thread, because the loop hears its last words meanwhile.

        Returns:
            A sentence when it had to be killed, or could not even be; else empty.
        """
        process = self._process
        if process is None:
            return ""
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        else:
            return ""
        unsaid = "what it had not said to be on disk was not acknowledged, and comes again from its senders"
        try:
            process.wait(_KILLED_SECONDS)
        except subprocess.TimeoutExpired:
            if self._loop is not None:  # whoever waits for its last words would wait for the disk
                self._loop.call_soon_threadsafe(self.hang_up)
            return (
                f"the store's writer (process {process.pid}) can't even be killed: its disk hangs; it holds the data "
                f"directory until the disk answers; {unsaid}"
            )
        ended = f"did not end within {_END_SECONDS:.0f} s and was killed"
        return f"the store's writer (process {process.pid}) {ended}; {unsaid}"

    def hang_up(self) -> None:
        """Close the socket; after `join`, and when the last report was heard."""
        if self._transport is not None:
            self._transport.abort()

    def discard(self) -> None:
        """End a process whose work never began."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    # --- handing over ---

    def submit_now(self) -> None:
        """Hand over what is pending at the end of this turn of the loop, with all that joins it until then."""
        if not self._asked and self._loop is not None:
            self._asked = True
            self._loop.call_soon(self._hand_over)

    due = submit_now

    def meanwhile(self, work: Callable[[], None]) -> None:
        """Call in the loop while a commit is under way, the next one if there is none, at the latest in 1 ms."""
        loop = self._loop
        assert loop is not None
        if self._under_way:
            loop.call_soon(work)
            return
        self._postponed.append(work)
        if self._postponed_until is None:
            self._postponed_until = loop.call_later(POSTPONED_SECONDS, self._work_alone)

    def _work_alone(self) -> None:
        """Work without a commit; not where one begins in this very turn: its sender would wait for the work."""
        if not self._asked:
            self._work()

    def _work(self) -> None:
        if self._postponed_until is not None:
            self._postponed_until.cancel()
            self._postponed_until = None
        postponed, self._postponed = self._postponed, []
        for work in postponed:
            work()

    def _hand_over(self) -> None:
        self._asked = False
        pending = self.pending
        while pending and self.failure is None:  # after its end nobody answers: the store fails what is pending
            changes: list[Numbered] = []
            number = self.begun
            for change, done, size in islice(pending, BATCH_CHANGES):
                number += 1
                self._under_way[number] = (change, done, size)
                changes.append((number, change, size))
            for _ in changes:
                pending.popleft()
            self.begun = number
            if self._waiting_since is None and self._loop is not None:
                self._waiting_since = self._loop.time()
            self._send(Batch(changes))
        if self._postponed and self._loop is not None:
            self._loop.call_soon(self._work)

    def _send(self, batch: Batch) -> None:
        if self._transport is not None and not self._transport.is_closing():
            values = write_batch(batch)
            if len(values) < _COPIED_BYTES:
                self._transport.write(length_of(values) + values)
            else:
                self._transport.write(length_of(values))
                self._transport.write(values)

    # --- hearing ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Tell each whole report."""
        buffer = self._buffer
        buffer += data
        start, size = 0, len(buffer)
        while size - start >= LENGTH_BYTES:
            end = start + LENGTH_BYTES + int.from_bytes(buffer[start : start + LENGTH_BYTES], "little")
            if end > size:
                break
            said = read_report(bytes(buffer[start + LENGTH_BYTES : end]))
            start = end
            self._tell(said)
        del buffer[:start]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Fail what was never answered; unless we asked for it, the end of the process is a defect."""
        if self._stopping:
            self._fail(StoreUnavailable("the store was closed"), [])
            return
        code = self._process.wait() if self._process is not None else 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        broken = StoreBroken(f"the store's writer process ended ({how}): the engine must be started again")
        self.failure = self.trouble = broken
        self._fail(broken, [broken])

    def _tell(self, said: Said) -> None:
        outcomes: list[Outcome] = []
        size = 0
        under_way = self._under_way
        for number, outcome in said.outcomes:
            change, done, bytes_ = under_way.pop(number)
            if type(change) is Receive and type(outcome) is Receipt:
                change.message.place = outcome.place
            elif number in said.filled:
                fill(change, said.filled[number])
            outcomes.append((change, done, outcome))
            size += bytes_
        self._waiting_since = self._loop.time() if under_way and self._loop is not None else None
        for trouble in said.trouble:
            self.trouble = trouble
            if isinstance(trouble, StoreBroken):
                self.failure = trouble
        self._report(
            Report(outcomes, self._told, size, said.trouble, said.counters, said.names, said.next_place, said.seconds)
        )

    @property
    def _told(self) -> int:
        """Everything up to this change was told."""
        return next(iter(self._under_way), self.begun + 1) - 1

    def _fail(self, error: StoreError, trouble: list[StoreError | None]) -> None:
        outcomes: list[Outcome] = [(change, done, error) for change, done, _ in self._under_way.values()]
        size = sum(each[2] for each in self._under_way.values())
        self._under_way.clear()
        self._waiting_since = None
        if outcomes or trouble:
            self._report(Report(outcomes, self.begun, size, trouble))
