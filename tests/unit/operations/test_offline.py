"""Operations without a running engine, over the real store."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from engine.core.references import References
from engine.errors import OperationRefused, StoreLocked
from engine.operations.offline import call_offline
from engine.operations.presence import note_stopped
from engine.store.sqlite import SqliteStore
from tests.support.custody import NOW_MS, configuration, fill


def filled(directory: Path) -> None:
    """Write the small history, and stop."""

    async def run() -> None:
        store = SqliteStore(directory)
        await store.open(now_ms=NOW_MS)
        await fill(store, References(store.reference_key))
        await store.close()

    asyncio.run(run())
    note_stopped(directory, NOW_MS)


def ask(directory: Path, operation: str, **arguments: object) -> dict[str, object]:
    """Ask without an engine."""
    return call_offline(directory, operation, arguments, store_of=SqliteStore, configuration=configuration())


def test_the_same_questions_are_answered(tmp_path: Path) -> None:
    """With the time of the stop, and the same balance."""
    filled(tmp_path / "data")
    answer = ask(tmp_path / "data", "status")
    assert (answer["engine"], answer["stopped_since_ms"]) == ("stopped", NOW_MS)
    assert str(answer["balance"]["line"]).endswith("difference 0")  # type: ignore[index]
    found = ask(tmp_path / "data", "message_find", key="ipp", value="990077123")
    assert [row["id"] for row in found["rows"]] == ["1"]  # type: ignore[attr-defined]
    shown = ask(tmp_path / "data", "message_show", id="3-0")
    assert "ZUBROWKA" not in str(shown)


def test_acts_wait_for_the_engine(tmp_path: Path) -> None:
    """Recorded as intentions, still there when the store is opened again."""
    filled(tmp_path / "data")
    answer = ask(tmp_path / "data", "dead_retry", ids=["3-0"], reason="fixed")
    assert answer["waiting"] == 1

    async def intentions() -> list[tuple[str, str, object]]:
        store = SqliteStore(tmp_path / "data")
        await store.open(now_ms=NOW_MS)
        found = await store.intentions("router")
        await store.close()
        return [(one.verb, one.reason, one.arguments) for one in found]

    assert asyncio.run(intentions()) == [("retry", "fixed", {"delivery": 3 << 16})]


def test_a_held_lock_is_told(tmp_path: Path) -> None:
    """An engine that starts or stops holds the lock without answering yet: exit code 75."""

    async def run() -> None:
        store = SqliteStore(tmp_path / "data")
        await store.open(now_ms=NOW_MS)
        with pytest.raises(StoreLocked, match=str(os.getpid())):
            await asyncio.to_thread(ask, tmp_path / "data", "status")
        await store.close()

    asyncio.run(run())


def test_a_question_makes_no_data_directory(tmp_path: Path) -> None:
    """A typing error in --data is told, exit code 69."""
    with pytest.raises(OperationRefused, match="there is no data in") as refused:
        ask(tmp_path / "data", "status")
    assert refused.value.exit_code == 69
    assert not (tmp_path / "data").exists()
