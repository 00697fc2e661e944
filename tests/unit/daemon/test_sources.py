"""Sources of one engine: what hangs holds up nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.daemon import sources
from engine.daemon.runtime import LoopRuntime
from engine.daemon.sources import Sources
from engine.routes.configuration import Source
from engine.store.memory import MemoryStore
from engine.transports.directory import folder
from tests.support.engine import free_port, listens


class Share:
    """Folders named `hung` answer when they are let go."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = threading.Event()


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> Iterator[Share]:
    monkeypatch.setattr(sources, "FOLDERS_SECONDS", 0.1)
    look, made = folder.Folder.look, Share()

    def hang(self: folder.Folder) -> list[folder.Found]:
        if self.path.name == "hung":
            made.asked.set()
            made.answers.wait(60)
        return look(self)

    monkeypatch.setattr(folder.Folder, "look", hang)
    yield made
    made.answers.set()


def directory(path: Path, name: str = "labo") -> Source:
    path.mkdir(exist_ok=True)
    return Source(name=name, type="directory", path=str(path))


async def opened(*made: Source) -> tuple[Sources, LoopRuntime, list[str]]:
    faults: list[str] = []
    runtime = LoopRuntime(asyncio.get_running_loop(), lambda: faults.append("a task failed"))
    store = MemoryStore()
    await store.open(now_ms=runtime.now_ms())
    house = Sources(store, runtime, lambda *_: None)
    async with asyncio.timeout(30):
        await house.open(made, {})
    return house, runtime, faults


def test_a_start_waits_for_no_folder_that_hangs(tmp_path: Path, share: Share) -> None:
    """The others listen; it is opened when it answers."""

    async def main() -> None:
        port = free_port()
        listening = Source(name="gam", type="mllp", host="127.0.0.1", port=port)
        house, runtime, faults = await opened(directory(tmp_path / "hung"), listening)
        try:
            assert share.asked.is_set()
            assert listens(port)
            share.answers.set()
            async with asyncio.timeout(30):
                await house._folders["labo"].looked.wait()
            assert house.doors["labo"]._open  # type: ignore[attr-defined]
            assert not faults
        finally:
            await house.close()
            await runtime.cancel_all()

    asyncio.run(main())


def test_an_exchange_waits_for_no_folder_that_hangs(tmp_path: Path, share: Share) -> None:
    """Messages aren't routed meanwhile: it ends, and so does another one that removes the source again."""

    async def main() -> None:
        house, runtime, faults = await opened(directory(tmp_path / "good"))
        try:
            async with asyncio.timeout(30):
                await house.exchange(["labo"], [directory(tmp_path / "hung")])
                door: Any = house.doors["labo"]
                looked = house._folders["labo"].looked
                await house.exchange(["labo"], [])
                share.answers.set()
                await looked.wait()
            assert not door._open
            assert not house.doors
            assert not faults
        finally:
            await house.close()
            await runtime.cancel_all()

    asyncio.run(main())
