"""
DirectorySource: files of a folder become messages; moving a file away is its acknowledgement.

Rules: a file is handed over when it is complete (its size and time rested for `settle` seconds, or its companion
says so, and it ends as its format ends: unfinished), oldest first, a few at once, the next ones when the previous are
answered. Nothing as the answer (`b""`), or only acknowledgements AA and CA (table 0008), means stored: the file goes
to `move_to`. `LATER` means not now: it stays, and nothing younger overtakes it. Anything else is a refusal: the file
goes to `refused/` with the answer beside it; so does a file of several messages of which one is refused.

A crash between storing and moving gives the file again, with the same name and bytes: the router knows it.

All calls that touch the folder run in one thread of this door: a network share that hangs holds that thread and
nothing else.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.core.ports import UNSENT, Accept, RefuseBytes, Runtime, Timer
from engine.errors import DoorFailed
from engine.parsers.hprim.acknowledgement import accepts
from engine.routes import configuration
from engine.routes.directories import Ending, NamedBy
from engine.transports.directory.attached import AttachedReader
from engine.transports.directory.files import fit, in_words, shown_name, write_new
from engine.transports.directory.folder import HEAD_BYTES, Folder, Found, Move, Reading
from engine.transports.directory.unfinished import UnfinishedFiles

LATER: Final = b"\x15"
"""Answer (ASCII NAK) that says: not taken now, and not refused either. The file stays where it is."""

REFUSED: Final = "refused"
"""Folder of what was refused, below the watched one."""

BATCH_FILES: Final = 16
BATCH_BYTES: Final = 8_000_000
"""How much is read and handed over at once; one file may be longer."""

UNREADABLE_AFTER: Final = 3
"""Looks in a row that fail to read a file before it is refused: a share may stumble once."""

UNMOVED_MAX: Final = 100
"""
Files that are done with and can't be moved, or answered, before nothing more is taken: after a restart they all come
again.
"""

CLOSE_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 10.0
POLL_MIN: Final = 0.05

Result = TypeVar("Result")
Answer = tuple[Reading, list[bytes]]


@dataclass(slots=True)
class _Seen:
    size: int
    mtime_ns: int
    since: float


class _Reply:
    """Where intake's answers on one file go (core.ports.Reply); after the last one nothing is heard."""

    __slots__ = ("_answers", "_heard", "_reading")

    def __init__(self, heard: Callable[[Reading, list[bytes]], None], reading: Reading) -> None:
        self._heard: Callable[[Reading, list[bytes]], None] | None = heard
        self._reading = reading
        self._answers: list[bytes] = []

    def answer(self, data: bytes, *, last: bool = True) -> None:
        if data:
            self._answers.append(data)
        if last and self._heard is not None:
            heard, self._heard = self._heard, None
            heard(self._reading, self._answers)


class DirectorySource:
    """
    The source side of a folder (core.ports.SourceDoor).

    Args:
        source: What routes.yaml says: path, pattern, settle, companion, move_to, poll, max_size.
        accept: Intake's door; called with the file's name.
        refuse: Intake's door for files that are too long or can't be read.
        runtime: Clock, timers, coroutines.
        named: Says which files the bytes of a message name, where the source takes them (`attachments:`).
        ending: Says whether bytes end as their format ends; None: all do.
    """

    def __init__(
        self,
        source: configuration.Source,
        accept: Accept,
        refuse: RefuseBytes,
        runtime: Runtime,
        named: NamedBy | None = None,
        ending: Ending | None = None,
    ) -> None:
        self._source = source
        self._accept = accept
        self._refuse = refuse
        self._runtime = runtime
        self._folder = Folder(source.folder, source.pattern, source.companion, source.max_size)
        self._attached: AttachedReader | None = None
        if source.attachments is not None and named is not None:
            self._attached = AttachedReader(self._folder, source.attachments, source.settle, named)
        self._unfinished: UnfinishedFiles | None = None
        if ending is not None:
            self._unfinished = UnfinishedFiles(source.unfinished, ending, self._read_resting)
        self._own = not Path(source.path).is_absolute()
        self._thread: ThreadPoolExecutor | None = None
        self._closed = False
        self._timer: Timer | None = None
        self._open = False
        self._paused = False
        self._round_ended: asyncio.Event | None = None
        """Set while no round is under way; None before the first."""
        self._wake = asyncio.Event()
        self._seen: dict[str, _Seen] = {}
        self._failures: dict[str, int] = {}
        self._unmoved: dict[str, Move] = {}
        self._trouble = ""
        self._asked_at = 0.0
        self._counts = {"taken": 0, "refused": 0, "changed": 0}
        self._waiting = 0
        self._last_taken_ms = 0

    async def open(self) -> None:
        """
        Begin to watch; a folder of our own is made first.

        Raises:
            DoorFailed: The folder can't be made or listed, or `move_to` leads out of it: may be called again. Or it
                was closed before the folder answered.
        """
        self._check_move_to()
        thread = self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"directory {self._source.name}")
        try:
            await self._in_thread(self._look_first)
        except OSError as error:
            thread.shutdown(wait=False)
            self._trouble = in_words(error)
            raise DoorFailed(
                f"source {self._source.name}: can't watch {self._source.folder}: {in_words(error)}; "
                f"create it, or mount it, and give the service account the right to read and rename there"
            ) from None
        if self._closed:
            raise DoorFailed(f"source {self._source.name}: it was closed before {self._source.folder} answered")
        self._open = True
        self._schedule(0.0)

    def pause(self) -> None:
        """Hand nothing more over; what intake has already is still moved when it answers."""
        self._paused = True
        self._unschedule()

    def resume(self) -> None:
        """Hand over again."""
        self._paused = False
        self._schedule(0.0)

    async def close(self) -> None:
        """
        Stop, for good; files that are answered already are moved, the others come again at the next start.

        A folder that hangs is waited for no longer than a moment: what it says after that is heard by nobody.
        """
        self._closed = True
        self._open = False
        self._unschedule()
        self._wake.set()
        if self._round_ended is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._round_ended.wait(), CLOSE_SECONDS)
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)

    def facts(self) -> dict[str, Any]:
        """
        Return figures for status; no file name.

        `trouble` is a sentence, empty when the folder works; `waiting` files are not yet complete or not yet
        taken, `unmoved` ones are done with and can't be moved away, or their answer can't be written.
        """
        trouble = self._trouble
        silent = self._runtime.monotonic() - self._asked_at if self._asked_at else 0.0
        if silent > SILENT_SECONDS:
            trouble = f"the folder has not answered for {silent:.0f} s"
        return {
            "path": str(self._source.folder),
            "paused": self._paused,
            "trouble": trouble,
            "waiting": self._waiting + self._folder.without_companion,
            "without_companion": self._folder.without_companion,
            "waiting_for_attachments": 0 if self._attached is None else self._attached.waiting,
            "unfinished": 0 if self._unfinished is None else self._unfinished.waiting,
            "unmoved": len(self._unmoved),
            "last_taken_ms": self._last_taken_ms,
            **self._counts,
        }

    # --- rounds -------------------------------------------------------------------------------------------

    def _schedule(self, delay: float) -> None:
        if self._open and not self._paused and self._timer is None:
            self._timer = self._runtime.call_later(delay, self._tick)

    def _unschedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        if self._round_ended is not None and not self._round_ended.is_set():
            return  # its end asks for the next
        self._round_ended = asyncio.Event()
        self._runtime.spawn(self._round(self._round_ended), f"directory source {self._source.name}")

    async def _round(self, ended: asyncio.Event) -> None:
        """Look once; take all that is ready. The folder's own failures end the round, never the door."""
        try:
            found = await self._in_thread(self._folder.look)
            if not self._open:
                return
            ready = self._ready(found)
            await self._move_again()
            if self._attached is not None:
                self._attached.begin(found)
            if self._unfinished is not None:
                self._unfinished.begin(found)
            while ready and self._may_take():
                batch, ready = _first_batch(ready)
                if not await self._take(batch):
                    break
        except OSError as error:
            self._trouble = in_words(error)
        finally:
            ended.set()
            self._schedule(max(self._source.poll, POLL_MIN))

    def _may_take(self) -> bool:
        return self._open and not self._paused and len(self._unmoved) < UNMOVED_MAX

    def _ready(self, found: list[Found]) -> list[Found]:
        """Return the complete files, in order, and remember since when the others rest."""
        now = self._runtime.monotonic()
        seen: dict[str, _Seen] = {}
        ready: list[Found] = []
        for item in found:
            if self._is_stored(item):
                continue
            before = self._seen.get(item.name)
            if before is None or (before.size, before.mtime_ns) != (item.size, item.mtime_ns):
                before = _Seen(item.size, item.mtime_ns, now)
            seen[item.name] = before
            if item.vouched or now - before.since >= self._source.settle:
                ready.append(item)
        self._seen = seen
        self._failures = {name: count for name, count in self._failures.items() if name in seen}
        self._waiting = len(seen)
        return ready

    def _is_stored(self, item: Found) -> bool:
        """Tell whether this very file is stored and only could not be moved; forget it when it was replaced."""
        move = self._unmoved.get(item.name)
        if move is None:
            return False
        if (move.found.size, move.found.mtime_ns) == (item.size, item.mtime_ns):
            return True
        del self._unmoved[item.name]
        return False

    # --- one batch ----------------------------------------------------------------------------------------

    async def _take(self, batch: list[Found]) -> bool:
        """Hand over a batch, wait for its answers; False: stop for this round."""
        readings = await self._in_thread(lambda: self._read(batch))
        if not self._open:
            return False  # closed while the folder hung: whoever heard of these files now may not know the source
        moves: list[Move] = []
        due = 0
        answers: list[Answer] = []  # of this batch: an answer that comes after close must not count in another

        def hear(reading: Reading, parts: list[bytes]) -> None:
            answers.append((reading, parts))
            self._wake.set()

        for reading in readings:
            if not reading.code:
                due += 1
                raw, reading.raw = reading.raw, b""  # intake holds it from here
                attachments, reading.attachments = reading.attachments, ()
                self._accept(raw, "", _Reply(hear, reading), shown_name(reading.found.name), attachments)
            elif move := self._faulty(reading):
                moves.append(move)
        await self._move(moves)
        return await self._settle_answers(due, answers)

    def _read(self, batch: Sequence[Found]) -> list[Reading]:
        reads = self._read_resting if self._unfinished is None else self._unfinished.read
        return reads(batch, self._runtime.monotonic())

    def _read_resting(self, batch: Sequence[Found], now: float) -> list[Reading]:
        return self._folder.read(batch) if self._attached is None else self._attached.read(batch, now)

    async def _settle_answers(self, due: int, answers: list[Answer]) -> bool:
        """Move what is answered as the answers come; ends early when the door closes."""
        go_on = True
        while due > 0:
            await self._wake.wait()
            self._wake.clear()
            fresh = answers.copy()
            answers.clear()
            due -= len(fresh)
            taken = [(reading, parts) for reading, parts in fresh if LATER not in parts]
            go_on = go_on and len(taken) == len(fresh)
            await self._move([self._answered(reading, parts) for reading, parts in taken])
            if not self._open:
                return False
        return go_on

    def _answered(self, reading: Reading, parts: list[bytes]) -> Move:
        answer = self._to_write(parts)
        parts = [part for part in parts if part != UNSENT]
        if all(map(_is_positive, parts)):
            self._counts["taken"] += 1
            self._last_taken_ms = self._runtime.now_ms()
            into = self._local_time().strftime(self._source.move_to)
            return Move(reading.found, into, also=reading.also, answer=answer)
        self._counts["refused"] += 1
        words = b"\n".join(parts).decode("utf-8", "replace").replace("\r", "\n").strip()
        reason = self._reason(f"it was not taken; the answer was:\n{words}")
        return Move(reading.found, REFUSED, reason, reading.also, answer)

    def _to_write(self, parts: list[bytes]) -> bytes:
        """Return what is written for the file's sender."""
        return b"" if self._source.answer_files is None or UNSENT in parts else b"".join(parts)

    def _faulty(self, reading: Reading) -> Move | None:
        """Count a file that could not be read whole; refuse it when waiting can't help."""
        found = reading.found
        if reading.code == "changed":
            self._counts["changed"] += 1
            return None
        if reading.code == "E-UNREADABLE":
            self._failures[found.name] = self._failures.get(found.name, 0) + 1
            if self._failures[found.name] < UNREADABLE_AFTER:
                return None
        self._counts["refused"] += 1
        parts: list[bytes] = []
        reply = _Reply(lambda _, answers: parts.extend(answers), reading)
        self._refuse(reading.code, reading.reason, reading.raw[:HEAD_BYTES], found.size, "", reply)
        return Move(found, REFUSED, self._reason(reading.reason), answer=self._to_write(parts))

    async def _move_again(self) -> None:
        """Try again what could not be moved; the folder is well when nothing of it is left."""
        await self._move(list(self._unmoved.values()))
        if not self._unmoved:
            self._trouble = ""

    async def _move(self, moves: list[Move]) -> None:
        """Move files away; remember those that can't be, so that they are not taken twice in this run."""
        if not moves:
            return
        results = await self._in_thread(lambda: self._carry_out(moves))
        for move, result in zip(moves, results, strict=True):
            name = move.found.name
            self._unmoved.pop(name, None)
            self._seen.pop(name, None)
            if result == "changed":
                self._counts["changed"] += 1
            elif result:
                self._unmoved[name] = move
                self._trouble = result
        self._waiting = len(self._seen)

    def _carry_out(self, moves: list[Move]) -> list[str]:
        """
        Write the answers, then move the files: a crash in between answers twice rather than never.

        A file whose answer can't be written isn't moved: it stands there for the answer that its sender awaits.

        Returns:
            For each: empty, `changed`, or a sentence that says what went wrong.
        """
        unwritten = [self._write_answer(move) for move in moves]
        results = iter(self._folder.move([move for move, why in zip(moves, unwritten, strict=True) if not why]))
        return [why or _unmoved_words(next(results)) for why in unwritten]

    def _write_answer(self, move: Move) -> str:
        """Write the answer, once, where one is wanted; return why it can't be."""
        wanted = self._source.answer_files
        if wanted is None or not move.answer:
            return ""
        path = wanted.folder
        try:
            if not Path(wanted.path).is_absolute():
                path.mkdir(parents=True, exist_ok=True)
            stem = move.found.name.rpartition(".")[0] or move.found.name
            write_new(path, fit(stem, wanted.extension), move.answer)
        except OSError as error:
            return f"an answer can't be written to {path}: {in_words(error)}; its file stays where it is until then"
        move.answer = b""
        return ""

    # --- small things -------------------------------------------------------------------------------------

    def _check_move_to(self) -> None:
        target = Path(self._local_time().strftime(self._source.move_to))
        if target.is_absolute() or not target.parts or ".." in target.parts:
            self._trouble = "move_to leads out of the folder"
            raise DoorFailed(
                f"source {self._source.name}: move_to must name a folder below {self._source.folder}, "
                f"for example done/%Y-%m"
            )

    def _local_time(self) -> datetime:
        return datetime.fromtimestamp(self._runtime.now_ms() / 1000, UTC).astimezone()

    def _reason(self, sentence: str) -> str:
        return f"{self._local_time().isoformat(timespec='seconds')} {self._source.name}: {sentence}"

    def _look_first(self) -> None:
        if self._own:
            self._source.folder.mkdir(parents=True, exist_ok=True)
        self._folder.look()

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._thread is None:
            raise OSError(errno.ESHUTDOWN, "the source is closed")
        self._asked_at = self._runtime.monotonic() or 0.001
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._asked_at = 0.0


def _first_batch(ready: Sequence[Found]) -> tuple[list[Found], list[Found]]:
    """Cut what may be in memory at once: some files, some bytes, at least one file."""
    size = 0
    for index, item in enumerate(ready):
        size += item.size
        if index and (index >= BATCH_FILES or size > BATCH_BYTES):
            return list(ready[:index]), list(ready[index:])
    return list(ready), []


def _unmoved_words(result: str) -> str:
    return result if result in ("", "changed") else f"a file that is stored can't be moved away: {result}"


def _is_positive(answer: bytes) -> bool:
    """Tell whether an acknowledgement says AA or CA in MSA-1 (HL7 v2.5 § 2.15.8, table 0008), or is an empty ERR."""
    if answer.startswith(b"H") and not answer[1:2].isalnum():
        return accepts(answer)
    for segment in answer.split(b"\r"):
        if segment.startswith(b"MSA") and segment[3:4] == answer[3:4]:
            return segment[4:6] in (b"AA", b"CA") and segment[6:7] in (b"", answer[3:4])
    return False
