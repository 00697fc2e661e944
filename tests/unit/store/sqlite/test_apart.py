"""The writer in a process of its own: what it does when one of the two ends before the other."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.changes import Receipt, Receive
from engine.core.messages import StoredMessage
from engine.core.ports import Urgency
from engine.errors import StoreBroken, StoreLocked, StoreUnavailable
from engine.store.sqlite import SqliteStore, apart
from tests.conformance.stores import balanced, commit, message, outcome_of, receive

ROOT = Path(__file__).parents[4]


async def opened(directory: Path) -> SqliteStore:
    fresh = SqliteStore(directory, min_free=0, apart=True)
    await fresh.open(now_ms=1_000)
    return fresh


def writer_of(store: SqliteStore) -> int:
    """Process id of a store's writer."""
    return int(store._writer._process.pid)


def test_a_writer_that_dies_is_trouble_for_good(tmp_path: Path) -> None:
    """What was under way fails, it is told with the signal's name, and the next start finds all that was said."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        heard: asyncio.Queue[object] = asyncio.Queue()
        fresh.on_trouble(heard.put_nowait)
        await receive(fresh, 3)
        os.kill(writer_of(fresh), signal.SIGSTOP)
        waiting = outcome_of(fresh, Receive(message()))
        os.kill(writer_of(fresh), signal.SIGKILL)
        assert isinstance(await waiting, StoreUnavailable)
        trouble = await heard.get()
        assert isinstance(trouble, StoreBroken)
        assert "SIGKILL" in str(trouble)
        assert isinstance((await commit(fresh, Receive(message())))[0], StoreUnavailable)
        await fresh.close()
        again = await opened(tmp_path)
        assert len((await again.unrouted("main", 0, 10, 1 << 20)).items) == 3
        await balanced(again)
        await again.close()

    asyncio.run(run())


def test_what_is_submitted_while_the_writer_dies_has_an_outcome(tmp_path: Path) -> None:
    """It was to be handed over in the turn in which the end is heard: its stage waited for ever, and so did a stop."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        os.kill(writer_of(fresh), signal.SIGKILL)
        waiting = outcome_of(fresh, Receive(message()))
        heard, fresh._writer.connection_lost = fresh._writer.connection_lost, lambda _: None
        heard(None)  # now, and not again when the socket tells
        assert isinstance(await asyncio.wait_for(waiting, 10), StoreUnavailable)
        await asyncio.wait_for(fresh.close(), 10)

    asyncio.run(run())


def test_a_writer_that_cannot_even_be_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its disk hangs: the stop ends all the same, says so, and what was under way has its outcome."""
    monkeypatch.setattr(apart, "_END_SECONDS", 0.2)
    monkeypatch.setattr(apart, "_KILLED_SECONDS", 0.2)

    async def run() -> None:
        fresh = await opened(tmp_path)
        process = fresh._writer._process
        os.kill(process.pid, signal.SIGSTOP)
        monkeypatch.setattr(process, "kill", lambda: None)  # as in uninterruptible sleep
        waiting = outcome_of(fresh, Receive(message()))
        try:
            with pytest.raises(StoreUnavailable, match="can't even be killed: its disk hangs"):
                await asyncio.wait_for(fresh.close(), 30)
            assert isinstance(await waiting, StoreUnavailable)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    asyncio.run(run())


def test_the_signals_of_a_terminal_and_a_service_manager_are_not_the_writers(tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM reach it too; it goes on until the engine has said its last."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        await receive(fresh)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(writer_of(fresh), number)
        assert len(await receive(fresh, 2)) == 2
        await fresh.close()

    asyncio.run(run())


HELD = """
import asyncio, os, signal, sys
from pathlib import Path
from engine.core.changes import Receive
from engine.core.ports import Urgency
from engine.store.sqlite import SqliteStore
from tests.conformance.stores import message

async def main():
    store = SqliteStore(Path(sys.argv[1]), min_free=0, apart=True)
    await store.open(now_ms=1)
    store.submit(Receive(message()), Urgency.NOW, lambda receipt: print(store._writer._process.pid, flush=True))
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_directory_is_free_when_the_last_commit_of_a_killed_engine_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer holds the lock too: a start waits for it, and says who holds it when that lasts too long."""
    engine = subprocess.Popen([sys.executable, "-c", HELD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert engine.stdout is not None
    writer = int(engine.stdout.readline())
    engine.stdout.close()
    os.kill(writer, signal.SIGSTOP)  # a commit that takes long
    engine.kill()
    engine.wait()
    monkeypatch.setattr("engine.store.sqlite.directory.LAST_COMMIT_SECONDS", 0.05)
    with pytest.raises(StoreLocked, match=rf"held by process {writer}, .* \(process {engine.pid} .*kill -9 {writer}"):
        asyncio.run(opened(tmp_path))
    monkeypatch.setattr("engine.store.sqlite.directory.LAST_COMMIT_SECONDS", 30.0)

    async def run() -> None:
        asyncio.get_running_loop().call_later(0.02, os.kill, writer, signal.SIGCONT)
        fresh = await opened(tmp_path)
        assert len((await fresh.unrouted("main", 0, 10, 1 << 20)).items) == 1
        await fresh.close()

    asyncio.run(run())


def test_a_message_with_odd_texts_goes_on_as_it_is_stored(tmp_path: Path) -> None:
    """The object that the router gets has the texts that the disk has."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        odd = StoredMessage("gam", "main", b"x", 1, name="caf\udce9.hl7")
        assert isinstance((await commit(fresh, Receive(odd)))[0], Receipt)
        assert odd.name == "caf\\udce9.hl7"
        await fresh.close()

    asyncio.run(run())


def test_large_and_many(tmp_path: Path) -> None:
    """More than the socket holds, in both directions; in order."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        big = outcome_of(fresh, Receive(message(raw=b"x" * 5_000_000)), Urgency.SOON)
        assert len(await receive(fresh, 9_000)) == 9_000
        assert isinstance(await big, Receipt)
        found = await fresh.message(1)
        assert found is not None
        assert len(found.raw) == 5_000_000
        await fresh.close()

    asyncio.run(run())


def test_the_writer_looks_at_the_disk(tmp_path: Path) -> None:
    """Below `min_free` it takes no message, and says so."""

    async def run() -> None:
        fresh = SqliteStore(tmp_path, min_free=1 << 60, apart=True)
        await fresh.open(now_ms=1_000)
        heard: list[object] = []
        fresh.on_trouble(heard.append)
        (outcome,) = await commit(fresh, Receive(message()))
        assert isinstance(outcome, StoreUnavailable)
        assert "room" in str(outcome)
        assert [type(trouble) for trouble in heard] == [StoreUnavailable]
        await fresh.close()

    asyncio.run(run())


def test_a_message_that_is_just_here_is_handed_over_before_any_work(tmp_path: Path) -> None:
    """Work waited for a moment; when it is over, a message stands ready: its sender waits, the work can too."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        begun: list[int] = []
        fresh.meanwhile(lambda: begun.append(fresh._writer.begun))
        outcome = outcome_of(fresh, Receive(message()))
        fresh._writer._work_alone()
        assert begun == []
        assert isinstance(await outcome, Receipt)
        assert begun == [1]
        await fresh.close()

    asyncio.run(run())


def test_work_is_done_while_the_disk_works(tmp_path: Path) -> None:
    """Postponed until the next batch is handed over, or for a moment when none comes."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        done: list[int] = []
        alone = asyncio.get_running_loop().create_future()
        fresh.meanwhile(lambda: alone.set_result(None))
        await alone
        fresh.meanwhile(lambda: done.append(fresh._writer.begun))
        assert done == []
        outcome = outcome_of(fresh, Receive(message()))
        assert isinstance(await outcome, Receipt)
        assert done == [1]
        await fresh.close()

    asyncio.run(run())
