"""A configuration that doesn't run yet."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import OperationRefused
from engine.operations.candidate import candidate
from engine.operations.desk import Desk
from engine.store.memory import MemoryStore
from tests.support.custody import NOW_MS, FakeLive
from tests.unit.operations.test_trying import ROUTES


def read(tmp_path, path: str, live: FakeLive | None = None):
    store = MemoryStore()
    desk = Desk(queries=store.queries, store=store, now_ms=lambda: NOW_MS, live=live, data=tmp_path)
    return asyncio.run(candidate(desk, path))


def test_the_file_as_it_is_now(tmp_path):
    """Read at each question."""
    (tmp_path / "routes.yaml").write_text(ROUTES)
    assert [route.name for route in read(tmp_path, str(tmp_path / "routes.yaml")).routes] == ["adt", "rest"]


def test_without_a_file_the_running_one(tmp_path):
    """Where an engine runs."""
    assert [route.name for route in read(tmp_path, "", FakeLive()).routes] == ["adt_to_dpi"]


def test_refused(tmp_path):
    """One with errors, or none at all: 78."""
    (tmp_path / "routes.yaml").write_text("version: 2")
    for path in (str(tmp_path / "routes.yaml"), ""):
        with pytest.raises(OperationRefused) as caught:
            read(tmp_path, path)
        assert caught.value.exit_code == 78
