"""Folders that go away or hang, files that can't be moved or read, memory that stays bounded."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DoorFailed
from engine.routes import configuration
from engine.transports.directory import DirectorySource, folder, source
from tests.support.watching import Clock, Intake, put, tree, watching


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
            await asyncio.wait_for(hangs.wait(), 60)
            clock.time += 42
            assert door.facts()["trouble"] == "the folder has not answered for 42 s"
            await door.close()
            assert not task.done()
            monkeypatch.undo()
            let_go.set()
            await task

    asyncio.run(main())


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


def test_our_own_folder_is_made(tmp_path: Path) -> None:
    """One that routes.yaml names by a relative path; where it can't be made the door says why."""

    async def main() -> None:
        for path in ("in/labo", "file/rx"):
            where = configuration.Source(name="labo", type="directory", path=path, root=str(tmp_path), settle=0.0)
            clock, intake = Clock(), Intake()
            door = DirectorySource(where, intake.accept, intake.refuse, clock)
            try:
                await door.open()
            finally:
                await door.close()

    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DoorFailed, match=r"labo: can't watch .*file/rx: the path is no folder"):
        asyncio.run(main())
    assert (tmp_path / "in" / "labo").is_dir()


class Hang:
    """A call that hangs when it has done its work, until it is let go."""

    def __init__(self, work: Any) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.let_go = threading.Event()
        self.hangs = asyncio.Event()

    def __call__(self, *arguments: Any) -> Any:
        result = self._work(*arguments)
        self._loop.call_soon_threadsafe(self.hangs.set)
        self.let_go.wait(60)
        return result


def test_a_folder_closed_before_it_answered_is_not_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed while its share hung: `open` says so, and nothing is taken when the share answers."""
    put(tmp_path, "a.hl7")

    async def main() -> None:
        clock, intake = Clock(), Intake()
        where = configuration.Source(name="labo", type="directory", path=str(tmp_path), settle=0.0)
        door = DirectorySource(where, intake.accept, intake.refuse, clock)
        hang = Hang(folder.Folder.look)
        monkeypatch.setattr(folder.Folder, "look", lambda self: hang(self))
        opening = asyncio.create_task(door.open())
        await asyncio.wait_for(hang.hangs.wait(), 60)
        await door.close()
        hang.let_go.set()
        with pytest.raises(DoorFailed, match=r"labo: it was closed before .* answered"):
            await opening
        assert clock.timers == []

    asyncio.run(main())


@pytest.mark.parametrize("method", ["look", "read", "move"])
def test_a_folder_closed_while_it_hangs_hands_nothing_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The source is gone when the share answers: its files stay, and the round that waited ends well."""
    monkeypatch.setattr(source, "CLOSE_SECONDS", 0.05)
    put(tmp_path, "a.hl7", age=5)
    put(tmp_path, "b.hl7")

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, intake):
            hang = Hang(getattr(folder.Folder, method))
            monkeypatch.setattr(source, "BATCH_FILES", 1)
            monkeypatch.setattr(folder.Folder, method, lambda *arguments: hang(*arguments))
            clock.fire(1)
            (task,) = clock.tasks
            await asyncio.wait_for(hang.hangs.wait(), 60)
            await door.close()
            hang.let_go.set()
            await asyncio.wait_for(task, 60)
            assert intake.names == (["a.hl7"] if method == "move" else [])
            assert not any(not timer.cancelled for timer in clock.timers)

    asyncio.run(main())


def test_a_round_that_goes_on_after_close_ends_well(tmp_path: Path) -> None:
    """What intake answers too late is moved by nobody: it comes again at the next start."""
    put(tmp_path, "a.hl7")

    async def main() -> None:
        async with watching(tmp_path) as (door, clock, intake):
            intake.reply = lambda _: None
            clock.fire(1)
            (task,) = clock.tasks
            await intake.got(1)
            await door.close()
            intake.waiting["a.hl7"].answer(b"")
            await asyncio.wait_for(task, 60)

    asyncio.run(main())
    assert tree(tmp_path) == ["a.hl7"]
