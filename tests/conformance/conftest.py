"""Each test runs on every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.stores import FALLIBLE, HOUSES, House


@pytest.fixture(params=sorted(HOUSES))
def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    """A place for stores of one kind."""
    return HOUSES[request.param](tmp_path)


@pytest.fixture(params=FALLIBLE)
def fallible_house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    """The same, of the kinds whose disk can be made to fail."""
    return HOUSES[request.param](tmp_path)
