"""A data directory is opened: ours alone, with its own key, on a version that can't corrupt it."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

import pytest

from engine.errors import StoreLocked, StoreUnavailable
from engine.store.sqlite import connections, directory, driver
from engine.store.sqlite.driver import sqlite3
from tests.support.sqlite import opened


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
