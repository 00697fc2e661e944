"""Names that operators type."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import OperationRefused
from engine.operations.known import require_destination, require_source, unknown
from tests.support.custody import DESTINATION, SOURCE, opened


def test_names_of_the_configuration_and_of_the_past_are_known() -> None:
    """Also without a configuration: what the store has seen."""

    async def run() -> None:
        for more in ({}, {"live": None}):
            desk, store = await opened(**more)
            await require_destination(desk, DESTINATION)
            await require_source(desk, SOURCE)
            with pytest.raises(OperationRefused, match="there is no source 'dpi'; there are gam_cha") as refused:
                await require_source(desk, DESTINATION)
            assert refused.value.exit_code == 1
            await store.close()

    asyncio.run(run())


def test_a_long_list_of_names_is_cut() -> None:
    """Twenty, then how many more."""
    assert str(unknown("source", "x", [])) == "there is no source 'x'"
    assert str(unknown("source", "x", [f"s{number}" for number in range(23)])).endswith("s19 and 3 more")
