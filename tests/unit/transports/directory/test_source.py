"""DirectorySource: how a file is handed over, how it is acknowledged, where it goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.conversion.documents import AttachedFile
from engine.core.ports import UNSENT, Reply
from engine.errors import DoorFailed
from engine.parsers.paths import Path as MessagePath
from engine.routes import configuration
from engine.routes.directories import Named
from engine.transports.directory import DirectorySource
from engine.transports.directory.source import LATER
from tests.support.watching import ACK, NOON_MS, Clock, Intake, put, tree, watching


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
        async with watching(folder_, answer_files=answers) as (_, clock, intake):
            intake.reply = lambda name: {"r.hpr": yes, "s.hpr": no, "t.hpr": b""}[name]
            await clock.round()
            assert tree(folder_) == ["done/2031-03/r.hpr", "done/2031-03/t.hpr", "refused/s.hpr",
                                     "refused/s.hpr.reason.txt"]  # fmt: skip
            assert {path.name: path.read_bytes() for path in back.iterdir()} == {"r.ERR": yes, "s.ERR": no}

    asyncio.run(main())


@pytest.mark.parametrize(("wanted", "back_there"), [(True, ["long.ERR"]), (False, [])])
def test_a_file_that_is_not_handed_over_is_answered_too(tmp_path: Path, wanted: bool, back_there: list[str]) -> None:
    """Too long, or written by half: its sender hears of it, unless its head says nothing to answer."""
    folder_, back = tmp_path / "in", tmp_path / "back"
    folder_.mkdir()
    back.mkdir()
    put(folder_, "long.hpr", b"H|" + b"x" * 40)
    put(folder_, "other.hpr", b"?" * 40)
    answers = configuration.AnswerFiles(path=str(back)) if wanted else None

    class Refusing(Intake):
        def refuse(self, code: str, reason: str, head: bytes, size: int, peer: str, reply: Reply) -> None:
            assert code == "E-TOO-LONG"
            reply.answer(b"H|~^\\&|\r\nERR|1|\r\n" if head.startswith(b"H|") else UNSENT)

    async def main() -> None:
        clock, intake = Clock(), Refusing()
        source_ = configuration.Source(
            name="labo", type="directory", path=str(folder_), settle=0.0, max_size=30, answer_files=answers
        )
        door = DirectorySource(source_, intake.accept, intake.refuse, clock)
        await door.open()
        await clock.round()
        assert [name for name in tree(folder_) if name.endswith(".hpr")] == ["refused/long.hpr", "refused/other.hpr"]
        assert tree(back) == back_there
        await door.close()

    asyncio.run(main())


def test_a_refused_acknowledgement_is_not_answered(tmp_path: Path) -> None:
    """It goes to `refused/` with the reason, and nothing is written for its sender."""
    folder_, back = tmp_path / "in", tmp_path / "back"
    folder_.mkdir()
    back.mkdir()
    put(folder_, "r.err")
    answers = configuration.AnswerFiles(path=str(back))

    def accept(raw: bytes, peer: str, reply: Reply, name: str = "", attachments: object = ()) -> None:
        reply.answer(UNSENT, last=False)
        reply.answer(ACK % b"AR")

    async def main() -> None:
        clock, intake = Clock(), Intake()
        source_ = configuration.Source(
            name="labo", type="directory", path=str(folder_), settle=0.0, answer_files=answers
        )
        door = DirectorySource(source_, accept, intake.refuse, clock)
        await door.open()
        await clock.round()
        assert tree(folder_) == ["refused/r.err", "refused/r.err.reason.txt"]
        assert "\x18" not in (folder_ / "refused" / "r.err.reason.txt").read_text()
        assert tree(back) == []
        await door.close()

    asyncio.run(main())


def test_a_file_stays_until_its_answer_is_written(tmp_path: Path) -> None:
    """Taken or refused, once: told in the facts, tried again each round; others go on, and then it is moved."""
    folder_, back = tmp_path / "in", tmp_path / "back"
    folder_.mkdir()
    yes, no = b"H|~^\\&|r.ERR||CHA||ERR\r\nL|1||0|2\r\n", b"H|~^\\&|s.ERR||CHA||ERR\r\nERR|1|s\r\nL|1||0|3\r\n"
    for name in ("r.hpr", "s.hpr", "t.hpr"):
        put(folder_, name)
    answers = configuration.AnswerFiles(path=str(back))

    async def main() -> None:
        async with watching(folder_, answer_files=answers) as (door, clock, intake):
            intake.reply = lambda name: {"r.hpr": yes, "s.hpr": no, "t.hpr": b""}[name]
            for _ in range(3):
                await clock.round()
                assert tree(folder_) == ["done/2031-03/t.hpr", "r.hpr", "s.hpr"]
                assert door.facts()["unmoved"] == 2
                assert "an answer can't be written to" in door.facts()["trouble"]
            back.mkdir()
            await clock.round()
            assert (door.facts()["unmoved"], door.facts()["trouble"]) == (0, "")
            assert (door.facts()["taken"], door.facts()["refused"], len(intake.taken)) == (2, 1, 3)

    asyncio.run(main())
    assert {path.name: path.read_bytes() for path in back.iterdir()} == {"r.ERR": yes, "s.ERR": no}
    assert tree(folder_) == ["done/2031-03/r.hpr", "done/2031-03/t.hpr", "refused/s.hpr", "refused/s.hpr.reason.txt"]


def test_an_answer_is_written_once_though_its_file_can_not_be_moved(tmp_path: Path) -> None:
    """What is tried again each round is the move alone."""
    folder_, back = tmp_path / "in", tmp_path / "back"
    folder_.mkdir()
    back.mkdir()
    (folder_ / "done").write_bytes(b"a file stands where the folder should")
    put(folder_, "r.hpr")
    answers = configuration.AnswerFiles(path=str(back))

    async def main() -> None:
        async with watching(folder_, pattern="*.hpr", answer_files=answers) as (door, clock, intake):
            intake.reply = lambda _: ACK % b"AA"
            for _ in range(3):
                await clock.round()
            assert door.facts()["trouble"].startswith("a file that is stored can't be moved away: ")

    asyncio.run(main())
    assert tree(back) == ["r.ERR"]


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
