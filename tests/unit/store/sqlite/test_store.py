"""What is SQLite's own: the threads, trouble with the disk, a killed process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Receipt, Receive, Refuse
from engine.core.messages import Refusal, StoredMessage
from engine.core.ports import Urgency
from engine.errors import ChangeRefused, StoreBroken, StoreUnavailable
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.driver import sqlite3
from tests.conformance.stores import (
    balanced,
    commit,
    delivery,
    message,
    outcome_of,
    receive,
    routed,
    settled,
    take,
    works_again,
)
from tests.support.sqlite import opened


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


def test_the_port_is_answered_under_uvloop(tmp_path: Path) -> None:
    """The loop of the engine."""
    import uvloop

    async def run() -> None:
        fresh = await opened(tmp_path)
        assert await receive(fresh, 100) == list(range(1, 101))
        await fresh.close()

    uvloop.run(run())


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
