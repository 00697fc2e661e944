"""Each test runs on every store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.stores import FALLIBLE, HOUSES, House


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: these tests kill processes, not machines, and wait for no disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture(params=sorted(HOUSES))
def house(request: pytest.FixtureRequest, directory: Path) -> House:
    """A place for stores of one kind."""
    return HOUSES[request.param](directory)


@pytest.fixture(params=FALLIBLE)
def fallible_house(request: pytest.FixtureRequest, directory: Path) -> House:
    """The same, of the kinds whose disk can be made to fail."""
    return HOUSES[request.param](directory)
