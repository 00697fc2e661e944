"""What keeps the store quick and small: log, searches, slices, large commits."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from engine.core.changes import Note, Prune, Receipt, Receive
from engine.core.lifecycle import MessageState
from engine.errors import OperationRefused
from engine.store.sqlite import checkpoints, connections, queries, store
from engine.store.sqlite.driver import sqlite3
from tests.conformance.stores import (
    balanced,
    commit,
    decided,
    delivery,
    message,
    receive,
    routed,
    settled,
)
from tests.support.sqlite import opened


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


def test_the_walk_is_not_slowed_by_the_default_switch_interval(tmp_path: Path) -> None:
    """Opening a store lowers it: the writer would wait 5 ms at each statement."""

    async def run() -> None:
        fresh = await opened(tmp_path)
        assert sys.getswitchinterval() <= store.SWITCH_SECONDS * 1.01
        await fresh.close()

    asyncio.run(run())
