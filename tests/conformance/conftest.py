"""Each test runs on every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.stores import HOUSES, House


@pytest.fixture(params=sorted(HOUSES))
def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    """A place for stores of one kind."""
    return HOUSES[request.param](tmp_path)
