"""What is SQLite's own: the directory, the threads, trouble with the disk, a killed process."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Note, Prune, Receipt, Receive, Refuse
from engine.core.lifecycle import MessageState
from engine.core.messages import Refusal, StoredMessage
from engine.core.ports import Urgency
from engine.errors import ChangeRefused, OperationRefused, StoreBroken, StoreLocked, StoreUnavailable
from engine.store.sqlite import SqliteStore, checkpoints, connections, directory, driver, queries, store
from engine.store.sqlite.driver import sqlite3
from tests.conformance.stores import (
    balanced,
    commit,
    decided,
    delivery,
    message,
    outcome_of,
    receive,
    routed,
    settled,
    take,
    works_again,
)


async def opened(directory: Path, **values: Any) -> SqliteStore:
    fresh = SqliteStore(directory, **({"min_free": 0} | values))
    await fresh.open(now_ms=1_000)
    return fresh


@pytest.mark.parametrize("written", [True, False], ids=["named", "not named yet"])
def test_who_holds_it_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """A command that asks a stopped engine at the very moment at which one starts."""
    command = directory.DataDirectory(tmp_path / "data", briefly=True)
    command.acquire(1_000)
    if not written:
        (tmp_path / "data" / "lock").write_text("")
    monkeypatch.setattr(directory.time, "sleep", lambda _seconds: command.release())
    engine = directory.DataDirectory(tmp_path / "data")
    engine.acquire(2_000)
    assert "for a moment" not in (tmp_path / "data" / "lock").read_text()
    monkeypatch.setattr(directory.time, "sleep", lambda _seconds: pytest.fail("an engine is not waited for"))
    with pytest.raises(StoreLocked, match=r"--data DIR"):
        command.acquire(3_000)
    engine.release()


def test_the_directory_is_ours_alone(tmp_path: Path) -> None:
    """Modes, the key that stays the same, the lock that says who holds it."""

    async def run() -> None:
        first = await opened(tmp_path / "data")
        key = first.reference_key
        assert len(key) == 32
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()}
        assert not any(modes.values()), modes
        with pytest.raises(StoreLocked, match=rf"held by process {os.getpid()} since 1970-01-01"):
            await opened(tmp_path / "data")
        await first.close()
        again = await opened(tmp_path / "data")
        assert again.reference_key == key
        await again.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (None, "key is missing, and passerelle.db was written with it: bring the file back"),
        (b"short", "key must hold 32 bytes: bring the file back"),
        (bytes(32), "isn't the key with which passerelle.db was written: bring the file back"),
    ],
)
def test_a_database_is_not_opened_without_its_own_key(tmp_path: Path, key: bytes | None, sentence: str) -> None:
    """With another one nobody would be known any more; refused every time, until the key is back."""

    async def run() -> None:
        await (await opened(tmp_path)).close()
        path = tmp_path / "key"
        own = path.read_bytes()
        path.unlink()
        if key is not None:
            path.write_bytes(key)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=sentence):
                await opened(tmp_path)
            assert (path.read_bytes() if path.exists() else None) == key
        path.write_bytes(own)
        await (await opened(tmp_path)).close()

    asyncio.run(run())


def test_a_database_of_before_remembers_its_key_from_then_on(tmp_path: Path) -> None:
    """It was never asked to: the key that is there is taken for its own."""

    async def run() -> None:
        await (await opened(tmp_path)).close()
        connection = sqlite3.connect(str(tmp_path / "passerelle.db"))
        with connection:
            connection.execute("DELETE FROM run WHERE key = 'key'")
        connection.close()
        await (await opened(tmp_path)).close()
        (tmp_path / "key").write_bytes(bytes(32))
        with pytest.raises(StoreUnavailable, match="isn't the key"):
            await opened(tmp_path)

    asyncio.run(run())


def test_a_directory_that_can_not_be_used(tmp_path: Path) -> None:
    """A file in its place, a key of another length, a file that is no database, a later schema: a sentence each."""

    async def run() -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreUnavailable, match="can't be used"):
            await opened(tmp_path / "file")
        fresh = await opened(tmp_path / "data")
        await fresh.close()
        connection = sqlite3.connect(str(tmp_path / "data" / connections.FILE_NAME))
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(StoreUnavailable, match="schema 99"):
            await opened(tmp_path / "data")
        (tmp_path / "data" / connections.FILE_NAME).write_bytes(b"something else" * 1_000)
        with pytest.raises(StoreUnavailable, match="can't be opened"):
            await opened(tmp_path / "data")
        (tmp_path / "data" / "key").write_bytes(b"short")
        with pytest.raises(StoreUnavailable, match="key must hold"):
            await opened(tmp_path / "data")

    asyncio.run(run())
    # A refused open leaves nothing open.
    gc.collect()


def test_a_version_that_can_corrupt_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite before 3.51.3."""
    monkeypatch.setattr(driver.sqlite3, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(StoreUnavailable, match="pysqlite3"):
        asyncio.run(opened(tmp_path))


def test_a_half_written_slot_is_left_out(tmp_path: Path) -> None:
    """What is no slot is nobody's delivery."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        one, two = await take(fresh), await take(fresh)
        fresh.sending(one.id, 1, 0)
        fresh.sending(two.id, 1, 3)
        await fresh.abandon()
        data = bytearray((tmp_path / "inflight").read_bytes())
        data[0] ^= 1
        (tmp_path / "inflight").write_bytes(data + b"torn")
        again = SqliteStore(tmp_path, min_free=0)
        recovery = await again.open(now_ms=2)
        assert recovery.maybe_sent == {"dpi": [two.id]}
        await again.close()

    asyncio.run(run())


KILLED = """
import asyncio, sys, time
from pathlib import Path
from engine.core.ports import Urgency
from engine.core.changes import Receive, Route, Settle
from engine.core.lifecycle import DeliveryState
from engine.store.sqlite import SqliteStore
from tests.conformance.stores import message, delivery, routed, settled

async def main():
    store = SqliteStore(Path(sys.argv[1]), min_free=0)
    await store.open(now_ms=1)
    number = 0
    def submit():
        nonlocal number
        number += 1
        store.submit(Receive(message(number)), Urgency.NOW, received)
    def received(receipt):
        print("R", receipt.place, flush=True)
        one = delivery(receipt.place, lanes=(1, 2))
        def is_routed(_receipt):
            print("D", one.place, flush=True)
            store.sending(one.id, 1, one.place % 8)
            if one.place % 2:
                store.submit(settled(one), Urgency.SOON, lambda _r: print("S", one.place, flush=True))
        store.submit(routed(one.place, one, keys=[one.place]), Urgency.SOON, is_routed)
        submit()
    for _ in range(8):
        submit()
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_kill_minus_nine_loses_nothing_that_was_said(tmp_path: Path) -> None:
    """A process killed in full work: what its `done`s said is there, counters and rows agree, slots are reported."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.split())
        if len(lines) == 400:
            process.send_signal(signal.SIGKILL)
            break
    lines += [line.split() for line in process.stdout.read().splitlines() if len(line.split()) == 2]
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    said = {letter: {int(place) for kind, place in lines if kind == letter} for letter in "RDS"}

    async def run() -> None:
        again = SqliteStore(tmp_path, min_free=0)
        recovery = await again.open(now_ms=2)
        assert not recovery.clean
        assert recovery.maybe_sent["dpi"]
        await balanced(again)
        for place in sorted(said["R"]):
            row = await again.queries.message_row(place)
            assert row is not None, place
            states = [one["state"] for one in await again.queries.deliveries_of(place)]
            assert not (place in said["S"] and states != ["delivered"]), place
            assert not (place in said["D"] and not states), place
        for place in list(said["D"])[-20:]:
            assert [row["place"] for row in await again.queries.find_messages(keys=[place])] == [place]
        await again.close()

    assert min(map(len, said.values())) > 10
    asyncio.run(run())


def test_low_disk_stops_intake_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below `min_free` messages are not taken, routing and outcomes go on; it is announced, and its end too."""
    monkeypatch.setattr("engine.store.sqlite.writer.FREE_CHECK_SECONDS", 0.01)
    room = 5_000

    async def run() -> None:
        nonlocal room
        fresh = await opened(tmp_path, min_free=1_000, free_bytes=lambda: room)
        heard: asyncio.Queue[object] = asyncio.Queue()
        fresh.on_trouble(heard.put_nowait)
        (place,) = await receive(fresh)
        room = 999
        while isinstance((await commit(fresh, Receive(message())))[0], Receipt):
            pass
        assert isinstance(await heard.get(), StoreUnavailable)
        one = delivery(place)
        kept = Refusal("gam", "192.0.2.7", 1, "E-NO-HEADER", "no header", 3, b"abc")
        assert isinstance((await commit(fresh, Refuse(kept)))[0], StoreUnavailable)
        refused, done, settle = (
            (await commit(fresh, Receive(message())))[0],
            (await commit(fresh, routed(place, one)))[0],
            (await commit(fresh, settled(one)))[0],
        )
        assert isinstance(refused, StoreUnavailable)
        assert "room" in str(refused)
        assert isinstance(done, Receipt)
        assert isinstance(settle, Receipt)
        room = 5_000
        assert await heard.get() is None
        assert len(await receive(fresh)) == 1
        await balanced(fresh)
        await fresh.close()

    asyncio.run(run())


def test_a_defect_of_the_writer_is_for_good(tmp_path: Path) -> None:
    """It is announced as StoreBroken, with its place and without its text; what comes later fails; close works."""
    broken = False

    def fault(_name: str) -> None:
        if broken:
            raise TypeError("a value of a message")

    async def run() -> None:
        nonlocal broken
        fresh = await opened(tmp_path, fault=fault)
        heard: asyncio.Queue[object] = asyncio.Queue()
        fresh.on_trouble(heard.put_nowait)
        await receive(fresh)
        broken = True
        fresh.submit(Receive(message()), Urgency.NOW)
        trouble = await heard.get()
        assert isinstance(trouble, StoreBroken)
        assert "TypeError at test_store.py:" in str(trouble)
        assert "a value" not in str(trouble)
        assert isinstance((await commit(fresh, Receive(message())))[0], StoreUnavailable)
        await fresh.close()

    asyncio.run(run())


def test_pruning_passes_over_what_has_nothing_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Months of rows without bytes don't keep a slice from what has some."""
    monkeypatch.setattr("engine.store.sqlite.pruning.ROWS_LOOKED_AT", 5)
    monkeypatch.setattr("engine.store.sqlite.pruning.ROUNDS_A_PRUNE", 1)

    async def run() -> None:
        fresh = await opened(tmp_path)
        places = await receive(fresh, 40)
        await commit(fresh, *(decided(place, MessageState.FILTERED) for place in places))

        async def prune(bodies: int, limit: int) -> int:
            (outcome,) = await commit(fresh, Prune(bodies, 1, 1, limit))
            assert isinstance(outcome, Receipt), outcome
            return outcome.place

        moment = 1_000 + 10**6
        assert await prune(moment, 5) == 5
        while len([place for place in places if await fresh.message(place) is not None]) > 1:
            assert await prune(moment, 5) > 0 or await prune(moment, 5) > 0
        assert await fresh.queries.message_row(places[0]) is not None
        await balanced(fresh)
        (one,) = await receive(fresh)
        await commit(fresh, decided(one, MessageState.FILTERED))
        await receive(fresh)
        assert await prune(moment, 5) + await prune(moment, 5) == 2, "found at once behind forty empty rows"
        await fresh.close()

    asyncio.run(run())


def test_trouble_lasts_as_long_as_the_disk_fails(tmp_path: Path) -> None:
    """Several failures in a row: announced once; what is submitted meanwhile fails; reads go on; close works."""

    async def run() -> None:
        failing = False

        def fault(_name: str) -> None:
            if failing:
                raise sqlite3.OperationalError("disk I/O error")

        fresh = await opened(tmp_path, fault=fault)
        await receive(fresh, 2)
        heard: list[object] = []
        fresh.on_trouble(heard.append)
        failing = True
        for _ in range(3):
            (outcome,) = await commit(fresh, Receive(message()))
            assert isinstance(outcome, StoreUnavailable)
            assert len((await fresh.unrouted("main", 0, 10, 1 << 20)).items) == 2
        assert "disk I/O" in (await fresh.queries.facts())["trouble"] or heard[-1] is None
        failing = False
        await works_again(fresh)
        assert await receive(fresh) == [3]
        assert heard[-1] is None
        await balanced(fresh)
        failing = True
        pending = outcome_of(fresh, Receive(message()))
        await fresh.close()
        assert isinstance(pending.result(), StoreUnavailable)

    asyncio.run(run())


def test_odd_texts_are_stored(tmp_path: Path) -> None:
    """A file name of unknown encoding is kept as escapes: a refusal would bring the file back for ever."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        odd = StoredMessage("gam", "main", b"x", 1, name="caf\udce9.hl7", type="A\x00B", control_id="\udcff")
        assert [type(each) for each in await commit(fresh, Receive(odd), Receive(message()))] == [Receipt, Receipt]
        found = await fresh.message(odd.place)
        assert (found.name, found.type, found.control_id) == ("caf\\udce9.hl7", "A\x00B", "\\udcff")
        await fresh.close()

    asyncio.run(run())


def test_a_change_that_can_not_be_stored_fails_alone(tmp_path: Path) -> None:
    """A number too large for a column, a text that can't be encoded: this change is refused, without its values."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        one, two = await take(fresh), await take(fresh)
        outcomes = await commit(
            fresh, settled(one, due_ms=1 << 70), settled(two), settled(one, reason="secret\udce9"), Receive(message())
        )
        assert [type(each) for each in outcomes] == [ChangeRefused, Receipt, ChangeRefused, Receipt]
        assert "secret" not in str(outcomes[2])
        await balanced(fresh)
        await fresh.close()

    asyncio.run(run())


def test_a_listener_that_raises_keeps_nobody_from_hearing(tmp_path: Path) -> None:
    """The loop is told; the others hear all the same."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))

        def broken(_receipt: object) -> None:
            raise RuntimeError("a defect")

        fresh.submit(Receive(message()), Urgency.NOW, broken)
        assert len(await receive(fresh, 2)) == 2
        assert [str(context["exception"]) for context in told] == ["a defect"]
        await fresh.close()

    asyncio.run(run())


def test_the_log_is_kept_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint thread copies; the writer restarts a log that has grown all the same."""
    monkeypatch.setattr(checkpoints, "LOOK_BYTES", 10_000)
    monkeypatch.setattr(checkpoints, "PASSIVE_BYTES", 100_000)
    monkeypatch.setattr(checkpoints, "RESTART_BYTES", 400_000)

    async def run() -> None:
        fresh = await opened(tmp_path)
        wal = tmp_path / f"{connections.FILE_NAME}-wal"
        for _ in range(150):
            await commit(fresh, *(Receive(message(raw=b"x" * 2_000)) for _ in range(10)))
        assert wal.stat().st_size < 2_000_000
        assert (tmp_path / connections.FILE_NAME).stat().st_size > 2_000_000
        await fresh.close()
        assert not wal.exists() or wal.stat().st_size == 0

    asyncio.run(run())


def test_a_search_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a word on how to narrow it."""
    monkeypatch.setattr(queries, "SECONDS_MAX", -1.0)
    monkeypatch.setattr(queries, "_STEPS_BETWEEN_LOOKS", 1)

    async def run() -> None:
        fresh = await opened(tmp_path)
        await receive(fresh, 20)
        with pytest.raises(OperationRefused, match="narrow"):
            await fresh.queries.find_messages(control_id="none")
        assert await fresh.queries.message_row(1) is not None
        await fresh.close()

    asyncio.run(run())


def test_search_keys_survive_in_slices(tmp_path: Path) -> None:
    """Keys are found before they are indexed, after they are, and after a crash between."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        places = await receive(fresh, 700)
        await commit(fresh, *(routed(place, delivery(place), keys=[place, -place]) for place in places))
        found = await fresh.queries.find_messages(keys=[places[5]])
        assert [row["place"] for row in found] == [places[5]]
        await fresh.abandon()
        again = await opened(tmp_path)
        found = await again.queries.find_messages(keys=[-places[650], places[1]])
        assert [row["place"] for row in found] == [places[650], places[1]]
        await again.close()
        connection = sqlite3.connect(str(tmp_path / connections.FILE_NAME))
        assert connection.execute("SELECT count(*) FROM message_keys").fetchone() == (1_400,)
        assert connection.execute("SELECT count(*) FROM key_slices").fetchone() == (0,)
        connection.close()

    asyncio.run(run())


def test_large_commits_are_cut(tmp_path: Path) -> None:
    """More changes than a commit may hold, more rows than a statement: all are stored, in order."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        places = await receive(fresh, 4_500)
        assert places == list(range(1, 4_501))
        outcomes = await commit(fresh, *(routed(place, delivery(place, lanes=(place, 7))) for place in places))
        assert all(isinstance(each, Receipt) for each in outcomes)
        assert (await fresh.queries.facts())["commits"] >= 4
        assert len(await fresh.queue_of("dpi", 7, 0, 5_000)) == 1_000
        ones = [await fresh.delivery(place << 16) for place in (1, 2_222, 4_500)]
        await commit(fresh, *(settled(one) for one in ones))
        await commit(fresh, Prune(1, 1, 1), Note({("a", "b", "c"): 1}))
        await balanced(fresh)
        await fresh.close()

    asyncio.run(run())


def test_the_port_is_answered_under_uvloop(tmp_path: Path) -> None:
    """The loop of the engine."""
    import uvloop

    async def run() -> None:
        fresh = await opened(tmp_path)
        assert await receive(fresh, 100) == list(range(1, 101))
        await fresh.close()

    uvloop.run(run())


def test_the_walk_is_not_slowed_by_the_default_switch_interval(tmp_path: Path) -> None:
    """Opening a store lowers it: the writer would wait 5 ms at each statement."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        assert sys.getswitchinterval() <= store.SWITCH_SECONDS * 1.01
        await fresh.close()

    asyncio.run(run())


def test_a_page_waits_for_the_announcement_of_what_it_saw(tmp_path: Path) -> None:
    """A read between a commit and its announcement returns after the announcement."""
    committed, read, returned = threading.Event(), threading.Event(), threading.Event()

    async def run() -> None:
        fresh = SqliteStore(tmp_path, min_free=0)
        report, unrouted = fresh._report, fresh._reads.unrouted

        def held(said: Any) -> None:
            committed.set()
            read.wait(5)
            # A read that doesn't wait would return in this time.
            returned.wait(0.2)
            report(said)

        def late(*arguments: Any) -> Any:
            committed.wait(5)
            page = unrouted(*arguments)
            read.set()
            return page

        fresh._report, fresh._reads.unrouted = held, late
        await fresh.open(now_ms=1)
        announced: list[int] = []
        fresh.on_received("main", lambda received: announced.append(received.high))
        fresh.submit(Receive(message()), Urgency.NOW)
        page = await fresh.unrouted("main", 0, 10, 1 << 20)
        returned.set()
        assert [each.place for each in page.items] == announced == [1]
        await fresh.close()

    asyncio.run(run())
