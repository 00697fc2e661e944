"""The data directory at a start without room."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from engine.daemon import service
from engine.errors import StoreUnavailable
from engine.settings import Settings
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.directory import DataDirectory
from engine.store.sqlite.driver import sqlite3

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("os.ftruncate", FULL),
        ("os.posix_fallocate", FULL),
        ("engine.store.sqlite.store.migrate", sqlite3.OperationalError("database or disk is full")),
        ("engine.store.sqlite.store.recover", sqlite3.OperationalError("database or disk is full")),
        ("os.write", FULL),
    ],
)
def test_a_start_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    """One sentence that says what, where and what next, for a service manager to try again; with room it opens."""

    def full(*_arguments: Any) -> None:
        raise error

    async def run() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(name, full)
            with pytest.raises(
                StoreUnavailable, match=r"is full \(.* of .*B free\): make room; nothing .* is lost, .* \(df -h"
            ) as caught:
                await SqliteStore(tmp_path, min_free=0).open(now_ms=1)
            assert caught.value.exit_code == 69
        store = SqliteStore(tmp_path, min_free=0)
        await store.open(now_ms=2)
        await store.close()

    asyncio.run(run())


def test_pages_that_are_left_and_do_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite says `disk I/O error` then; with room that is another trouble."""

    def failing(*_arguments: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("engine.store.sqlite.store.recover", failing)
    for room, words in ((8_192, "is full"), (10**12, "can't be opened: disk I/O error")):
        monkeypatch.setattr(DataDirectory, "free_bytes", lambda _, room=room: room)
        with pytest.raises(StoreUnavailable, match=words):
            asyncio.run(SqliteStore(tmp_path, min_free=0).open(now_ms=1))


def test_a_disk_that_fills_up_while_the_engine_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own small files (`presence`) can't be written then: the same sentence, whoever meets it."""

    async def full(_service: Any) -> int:
        raise FULL

    monkeypatch.setattr(service.Service, "run", full)
    monkeypatch.setattr(service.logs, "configure", lambda **_: None)
    routes = tmp_path / "routes.yaml"
    routes.write_text("version: 1\nroutes: {}\n")
    monkeypatch.setattr(service, "load", lambda *_, **__: None)
    with pytest.raises(StoreUnavailable, match=r"is full \(.* free\): make room"):
        service.main(Settings(routes=routes, data=tmp_path / "data"))
