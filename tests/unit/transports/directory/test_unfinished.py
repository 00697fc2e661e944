"""Files that somebody may still be writing: nothing is taken by half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.routes import configuration
from engine.routes.configuration import UnfinishedRule
from engine.routes.directories import ending_of
from engine.transports.directory import DirectorySource
from tests.unit.transports.directory.test_source import Clock, Intake, put, tree

HEAD = b"H|~^\\&|A.HPR||LAB||ORU|||CHA||P|H2.3|20260102\r\n"


def results(patient: str, *, end: bytes = b"L|1|1|1|4\r\n") -> bytes:
    return HEAD + f"P|1|{patient}\r\nOBR|1\r\nOBX|1|NM|GLU||5.1\r\n".encode() + end


@asynccontextmanager
async def watching(path: Path, **changes: Any) -> AsyncIterator[tuple[DirectorySource, Clock, Intake]]:
    values = {"name": "labo", "type": "directory", "format": "hprim-sante", "path": str(path), "settle": 2.0, **changes}
    source = configuration.Source(**values)
    clock, intake = Clock(), Intake()
    door = DirectorySource(source, intake.accept, intake.refuse, clock, None, ending_of(source))
    await door.open()
    try:
        yield door, clock, intake
    finally:
        await door.close()


def test_half_a_file_waits_for_its_end(tmp_path: Path) -> None:
    """However long the sender pauses within the wait; then it is taken whole, once."""

    async def main() -> None:
        put(tmp_path, "a.hpr", results("77", end=b""))
        async with watching(tmp_path) as (door, clock, intake):
            for _ in range(100):
                await clock.round(5.0)
            assert (intake.taken, door.facts()["unfinished"]) == ([], 1)
            put(tmp_path, "a.hpr", results("77"), age=-1)
            await clock.round()
            assert intake.taken == []  # it has not rested yet
            await clock.round(2.0)
            assert intake.taken == [("a.hpr", results("77"))]
            assert door.facts()["unfinished"] == 0

    asyncio.run(main())


def test_growing_begins_the_wait_anew(tmp_path: Path) -> None:
    """A slow transfer is no broken one."""

    async def main() -> None:
        async with watching(tmp_path, unfinished=UnfinishedRule(wait=60.0)) as (_, clock, intake):
            for size in range(60, 75):
                put(tmp_path, "a.hpr", results("77", end=b"")[:size])
                for _ in range(5):
                    await clock.round(10.0)
            assert (intake.taken, intake.refused) == ([], [])

    asyncio.run(main())


def test_what_never_ends_is_refused(tmp_path: Path) -> None:
    """Set aside with a sentence beside it, and told to intake, which keeps a refusal."""

    async def main() -> None:
        put(tmp_path, "a.hpr", results("77", end=b""))
        async with watching(tmp_path) as (_, clock, intake):
            await clock.round(5.0)
            await clock.round(5.0)
            assert intake.refused == []
            await clock.round(599.0)
            assert intake.refused == []
            await clock.round(2.0)
            assert [code for code, _, _ in intake.refused] == ["E-UNFINISHED"]
            assert tree(tmp_path) == ["refused/a.hpr", "refused/a.hpr.reason.txt"]
            reason = (tmp_path / "refused" / "a.hpr.reason.txt").read_text()
            assert "no L segment" in reason
            assert "then: take" in reason

    asyncio.run(main())


def test_what_never_ends_is_taken_where_the_source_says_so(tmp_path: Path) -> None:
    """For systems that never write the line."""

    async def main() -> None:
        put(tmp_path, "a.hpr", results("77", end=b""))
        async with watching(tmp_path, unfinished=UnfinishedRule(wait=30.0, then="take")) as (_, clock, intake):
            await clock.round(5.0)
            await clock.round(5.0)
            assert intake.taken == []
            await clock.round(30.0)
            assert intake.names == ["a.hpr"]

    asyncio.run(main())


def test_others_pass_but_not_the_same_patient(tmp_path: Path) -> None:
    """A younger file about the same patient would overtake; one about another has no reason to wait."""

    async def main() -> None:
        put(tmp_path, "a.hpr", results("77", end=b""), age=30)
        put(tmp_path, "b.hpr", results("78"), age=20)
        put(tmp_path, "c.hpr", results("77"), age=10)
        put(tmp_path, "d.hpr", results("77", end=b"P|2|79\r\nL|1|2|2|5\r\n"), age=5)
        put(tmp_path, "e.hpr", results("79"), age=1)
        async with watching(tmp_path) as (door, clock, intake):
            for _ in range(4):
                await clock.round(5.0)
            assert intake.names == ["b.hpr"]
            assert door.facts()["unfinished"] == 4
            put(tmp_path, "a.hpr", results("77"), age=30)
            for _ in range(4):
                await clock.round(5.0)
            assert intake.names == ["b.hpr", "a.hpr", "c.hpr", "d.hpr", "e.hpr"]

    asyncio.run(main())


def test_an_older_file_of_the_same_patient_does_not_wait(tmp_path: Path) -> None:
    """Only what comes after waits."""

    async def main() -> None:
        put(tmp_path, "a.hpr", results("77"), age=30)
        put(tmp_path, "b.hpr", results("77", end=b""), age=20)
        async with watching(tmp_path) as (_, clock, intake):
            await clock.round(5.0)
            await clock.round(5.0)
            assert intake.names == ["a.hpr"]

    asyncio.run(main())


@pytest.mark.parametrize("then", ["refuse", "take"])
def test_a_companion_ends_the_wait(tmp_path: Path, then: str) -> None:
    """The sender says that it is complete: nothing more will come."""

    async def main() -> None:
        put(tmp_path, "a.hpr", results("77", end=b""))
        put(tmp_path, "a.ok", b"")
        rule = UnfinishedRule(then=then)
        async with watching(tmp_path, companion=".ok", unfinished=rule) as (_, clock, intake):
            await clock.round()
            assert (len(intake.taken), len(intake.refused)) == ((1, 0) if then == "take" else (0, 1))

    asyncio.run(main())


def test_a_batch_of_hl7_waits_for_its_trailer(tmp_path: Path) -> None:
    """A single message has no mark of its end, and is taken when it rests."""
    one = b"MSH|^~\\&|A|||||||1|P|2.5\rPID|1||77\r"

    async def main() -> None:
        put(tmp_path, "a.hl7", b"FHS|^~\\&\rBHS|^~\\&\r" + one + b"BTS|1\r", age=9)
        put(tmp_path, "b.hl7", one.replace(b"77", b"78"), age=8)
        async with watching(tmp_path, format="hl7v2") as (_, clock, intake):
            await clock.round(5.0)
            await clock.round(5.0)
            assert intake.names == ["b.hl7"]
            put(tmp_path, "a.hl7", b"FHS|^~\\&\rBHS|^~\\&\r" + one + b"BTS|1\rFTS|1\r", age=9)
            await clock.round(5.0)
            await clock.round(5.0)
            assert intake.names == ["b.hl7", "a.hl7"]

    asyncio.run(main())
