"""DirectorySource: when a file is ready, how it is handed over, how it is acknowledged."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.conversion.documents import AttachedFile
from engine.core.ports import Reply
from engine.errors import DoorFailed
from engine.parsers.paths import Path as MessagePath
from engine.routes import configuration
from engine.routes.directories import Named
from engine.transports.directory import DirectorySource, folder, source
from engine.transports.directory.source import LATER

NOON_MS = 1_931_342_400_000  # in March 2031, in every time zone
ACK = b"MSH|^~\\&|P|||||||ACK|1|P|2.5\rMSA|%s|1\r"


class Clock:
    """A runtime whose time passes when the test says so; only one round is ever under way."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.timers: list[Timer] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def now_ms(self) -> int:
        return NOON_MS + int(self.time * 1000)

    def utc_offset_seconds(self) -> int:
        return 0

    def monotonic(self) -> float:
        return self.time

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self.time + delay, callback)
        self.timers.append(timer)
        return timer

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.tasks.add(asyncio.create_task(work, name=name))

    def random(self) -> float:
        return 0.5

    def fire(self, seconds: float) -> None:
        """Let time pass and call what is due."""
        self.time += seconds
        due = [timer for timer in self.timers if timer.at <= self.time and not timer.cancelled]
        self.timers = [timer for timer in self.timers if timer not in due and not timer.cancelled]
        assert len(due) <= 1
        for timer in due:
            timer.callback()

    async def round(self, seconds: float = 1.0) -> None:
        """Let time pass and the round that is then due end."""
        self.fire(seconds)
        tasks, self.tasks = self.tasks, set()
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)


class Timer:
    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Intake:
    """Takes what the door hands over; answers at once, unless told to let it wait."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.refused: list[tuple[str, int, int]] = []
        self.reply: Callable[[str], bytes | None] = lambda _: b""
        self.waiting: dict[str, Reply] = {}
        self.came = asyncio.Event()

    def accept(self, raw: bytes, peer: str, reply: Reply, name: str = "", attachments: tuple = ()) -> None:
        assert peer == ""
        self.taken.append((name, raw))
        self.attachments = attachments
        answer = self.reply(name)
        if answer is None:
            self.waiting[name] = reply
        else:
            reply.answer(answer)
        self.came.set()

    def refuse(self, code: str, reason: str, head: bytes, size: int, peer: str, reply: Reply) -> None:
        self.refused.append((code, len(head), size))
        reply.answer(b"")

    async def got(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.taken) < count:
                self.came.clear()
                await self.came.wait()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.taken]


@asynccontextmanager
async def watching(path: Path, **changes: Any) -> AsyncIterator[tuple[DirectorySource, Clock, Intake]]:
    values = {"name": "labo", "type": "directory", "path": str(path), "settle": 0.0, **changes}
    clock, intake = Clock(), Intake()
    door = DirectorySource(configuration.Source(**values), intake.accept, intake.refuse, clock)
    await door.open()
    try:
        yield door, clock, intake
    finally:
        await door.close()


def put(path: Path, name: str, data: bytes = b"MSH|", age: float = 0.0) -> None:
    """Write a file whose time is `age` seconds before the others'."""
    (path / name).write_bytes(data)
    when = 1_900_000_000 - age
    os.utime(path / name, (when, when))


def tree(path: Path) -> list[str]:
    return sorted(str(entry.relative_to(path)) for entry in path.rglob("*") if entry.is_file())


def test_a_stored_file_is_moved_away(tmp_path: Path) -> None:
    """The move is the acknowledgement: below `path`, under the pattern of the time, with nothing left behind."""
    put(tmp_path, "r1.hpr", b"H|~^\\&|")

    async def main() -> None:
        async with watching(tmp_path, pattern="*.hpr") as (door, clock, intake):
            await clock.round()
            assert intake.taken == [("r1.hpr", b"H|~^\\&|")]
            assert tree(tmp_path) == ["done/2031-03/r1.hpr"]
            await clock.round()
            assert len(intake.taken) == 1
            facts = door.facts()
            assert (facts["taken"], facts["waiting"], facts["trouble"]) == (1, 0, "")
            assert facts["last_taken_ms"] >= NOON_MS

    asyncio.run(main())


def test_nothing_is_moved_before_the_answer(tmp_path: Path) -> None:
    """Until intake has it on disk the file stays; what came meanwhile waits for that answer."""
    put(tmp_path, "a.hl7")

    async def main() -> None:
        async with watching(tmp_path) as (_, clock, intake):
            intake.reply = lambda name: None if name == "a.hl7" else b""
            clock.fire(1)
            await intake.got(1)
            put(tmp_path, "b.hl7", age=50)
            assert not [timer for timer in clock.timers if not timer.cancelled]  # no other round before this one's end
            assert "a.hl7" in tree(tmp_path)
            intake.waiting["a.hl7"].answer(b"")
            await clock.round(0)
            assert tree(tmp_path) == ["b.hl7", "done/2031-03/a.hl7"]
            await clock.round()
            assert intake.names == ["a.hl7", "b.hl7"]

    asyncio.run(main())


def test_files_come_in_the_order_of_time_then_name(tmp_path: Path) -> None:
    """Oldest first, whatever the folder's own order; a few at once, all in one round."""
    for number in reversed(range(50)):
        put(tmp_path, f"{number:03}.hl7", age=number // 2)
    expected = [f"{number + second:03}.hl7" for number in range(48, -1, -2) for second in (0, 1)]

    async def main() -> None:
        async with watching(tmp_path) as (_, clock, intake):
            await clock.round()
            assert intake.names == expected

    asyncio.run(main())


def test_only_a_few_are_handed_over_before_they_are_answered(tmp_path: Path) -> None:
    """A batch is bounded in files and in bytes; one file may be longer than the bytes."""
    for number in range(40):
        put(tmp_path, f"{number:02}.hl7")

    async def main() -> None:
        async with watching(tmp_path) as (_, clock, intake):
            intake.reply = lambda _: None
            clock.fire(1)
            await intake.got(source.BATCH_FILES)
            assert len(intake.waiting) == source.BATCH_FILES
            intake.reply = lambda _: b""
            for reply in list(intake.waiting.values()):
                reply.answer(b"")
            await clock.round(0)
            assert len(intake.taken) == 40

    asyncio.run(main())
    sizes = [4_000_000, 4_000_000, 1, 9_000_000, 1]
    found = [folder.Found(str(rank), size, 0) for rank, size in enumerate(sizes)]
    batches = []
    while found:
        batch, found = source._first_batch(found)
        batches.append([item.size for item in batch])
    assert batches == [[4_000_000, 4_000_000], [1], [9_000_000], [1]]


def test_a_file_is_ready_when_it_rested_for_settle(tmp_path: Path) -> None:
    """Growing or touched again: the wait begins anew."""
    put(tmp_path, "a.hl7", b"MSH|half")

    async def main() -> None:
        async with watching(tmp_path, settle=5.0) as (door, clock, intake):
            await clock.round(1)
            await clock.round(4)
            assert intake.taken == []
            assert door.facts()["waiting"] == 1
            put(tmp_path, "a.hl7", b"MSH|half and half")
            await clock.round(2)
            put(tmp_path, "a.hl7", b"MSH|half and full", age=-3)
            await clock.round(4)
            await clock.round(4)
            assert intake.taken == []
            await clock.round(1)
            assert intake.taken == [("a.hl7", b"MSH|half and full")]

    asyncio.run(main())


@pytest.mark.parametrize("companion", ["r1.hpr.ok", "r1.ok", "R1.OK"])
def test_a_companion_says_complete_and_goes_along(tmp_path: Path, companion: str) -> None:
    """`name.ok` or `base.ok`, in any case: no settling, and without it nothing is taken."""
    put(tmp_path, "r1.hpr")
    put(tmp_path, "r2.hpr")

    async def main() -> None:
        async with watching(tmp_path, companion=".ok", settle=500.0) as (door, clock, intake):
            await clock.round()
            assert intake.taken == []
            assert door.facts()["waiting"] == 2
            put(tmp_path, companion, b"")
            await clock.round()
            assert intake.names == ["r1.hpr"]
            assert tree(tmp_path) == sorted([f"done/2031-03/{companion}", "done/2031-03/r1.hpr", "r2.hpr"])

    asyncio.run(main())


def test_a_companion_older_than_its_file_vouches_for_nothing(tmp_path: Path) -> None:
    """Left by an earlier file of that name, or written too early: the file must settle."""
    put(tmp_path, "r1.ok", b"", age=10)
    put(tmp_path, "r1.hpr")

    async def main() -> None:
        async with watching(tmp_path, companion=".ok", settle=5.0) as (_, clock, intake):
            await clock.round()
            assert intake.taken == []
            await clock.round(5)
            assert intake.names == ["r1.hpr"]

    asyncio.run(main())


def test_files_that_share_a_companion_are_all_taken(tmp_path: Path) -> None:
    """Only the last of them takes it away: one that is put off still has it."""
    for name in ("r1.hpr", "r1.txt", "r1.ok"):
        put(tmp_path, name)

    async def main() -> None:
        async with watching(tmp_path, companion=".ok", settle=500.0) as (_, clock, intake):
            intake.reply = lambda name: LATER if name == "r1.txt" else b""
            await clock.round()
            assert tree(tmp_path) == ["done/2031-03/r1.hpr", "r1.ok", "r1.txt"]
            intake.reply = lambda _: b""
            await clock.round()
            assert intake.names == ["r1.hpr", "r1.txt", "r1.txt"]
            assert tree(tmp_path) == [f"done/2031-03/{name}" for name in ("r1.hpr", "r1.ok", "r1.txt")]

    asyncio.run(main())


def test_what_is_no_finished_file_of_the_pattern_is_left_alone(tmp_path: Path) -> None:
    """Temporary and hidden names, sub-folders, links, pipes; the pattern is matched in any case."""
    left = ["a.tmp", "a.part", "a.hpr.filepart", "a.hpr~", "~a.hpr", ".a.hpr", "a.txt"]
    for name in [*left, "A.HPR"]:
        put(tmp_path, name)
    (tmp_path / "sub.hpr").mkdir()
    put(tmp_path / "sub.hpr", "b.hpr")
    (tmp_path / "link.hpr").symlink_to(tmp_path / "a.txt")
    os.mkfifo(tmp_path / "pipe.hpr")

    async def main() -> None:
        async with watching(tmp_path, pattern="*.hpr") as (_, clock, intake):
            await clock.round()
            assert intake.names == ["A.HPR"]

    asyncio.run(main())
    assert {*left, "sub.hpr/b.hpr"} <= set(tree(tmp_path))


def test_a_file_replaced_by_a_link_before_it_is_read_is_not_followed(tmp_path: Path) -> None:
    """Whoever may write into the folder must not make the engine read what only the engine may."""
    put(tmp_path, "a.hl7", b"secret")
    watched = folder.Folder(tmp_path, "*", "", 1_000)
    found = watched.look()
    (tmp_path / "a.hl7").rename(tmp_path / "elsewhere")
    (tmp_path / "a.hl7").symlink_to(tmp_path / "elsewhere")
    (reading,) = watched.read(found)
    assert reading.code == "E-UNREADABLE"
    assert reading.raw == b""


def test_the_same_name_again_gets_a_number(tmp_path: Path) -> None:
    """Senders reuse names: nothing that was taken before is overwritten."""

    async def main() -> None:
        async with watching(tmp_path, companion=".ok", move_to="done") as (_, clock, intake):
            for number in range(3):
                put(tmp_path, "result.hpr", b"%d" % number)
                put(tmp_path, "result.ok", b"")
                await clock.round()
            assert [raw for _, raw in intake.taken] == [b"0", b"1", b"2"]

    asyncio.run(main())
    assert tree(tmp_path / "done") == sorted(
        ["result.hpr", "result-1.hpr", "result-2.hpr", "result.ok", "result-1.ok", "result-2.ok"]
    )
    assert (tmp_path / "done" / "result-2.hpr").read_bytes() == b"2"


def test_a_file_too_long_is_refused_unread(tmp_path: Path) -> None:
    """It goes to `refused/` with the reason beside it; intake keeps its first 64 KB; the next file is taken."""
    put(tmp_path, "long.hl7", b"MSH|" + b"x" * 200_000, age=5)
    put(tmp_path, "short.hl7")

    async def main() -> None:
        async with watching(tmp_path, max_size=100_000) as (door, clock, intake):
            await clock.round()
            assert intake.refused == [("E-TOO-LONG", 65_536, 200_004)]
            assert intake.names == ["short.hl7"]
            assert door.facts()["refused"] == 1

    asyncio.run(main())
    assert tree(tmp_path / "refused") == ["long.hl7", "long.hl7.reason.txt"]
    reason = (tmp_path / "refused" / "long.hl7.reason.txt").read_text()
    assert "200004 bytes" in reason
    assert "100000" in reason


def test_a_file_that_can_not_be_read_is_refused_after_some_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share may stumble once: refused at the third look, and the others are taken meanwhile."""
    put(tmp_path, "bad.hl7", age=5)
    put(tmp_path, "good.hl7")
    os_open = os.open

    def failing(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).endswith("bad.hl7"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return os_open(path, *arguments, **options)

    monkeypatch.setattr(os, "open", failing)

    async def main() -> None:
        async with watching(tmp_path) as (_, clock, intake):
            await clock.round()
            assert intake.names == ["good.hl7"]
            await clock.round()
            assert intake.refused == []
            await clock.round()
            assert [code for code, _, _ in intake.refused] == ["E-UNREADABLE"]
            await clock.round()
            assert len(intake.refused) == 1

    asyncio.run(main())
    assert tree(tmp_path / "refused") == ["bad.hl7", "bad.hl7.reason.txt"]


def test_a_refusal_of_intake_puts_the_answer_beside_the_file(tmp_path: Path) -> None:
    """No message, AE, AR, or one refused message in a batch: the operator reads why, next to the file."""
    for name in ("aa.hl7", "ae.hl7", "ca.hl7", "both.hl7", "words.hl7"):
        put(tmp_path, name)
    answers = {
        "aa.hl7": ACK % b"AA",
        "ae.hl7": ACK % b"AE" + b"ERR|||101|E\r",
        "ca.hl7": ACK % b"CA",
        "words.hl7": b"no MSH",
    }

    async def main() -> None:
        async with watching(tmp_path, move_to="done") as (door, clock, intake):
            intake.reply = lambda name: answers.get(name)
            clock.fire(1)
            await intake.got(5)
            both = intake.waiting["both.hl7"]
            both.answer(ACK % b"AA", last=False)
            both.answer(ACK % b"AE")
            both.answer(b"")  # after the last one nothing is heard
            await clock.round(0)
            assert (door.facts()["taken"], door.facts()["refused"]) == (2, 3)

    asyncio.run(main())
    assert tree(tmp_path / "done") == ["aa.hl7", "ca.hl7"]
    refused = ["ae.hl7", "both.hl7", "words.hl7"]
    assert tree(tmp_path / "refused") == sorted([*refused, *(f"{name}.reason.txt" for name in refused)])
    assert "ERR|||101|E" in (tmp_path / "refused" / "ae.hl7.reason.txt").read_text()


def test_not_now_leaves_the_file_and_lets_nothing_overtake(tmp_path: Path) -> None:
    """`LATER`: the file is offered again in the next round, before those behind it."""
    for number in range(20):
        put(tmp_path, f"{number:02}.hl7")

    async def main() -> None:
        async with watching(tmp_path) as (_, clock, intake):
            intake.reply = lambda name: LATER if name == "15.hl7" else b""
            await clock.round()
            assert "16.hl7" not in intake.names
            assert "15.hl7" in tree(tmp_path)
            intake.reply = lambda _: b""
            await clock.round()
            assert intake.names[16:] == ["15.hl7", "16.hl7", "17.hl7", "18.hl7", "19.hl7"]

    asyncio.run(main())


def test_a_file_rewritten_after_it_was_read_is_taken_again(tmp_path: Path) -> None:
    """What was not read is never moved away: the new content is another message."""
    put(tmp_path, "a.hl7", b"first")

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, intake):
            intake.reply = lambda _: None
            clock.fire(1)
            await intake.got(1)
            put(tmp_path, "a.hl7", b"first and second")
            intake.reply = lambda _: b""
            intake.waiting["a.hl7"].answer(b"")
            await clock.round(0)
            assert tree(tmp_path) == ["a.hl7"]
            assert door.facts()["changed"] == 1
            await clock.round()
            assert intake.taken == [("a.hl7", b"first"), ("a.hl7", b"first and second")]
            assert tree(tmp_path) == ["done/2031-03/a.hl7"]

    asyncio.run(main())


def test_a_crash_before_the_move_gives_the_file_again(tmp_path: Path) -> None:
    """Same name, same bytes: what the router needs to recognise it."""
    put(tmp_path, "a.hl7", b"body")

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, intake):
            intake.reply = lambda _: None
            clock.fire(1)
            await intake.got(1)
            await door.close()
            first = intake.taken
        async with watching(tmp_path) as (_, clock, intake):
            await clock.round()
            assert intake.taken == first == [("a.hl7", b"body")]
        assert tree(tmp_path) == ["done/2031-03/a.hl7"]

    asyncio.run(main())


def test_closing_moves_what_is_answered(tmp_path: Path) -> None:
    """Answers that came are honoured, and close does not wait for the others."""
    put(tmp_path, "a.hl7", age=1)
    put(tmp_path, "b.hl7")

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, intake):
            intake.reply = lambda _: None
            clock.fire(1)
            await intake.got(2)
            intake.waiting["a.hl7"].answer(b"")
            await door.close()
            assert all(task.done() for task in clock.tasks)
            intake.waiting["b.hl7"].answer(b"")
        assert tree(tmp_path) == ["b.hl7", "done/2031-03/a.hl7"]

    asyncio.run(main())


def test_paused_it_hands_nothing_over(tmp_path: Path) -> None:
    """The sender's files wait in the folder; resumed, they come at once."""

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, intake):
            door.pause()
            put(tmp_path, "a.hl7")
            await clock.round(60)
            assert intake.taken == []
            assert door.facts()["paused"]
            door.resume()
            door.resume()
            await clock.round(0)
            assert intake.names == ["a.hl7"]

    asyncio.run(main())


def test_paused_in_the_middle_it_ends_the_batch_and_stops(tmp_path: Path) -> None:
    """What intake has is still acknowledged; the rest stays until resumed, resumed early or late."""
    for number in range(20):
        put(tmp_path, f"{number:02}.hl7")

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, intake):
            intake.reply = lambda _: None
            clock.fire(1)
            await intake.got(16)
            door.pause()
            for reply in list(intake.waiting.values()):
                reply.answer(b"")
            await clock.round(60)
            assert len(intake.taken) == 16
            intake.reply = lambda _: b""
            door.resume()
            await clock.round(0)
            assert len(intake.taken) == 20

    asyncio.run(main())


def test_a_folder_that_disappears_is_reported_and_watched_again(tmp_path: Path) -> None:
    """A network share comes and goes: a sentence in the facts, never an end of the door."""
    share = tmp_path / "share"
    share.mkdir()

    async def main() -> None:
        async with watching(share) as (door, clock, intake):
            await clock.round()
            share.rename(tmp_path / "away")
            for _ in range(3):
                await clock.round()
                assert door.facts()["trouble"] == "the folder is missing"
            (tmp_path / "away").rename(share)
            put(share, "a.hl7")
            await clock.round()
            assert intake.names == ["a.hl7"]
            assert door.facts()["trouble"] == ""

    asyncio.run(main())


def test_a_stored_file_that_can_not_be_moved_is_not_taken_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read-only folder: told in the facts, tried again each round, moved when it can be; others go on."""
    put(tmp_path, "a.hl7", age=5)
    rename = Path.rename
    stuck = True

    def refusing(self: Path, target: Any) -> Path:
        if stuck and self.name == "a.hl7":
            raise OSError(errno.EROFS, "Read-only file system", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refusing)

    async def main() -> None:
        nonlocal stuck
        async with watching(tmp_path) as (door, clock, intake):
            await clock.round()
            put(tmp_path, "b.hl7")
            await clock.round()
            await clock.round()
            assert intake.names == ["a.hl7", "b.hl7"]
            assert door.facts()["unmoved"] == 1
            assert "the file system is read-only" in door.facts()["trouble"]
            stuck = False
            await clock.round()
            await clock.round()
            assert (door.facts()["unmoved"], door.facts()["trouble"]) == (0, "")
            assert intake.names == ["a.hl7", "b.hl7"]

    asyncio.run(main())
    assert tree(tmp_path) == ["done/2031-03/a.hl7", "done/2031-03/b.hl7"]


def test_nothing_more_is_taken_when_nothing_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart all of them come again: their number is bounded."""
    monkeypatch.setattr(source, "UNMOVED_MAX", 16)
    for number in range(50):
        put(tmp_path, f"{number:02}.hl7")
    (tmp_path / "done").write_bytes(b"a file stands where the folder should")

    async def main() -> None:
        async with watching(tmp_path, pattern="*.hl7") as (door, clock, intake):
            for _ in range(3):
                await clock.round()
            assert len(intake.taken) == 16
            assert door.facts()["unmoved"] == 16

    asyncio.run(main())


def test_memory_is_bounded_however_many_files_lie_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look brings the oldest few; all are taken, in order, look after look."""
    monkeypatch.setattr(folder, "FOUND_MAX", 10)
    for number in range(35):
        put(tmp_path, f"{number:02}.hl7", age=100 - number)

    async def main() -> None:
        async with watching(tmp_path) as (_, clock, intake):
            for _ in range(4):
                await clock.round()
            assert intake.names == [f"{number:02}.hl7" for number in range(35)]

    asyncio.run(main())


def test_a_folder_that_hangs_is_told_and_blocks_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop goes on, the facts say since when, and close gives up on it."""
    monkeypatch.setattr(source, "CLOSE_SECONDS", 0.05)
    let_go = threading.Event()

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, _):
            loop, hangs = asyncio.get_running_loop(), asyncio.Event()

            def hang(_: Any) -> None:
                loop.call_soon_threadsafe(hangs.set)
                let_go.wait(20)
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")

            monkeypatch.setattr(os, "scandir", hang)
            clock.fire(1)
            (task,) = clock.tasks
            await asyncio.wait_for(hangs.wait(), 20)
            clock.time += 42
            assert door.facts()["trouble"] == "the folder has not answered for 42 s"
            await door.close()
            assert not task.done()
            monkeypatch.undo()
            let_go.set()
            await task

    asyncio.run(main())


def test_a_name_that_is_no_utf_8_is_given_as_text(tmp_path: Path) -> None:
    """Old systems write latin-1 names: what intake stores can be stored, and the file is moved under its own."""
    (tmp_path / os.fsdecode(b"r\xe9sultat.hl7")).write_bytes(b"body")

    async def main() -> None:
        async with watching(tmp_path, move_to="done") as (_, clock, intake):
            await clock.round()
            assert intake.names == ["résultat.hl7"]

    asyncio.run(main())
    assert [os.fsencode(entry.name) for entry in (tmp_path / "done").iterdir()] == [b"r\xe9sultat.hl7"]


def test_a_folder_that_is_not_there_at_the_start_is_told(tmp_path: Path) -> None:
    """A mistyped path: one sentence with what to do; the door can be opened later."""
    share = tmp_path / "share"

    async def main() -> None:
        clock, intake = Clock(), Intake()
        where = configuration.Source(name="labo", type="directory", path=str(share), settle=0.0)
        door = DirectorySource(where, intake.accept, intake.refuse, clock)
        with pytest.raises(DoorFailed, match=r"labo: can't watch .* the folder is missing; create it"):
            await door.open()
        assert not share.exists()
        share.mkdir()
        put(share, "a.hl7")
        await door.open()
        await clock.round()
        assert intake.names == ["a.hl7"]
        await door.close()

    asyncio.run(main())


@pytest.mark.parametrize("move_to", ["", ".", "/tmp/done", "../done", "done/../.."])
def test_move_to_must_stay_below_the_folder(tmp_path: Path, move_to: str) -> None:
    """Moved into the folder itself a file would come for ever; outside it nobody expects it."""

    async def main() -> None:
        with pytest.raises(DoorFailed, match="move_to must name a folder below"):
            async with watching(tmp_path, move_to=move_to):
                pass

    asyncio.run(main())


def test_each_file_is_answered_where_the_source_wants_it(tmp_path: Path) -> None:
    """Under the file's own name, whatever became of it; an ERR without ERR segment is a yes."""
    folder_, back = tmp_path / "in", tmp_path / "back"
    folder_.mkdir()
    back.mkdir()
    yes, no = b"H|~^\\&|r.ERR||CHA||ERR\r\nL|1||0|2\r\n", b"H|~^\\&|s.ERR||CHA||ERR\r\nERR|1|s\r\nL|1||0|3\r\n"
    for name in ("r.hpr", "s.hpr", "t.hpr"):
        put(folder_, name)
    answers = configuration.AnswerFiles(path=str(back))

    async def main() -> None:
        async with watching(folder_, answer_files=answers) as (door, clock, intake):
            intake.reply = lambda name: {"r.hpr": yes, "s.hpr": no, "t.hpr": b""}[name]
            await clock.round()
            assert tree(folder_) == ["done/2031-03/r.hpr", "done/2031-03/t.hpr", "refused/s.hpr",
                                     "refused/s.hpr.reason.txt"]  # fmt: skip
            assert {path.name: path.read_bytes() for path in back.iterdir()} == {"r.ERR": yes, "s.ERR": no}
            back.rename(tmp_path / "away")
            put(folder_, "r.hpr", b"again")
            await clock.round()
            assert "an answer can't be written" in door.facts()["trouble"]
            assert "done/2031-03/r-1.hpr" in tree(folder_)

    asyncio.run(main())


def test_files_that_a_message_names_go_where_it_goes(tmp_path: Path) -> None:
    """Handed over with it, and moved with it; the figures say who waits."""
    put(tmp_path, "r.hpr", b"p: res/x.pdf")
    rule = configuration.AttachedFiles(path=MessagePath.parse("OBX-5"))
    named = Named((AttachedFile("res/x.pdf", "PDF"),), frozenset())

    async def main() -> None:
        clock, intake = Clock(), Intake()
        source_ = configuration.Source(
            name="labo", type="directory", path=str(tmp_path), settle=0.0, pattern="*.hpr", attachments=rule
        )
        door = DirectorySource(source_, intake.accept, intake.refuse, clock, lambda _: named)
        await door.open()
        await clock.round()
        assert (intake.taken, door.facts()["waiting_for_attachments"]) == ([], 1)
        (tmp_path / "res").mkdir()
        put(tmp_path / "res", "x.pdf", b"%PDF")
        await clock.round()
        assert intake.names == ["r.hpr"]
        assert [one.data for one in intake.attachments] == [b"%PDF"]
        assert tree(tmp_path) == ["done/2031-03/r.hpr", "done/2031-03/res/x.pdf"]
        assert door.facts()["waiting_for_attachments"] == 0
        await door.close()

    asyncio.run(main())
