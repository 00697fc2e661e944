"""A whole engine inside the test's loop: real sockets, real SQLite, real routes.yaml."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from engine.daemon.service import Service
from engine.routes.loader import load
from engine.settings import Settings
from tests.support.until import until


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class RunningEngine:
    """What a test asks of it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.queries = service._store.queries

    async def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Carry out an operation, as an operator would over the control socket."""
        return await self.service._operations.call(operation, arguments, who="nurse")

    async def states(self) -> dict[str, int]:
        """Return how many messages stand in each state of the balance line."""
        counts: dict[str, int] = {}
        for (kind, _, what), number in (await self.queries.counters()).items():
            if kind == "message" and number:
                counts[what] = counts.get(what, 0) + number
        return counts

    async def settled(self, **expected: int) -> None:
        """Wait until the balance shows exactly these states."""
        last: dict[str, int] = {}

        async def so() -> bool:
            nonlocal last
            last = await self.states()
            return last == expected

        try:
            await until(so, 15)
        except AssertionError:
            raise AssertionError(f"expected {expected}, the balance shows {last}") from None

    async def messages(self) -> list[dict[str, Any]]:
        return list(reversed(await self.queries.find_messages(limit=1000)))

    async def raw(self, place: int) -> bytes:
        message = await self.service._store.message(place)
        assert message is not None
        return message.raw


@contextlib.asynccontextmanager
async def running_engine(routes: str, directory: Path, *, min_free_bytes: int = 0) -> AsyncIterator[RunningEngine]:
    """Run an engine with this routes.yaml; it is stopped cleanly at the end. It may be run again in the directory."""
    file = directory / "routes.yaml"
    file.write_text(routes, encoding="utf-8")
    settings = Settings(routes=file, data=directory / "data", min_free_bytes=min_free_bytes, log_level="error")
    service = Service(settings, load(file, environment=os.environ))
    run = asyncio.create_task(service.run())
    ready = asyncio.create_task(service.ready.wait())
    await asyncio.wait({run, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    if run.done():
        ready.cancel()
        run.result()
    assert service.ready.is_set()
    try:
        yield RunningEngine(service)
    finally:
        service.stop()
        assert await run == 0
