"""The desk: changes are on disk when `commit` returns."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.changes import Audit, Reopen
from engine.core.lifecycle import MessageState
from engine.errors import ChangeRefused
from tests.support.custody import NOW_MS, configuration, opened


def test_commit_returns_the_receipts_in_order_or_raises() -> None:
    """A refused change raises; its neighbours are stored."""

    async def run() -> None:
        desk, store = await opened()
        change = Audit(NOW_MS, "nurse", "look", "message 1", "why")
        assert len(await desk.commit(change, change)) == 2
        with pytest.raises(ChangeRefused):
            await desk.commit(Reopen(1, "main", MessageState.DEAD, MessageState.RECEIVED), change)
        assert len(await desk.queries.actions()) == 3
        await desk.audit("nurse", "look", "message 2", "why")
        assert (await desk.queries.actions())[0]["subject"] == "message 2"
        await store.close()

    asyncio.run(run())


def test_the_configuration_is_the_running_one() -> None:
    """Without an engine, the one that was read."""

    async def run() -> None:
        desk, store = await opened()
        assert desk.configuration() is not None
        desk.live = None
        assert desk.configuration() is None
        desk.known = configuration()
        assert desk.configuration() is desk.known
        await store.close()

    asyncio.run(run())
