"""Configurations that ran."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.core.changes import Configure
from engine.core.messages import Takeover
from engine.core.ports import StoreQueries
from engine.errors import ConfigurationRefused, OperationRefused
from engine.operations.former import kept_configuration, last_takeover
from tests.support.custody import opened, submitted
from tests.unit.operations.test_changing import ROUTES


def asked(*changes: Configure, work) -> object:
    """Ask a store after these changes."""

    async def run() -> object:
        _, store = await opened()
        for change in changes:
            await submitted(store, change)
        try:
            return await work(store.queries)
        finally:
            await store.close()

    return asyncio.run(run())


def test_the_last_that_was_taken() -> None:
    """What was refused since didn't run."""
    start = Configure(Takeover("start", "abc1", "", 1_000, "passerelle", ""), files={})
    refused = Configure(Takeover("refuse", "ffff", "abc1", 2_000, "alice", "one error"))
    last = asked(start, refused, work=last_takeover)
    assert (last["verb"], last["hash"]) == ("start", "abc1")
    assert asked(work=last_takeover) is None


def test_it_is_loaded_from_the_files_that_were_kept(tmp_path: Path) -> None:
    """Not from the disk; a secret that is gone is told, and so is a name that nobody knows."""
    path = tmp_path / "routes.yaml"

    def of(text: str, hash_: str = "abc1"):
        start = Configure(Takeover("start", "abc1", "", 1_000, "passerelle", ""), files={"routes.yaml": text.encode()})

        async def work(queries: StoreQueries) -> object:
            return await kept_configuration(queries, hash_, path, tmp_path)

        return asked(start, work=work)

    assert list(of(ROUTES).destinations) == ["record"]
    with pytest.raises(ConfigurationRefused, match="gone"):
        of(ROUTES.replace("127.0.0.1:5500", '"${secret:gone}"'))
    with pytest.raises(OperationRefused, match="config log"):
        of(ROUTES, "beef")
