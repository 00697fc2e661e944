"""A SQLite store in a directory of the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.store.sqlite import SqliteStore


async def opened(directory: Path, **values: Any) -> SqliteStore:
    fresh = SqliteStore(directory, **({"min_free": 0} | values))
    await fresh.open(now_ms=1_000)
    return fresh
