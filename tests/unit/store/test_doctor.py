"""The doctor finds what is wrong, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.errors import StoreUnavailable
from engine.store.doctor import doctor
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.connections import FILE_NAME
from engine.store.sqlite.driver import sqlite3
from tests.conformance.stores import commit, receive, settled, take


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data directory after some traffic."""

    async def run() -> None:
        store = SqliteStore(tmp_path, min_free=0)
        await store.open(now_ms=1_000)
        one = await take(store, lanes=(1, 2), payload_kind=1, payload=b"x" * 3_000)
        await take(store)
        await receive(store, 3)
        await commit(store, settled(one))
        await store.close()

    asyncio.run(run())
    return tmp_path


def wrong(directory: Path) -> set[str]:
    return {row["check"] for row in doctor(directory) if not row["fine"]}


def test_a_sound_directory_is_sound(filled: Path) -> None:
    """Every check is fine, each with a sentence."""
    rows = doctor(filled)
    assert wrong(filled) == set()
    assert all(set(row) == {"check", "fine", "sentence"} and row["sentence"] for row in rows)


def test_a_full_disk_is_named(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is wrong then; with room the check says how much."""
    (fine,) = [row for row in doctor(filled) if row["check"] == "disk"]
    assert fine["sentence"].endswith("B free")
    monkeypatch.setattr("engine.store.sqlite.room.free_bytes", lambda _directory: 0)
    assert wrong(filled) == {"disk"}


@pytest.mark.parametrize(
    ("damage", "checks"),
    [
        ("UPDATE counters SET n = n + 1 WHERE kind = 'delivery' AND what = 'pending'", {"counters"}),
        ("UPDATE counters SET n = n + 1 WHERE kind = 'received'", {"counters", "balance"}),
        ("DELETE FROM bodies WHERE message = 5", {"undecided messages without bytes"}),
        ("INSERT INTO bodies VALUES (77, x'00')", {"bytes of no message"}),
        ("INSERT INTO payloads VALUES (77, x'00')", {"payloads of no delivery"}),
        ("INSERT INTO attempts VALUES (77, 1, 0, 0, '', '', x'')", {"attempts of no delivery"}),
        ("INSERT INTO lane_more VALUES (1, 2, 77)", {"lane keys of deliveries that take no place"}),
        ("DELETE FROM bodies WHERE message = 2", {"pending deliveries without bytes"}),
    ],
)
def test_damage_is_named(filled: Path, damage: str, checks: set[str]) -> None:
    """Each kind of damage by its own check."""
    connection = sqlite3.connect(str(filled / FILE_NAME))
    with connection:
        connection.execute(damage)
    connection.close()
    assert wrong(filled) == checks


def test_the_directory_itself_is_examined(filled: Path) -> None:
    """Its mode and its key."""
    filled.chmod(0o755)
    (filled / "key").write_bytes(b"short")
    assert wrong(filled) == {"directory", "key"}
    (filled / "key").write_bytes(bytes(32))
    assert wrong(filled) == {"directory", "key"}, "a key, and not the one of this database"
    (filled / "key").unlink()
    assert wrong(filled) == {"directory", "key"}


def test_bytes_that_are_no_database(filled: Path) -> None:
    """A finding, not a stack."""
    (filled / FILE_NAME).write_bytes(b"no database at all" * 1_000)
    assert "database" in wrong(filled)


def test_no_database(tmp_path: Path) -> None:
    """It says so."""
    with pytest.raises(StoreUnavailable, match="no database"):
        doctor(tmp_path)
