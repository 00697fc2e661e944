"""Which files are taken, when, in which order, how many at once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from engine.transports.directory import folder, source
from engine.transports.directory.source import LATER
from tests.support.watching import put, tree, watching


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


def test_a_name_that_is_no_utf_8_is_given_as_text(tmp_path: Path) -> None:
    """Old systems write latin-1 names: what intake stores can be stored, and the file is moved under its own."""
    (tmp_path / os.fsdecode(b"r\xe9sultat.hl7")).write_bytes(b"body")

    async def main() -> None:
        async with watching(tmp_path, move_to="done") as (_, clock, intake):
            await clock.round()
            assert intake.names == ["résultat.hl7"]

    asyncio.run(main())
    assert [os.fsencode(entry.name) for entry in (tmp_path / "done").iterdir()] == [b"r\xe9sultat.hl7"]
