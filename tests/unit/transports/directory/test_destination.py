"""DirectoryDestination: one file a delivery, whole, durable, never overwritten."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.core.bundle import pack
from engine.core.messages import Delivery, PayloadKind, delivery_id
from engine.core.ports import SendOutcome, SendResult
from engine.routes import configuration
from engine.transports.directory import DirectoryDestination, destination

ACCEPTED = SendResult.ACCEPTED


@asynccontextmanager
async def opened(path: Path, connections: int = 1, root: Path = Path()) -> AsyncIterator[DirectoryDestination]:
    door = DirectoryDestination(
        configuration.Destination(
            name="archive", type="directory", path=str(path), connections=connections, root=str(root)
        )
    )
    await door.open()
    try:
        yield door
    finally:
        await door.close()


def sent(
    door: DirectoryDestination, place: int, data: bytes, target: str = "", payload_kind: PayloadKind = PayloadKind.FULL
) -> asyncio.Future[SendOutcome]:
    """Send; the future fails when `done` is called twice, elsewhere than in the loop, or from within `send`."""
    end: asyncio.Future[SendOutcome] = asyncio.get_running_loop().create_future()
    delivery = Delivery(delivery_id(place, 0), "archive", "adt", target=target, payload_kind=payload_kind)
    within = True

    def done(which: Delivery, outcome: SendOutcome) -> None:
        assert asyncio.get_running_loop() is end.get_loop()
        assert which is delivery
        assert not within
        end.set_result(outcome)

    door.send(delivery, data, done)
    within = False
    return end


def files(path: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


def test_a_delivery_is_one_file_of_its_bytes(tmp_path: Path) -> None:
    """Under its target's name, or `<place>-<ordinal>.hl7`; nothing temporary stays."""

    async def main() -> None:
        async with opened(tmp_path) as door:
            assert (await sent(door, 7, b"MSH|1\r")).result is ACCEPTED
            assert (await sent(door, 8, b"MSH|2\r", "adt_8.hl7")).result is ACCEPTED
            assert (await sent(door, 9, b"MSH|3\r", "../../out.hl7")).result is ACCEPTED
            assert (await sent(door, 10, b"", "..")).result is ACCEPTED
            assert door.facts()["written"] == 4

    asyncio.run(main())
    assert files(tmp_path) == {
        "7-0.hl7": b"MSH|1\r",
        "adt_8.hl7": b"MSH|2\r",
        "_.._out.hl7": b"MSH|3\r",
        "10-0.hl7": b"",
    }


def test_the_same_bytes_again_are_accepted_as_they_lie_there(tmp_path: Path) -> None:
    """After an attempt whose end was not seen, the next one adds no second file."""

    async def main() -> None:
        async with opened(tmp_path) as door:
            for _ in range(3):
                assert (await sent(door, 7, b"one", "a.hl7")).result is ACCEPTED
            for _ in range(2):
                assert (await sent(door, 8, b"two", "a.hl7")).result is ACCEPTED

    asyncio.run(main())
    assert files(tmp_path) == {"a.hl7": b"one", "a-1.hl7": b"two"}


def test_other_bytes_get_a_number_and_overwrite_nothing(tmp_path: Path) -> None:
    """Even for a name that a link or a folder uses."""
    (tmp_path / "a.hl7").mkdir()
    (tmp_path / "a-1.hl7").symlink_to(tmp_path / "nowhere")

    async def main() -> None:
        async with opened(tmp_path, connections=4) as door:
            ends = [sent(door, place, b"%d" % place, "a.hl7") for place in range(20)]
            assert {(await end).result for end in ends} == {ACCEPTED}

    asyncio.run(main())
    written = [entry for entry in tmp_path.iterdir() if entry.is_file()]
    assert sorted(entry.read_bytes() for entry in written) == sorted(b"%d" % place for place in range(20))
    assert not (tmp_path / "nowhere").exists()


def test_a_file_system_without_links_is_served_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares often know no hard links: look, then rename; nothing is overwritten there either."""

    def no_link(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    test_the_same_bytes_again_are_accepted_as_they_lie_there(tmp_path)


def test_a_name_taken_in_the_last_moment_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program may create the name between the look and the rename."""
    link = os.link

    def late(here: Any, there: Any, **options: Any) -> None:
        if Path(there).name == "a.hl7":
            Path(there).write_bytes(b"theirs")
        link(here, there, **options)

    monkeypatch.setattr(os, "link", late)

    async def main() -> None:
        async with opened(tmp_path) as door:
            assert (await sent(door, 7, b"ours", "a.hl7")).result is ACCEPTED

    asyncio.run(main())
    assert files(tmp_path) == {"a.hl7": b"theirs", "a-1.hl7": b"ours"}


def test_what_a_dead_run_left_does_not_destroy_what_it_delivered(tmp_path: Path) -> None:
    """Killed between link and unlink, the temporary name is a second name of the delivered file."""
    (tmp_path / "a.hl7").write_bytes(b"delivered")
    os.link(tmp_path / "a.hl7", tmp_path / ".passerelle-7-0.tmp")

    async def main() -> None:
        async with opened(tmp_path) as door:
            assert (await sent(door, 7, b"rendered again", "a.hl7")).result is ACCEPTED

    asyncio.run(main())
    assert files(tmp_path) == {"a.hl7": b"delivered", "a-1.hl7": b"rendered again"}


def test_a_missing_folder_is_not_made_and_means_not_sent(tmp_path: Path) -> None:
    """An unmounted share: a sentence, and a later send works when the folder is there."""
    share = tmp_path / "share"

    async def main() -> None:
        async with opened(share) as door:
            outcome = await sent(door, 7, b"body", "DUPONT.hl7")
            assert outcome.result is SendResult.NOT_SENT
            assert "the folder is missing" in outcome.reason
            assert "DUPONT" not in outcome.reason + door.facts()["last_error"]
            assert not share.exists()
            share.mkdir()
            assert (await sent(door, 7, b"body")).result is ACCEPTED
            assert door.facts()["last_error"] == ""

    asyncio.run(main())


def test_a_folder_of_our_own_is_made(tmp_path: Path) -> None:
    """Named by a relative path: at the start, and again where somebody took it away."""
    folder = tmp_path / "data" / "out"

    async def main() -> None:
        async with opened(Path("data/out"), root=tmp_path) as door:
            assert folder.is_dir()
            assert (await sent(door, 7, b"one")).result is ACCEPTED
            shutil.rmtree(tmp_path / "data")
            while (await sent(door, 8, b"two")).result is not ACCEPTED:
                pass  # the queue tries again
            assert files(folder) == {"8-0.hl7": b"two"}

    asyncio.run(main())


def test_a_folder_of_our_own_that_can_not_be_made_means_not_sent(tmp_path: Path) -> None:
    """A file has its name: a sentence; the next send makes it when that is gone."""
    (tmp_path / "out").write_bytes(b"")

    async def main() -> None:
        async with opened(Path("out"), root=tmp_path) as door:
            outcome = await sent(door, 7, b"one")
            assert (outcome.result, f"can't make {tmp_path / 'out'}" in outcome.reason) == (SendResult.NOT_SENT, True)
            (tmp_path / "out").unlink()
            assert (await sent(door, 7, b"one")).result is ACCEPTED

    asyncio.run(main())


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "no right"), (errno.EIO, "error 5")]
)
def test_a_failed_write_leaves_nothing_and_means_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    """Disk full in the middle: no half file under any name."""

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)

    async def main() -> None:
        async with opened(tmp_path) as door:
            outcome = await sent(door, 7, b"body")
            assert outcome.result is SendResult.NOT_SENT
            assert words in outcome.reason

    asyncio.run(main())
    assert files(tmp_path) == {}


def test_a_folder_that_can_not_be_flushed_means_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has its name, nobody knows whether that survives: unknown, and the next attempt finds it there."""
    flush = os.fsync
    calls = []

    def fail_on_folder(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        flush(handle)

    monkeypatch.setattr(os, "fsync", fail_on_folder)

    async def main() -> None:
        async with opened(tmp_path) as door:
            assert (await sent(door, 7, b"body")).result is SendResult.NO_ANSWER
            assert (await sent(door, 7, b"body")).result is ACCEPTED

    asyncio.run(main())
    assert files(tmp_path) == {"7-0.hl7": b"body"}


def test_the_bytes_are_flushed_before_the_name_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut a name never stands for an empty file: file, link, then folder."""
    order: list[str] = []
    flush, link = os.fsync, os.link

    def note_flush(handle: int) -> None:
        order.append("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file")
        flush(handle)

    def note_link(*arguments: Any, **options: Any) -> None:
        order.append("name")
        link(*arguments, **options)

    monkeypatch.setattr(os, "fsync", note_flush)
    monkeypatch.setattr(os, "link", note_link)

    async def main() -> None:
        async with opened(tmp_path) as door:
            assert (await sent(door, 7, b"body")).result is ACCEPTED

    asyncio.run(main())
    assert order == ["file", "name", "folder"]


def test_as_many_files_as_connections_are_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`connections: 3` are three threads: each write waits here for the two others."""
    together = threading.Barrier(3, timeout=20)
    write = destination.write_durably

    def meet(path: Path, data: bytes) -> None:
        together.wait()
        write(path, data)

    monkeypatch.setattr(destination, "write_durably", meet)

    async def main() -> None:
        async with opened(tmp_path, connections=3) as door:
            ends = [sent(door, place, b"body %d" % place) for place in range(3)]
            assert {(await end).result for end in ends} == {ACCEPTED}

    asyncio.run(main())


def test_a_write_that_hangs_ends_at_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hung share can't keep the engine from stopping: NO_ANSWER, once, and NOT_SENT for what comes after."""
    monkeypatch.setattr(destination, "CLOSE_SECONDS", 0.05)
    let_go = threading.Event()

    def hang(path: Path, data: bytes) -> None:
        let_go.wait(20)
        path.write_bytes(data)

    monkeypatch.setattr(destination, "write_durably", hang)

    async def main() -> None:
        async with opened(tmp_path) as door:
            end = sent(door, 7, b"body")
            await door.close()
            assert (await end).result is SendResult.NO_ANSWER
            assert (await sent(door, 8, b"body")).result is SendResult.NOT_SENT
            let_go.set()

    asyncio.run(main())


def test_probe_says_whether_a_file_could_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folder, then right to write; it leaves nothing there."""

    async def main() -> None:
        async with opened(tmp_path) as door:
            assert [(what, fine) for what, fine, _ in await door.probe()] == [("folder", True), ("write", True)]
            assert files(tmp_path) == {}
        async with opened(tmp_path / "missing") as door:
            ((what, fine, sentence),) = await door.probe()
            assert (what, fine) == ("folder", False)
            assert "missing" in sentence

    asyncio.run(main())


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_what_goes_beside_a_message_is_written_before_it(tmp_path: Path) -> None:
    """Under the very names that it gives, inside the folder; again after an attempt whose end was not seen."""
    bundle = pack(b"H|", [("res/cr1.pdf", b"%PDF"), ("../up.txt", b"text")])

    async def main() -> None:
        async with opened(tmp_path) as door:
            for _ in range(2):
                end = await sent(door, 7, bundle, target="a.hpr", payload_kind=PayloadKind.BUNDLE)
                assert end.result is ACCEPTED
            assert tree(tmp_path) == {"a.hpr": b"H|", "res/cr1.pdf": b"%PDF", "up.txt": b"text"}

    asyncio.run(main())


def test_a_name_that_is_taken_is_waited_for(tmp_path: Path) -> None:
    """The message names that file and no other: the receiver must take it first."""
    (tmp_path / "cr1.pdf").write_bytes(b"yesterday's")

    async def main() -> None:
        async with opened(tmp_path) as door:
            bundle = pack(b"H|", [("cr1.pdf", b"%PDF")])
            end = await sent(door, 7, bundle, target="a.hpr", payload_kind=PayloadKind.BUNDLE)
            assert end.result is SendResult.NOT_SENT
            assert "must take it" in end.reason
            assert files(tmp_path) == {"cr1.pdf": b"yesterday's"}
            (tmp_path / "cr1.pdf").unlink()
            end = await sent(door, 7, bundle, target="a.hpr", payload_kind=PayloadKind.BUNDLE)
            assert end.result is ACCEPTED

    asyncio.run(main())


def test_a_folder_of_our_own_that_hangs_holds_up_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made when it answers; what is sent meanwhile waits for that."""
    monkeypatch.setattr(destination, "OPEN_SECONDS", 0.05)
    answers, mkdir = threading.Event(), Path.mkdir

    def hang(self: Path, *arguments: Any, **options: Any) -> None:
        answers.wait(60)
        mkdir(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", hang)

    async def main() -> None:
        async with opened(Path("out"), root=tmp_path) as door:
            assert not (tmp_path / "out").exists()
            end = sent(door, 7, b"MSH|1\r")
            answers.set()
            assert (await end).result is ACCEPTED

    asyncio.run(main())
    assert files(tmp_path / "out") == {"7-0.hl7": b"MSH|1\r"}
