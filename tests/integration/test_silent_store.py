"""A writer that says nothing (stopped, or its disk hangs): told, bounded, and over when it speaks again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.test_heavy_senders import ROUTES, Watch, send
from tests.support.engine import free_port
from tests.support.mllp import plain_ack, receiver
from tests.support.process import EngineProcess
from tests.support.until import until as until_seen


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[EngineProcess, int]]:
    port = free_port()
    async with receiver(plain_ack) as dpi:
        routes = directory / "routes.yaml"
        routes.write_text(ROUTES.format(port=port, dpi=dpi.port), encoding="utf-8")
        engine = EngineProcess(routes, directory / "data")
        await asyncio.to_thread(engine.start)
        try:
            yield engine, port
        finally:
            await asyncio.to_thread(engine.stop)


async def until(found: Callable[[], bool]) -> None:
    """Look until it is so; each look may start a command, and wait for it."""
    await until_seen(lambda: asyncio.to_thread(found), every=0.1)


def status(engine: EngineProcess) -> dict[str, Any]:
    (answer,) = engine.ask("status")
    return answer


def test_a_silent_store_is_told(tmp_path: Path) -> None:
    """`status` answers and says since when; one alert begins and ends; what waited is taken when it speaks again."""

    async def main() -> None:
        async with running(tmp_path) as (engine, port):
            pid = engine.writer_pid
            with stopped(pid):
                waiting = asyncio.create_task(send(port, 1, 100))
                await until(lambda: status(engine)["engine"] == "degraded")
                answer = await asyncio.to_thread(status, engine)
                assert any("has not answered since" in one and f"process {pid}" in one for one in answer["problems"])
                await until(lambda: "E-STORE-SILENT" in engine.log.read_text())
                assert not waiting.done()
            assert await waiting == "AA"
            await until(lambda: status(engine)["engine"] == "running")
            await until(lambda: '"alert ended"' in engine.log.read_text())
            assert engine.log.read_text().count('"event": "alert"') == 1

    asyncio.run(main())


def test_memory_stays_bounded_while_the_store_is_silent(tmp_path: Path) -> None:
    """Senders of 8 MB, and more that connect when nothing is read any more: what can't be stored isn't read."""

    async def main() -> int:
        async with running(tmp_path) as (engine, port):
            watch = Watch(engine)
            watch.start()
            with stopped(engine.writer_pid):
                senders = [asyncio.create_task(send(port, number, 8_000_000)) for number in range(8)]
                await until(lambda: "E-STORE-SILENT" in engine.log.read_text())
                senders += [asyncio.create_task(send(port, number, 8_000_000)) for number in range(8, 22)]
                await until(lambda: status(engine)["sources"][0]["connections"] == 22)
                for _ in range(4):  # each takes a while, in which they send what they can
                    await asyncio.to_thread(status, engine)
            assert set(await asyncio.gather(*senders)) == {"AA"}
            watch.ending.set()
            watch.join()
            return watch.highest

    highest = asyncio.run(main())
    assert highest < 280_000_000, f"{highest:,} bytes"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    """SIGTERM ends the engine within half a minute, with a sentence, and as a failure."""

    async def main() -> None:
        async with running(tmp_path) as (engine, port):
            os.kill(engine.writer_pid, signal.SIGSTOP)  # it is killed at the end
            sender = asyncio.create_task(send(port, 1, 100))
            await until(lambda: status(engine)["engine"] == "degraded")
            assert await asyncio.to_thread(engine.stop) == 1
            assert "was killed; what it had not said to be on disk was not acknowledged" in engine.log.read_text()
            with pytest.raises(asyncio.IncompleteReadError):
                await sender

    asyncio.run(main())
