"""A folder that is watched, in time that passes when the test says so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.core.ports import Reply
from engine.routes import configuration
from engine.transports.directory import DirectorySource

NOON_MS = 1_931_342_400_000  # in March 2031, in every time zone
ACK = b"MSH|^~\\&|P|||||||ACK|1|P|2.5\rMSA|%s|1\r"


class Clock:
    """A runtime whose time passes when the test says so; only one round is ever under way."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.timers: list[Timer] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def now_ms(self) -> int:
        return NOON_MS + int(self.time * 1000)

    def utc_offset_seconds(self) -> int:
        return 0

    def monotonic(self) -> float:
        return self.time

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self.time + delay, callback)
        self.timers.append(timer)
        return timer

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.tasks.add(asyncio.create_task(work, name=name))

    def random(self) -> float:
        return 0.5

    def fire(self, seconds: float) -> None:
        """Let time pass and call what is due."""
        self.time += seconds
        due = [timer for timer in self.timers if timer.at <= self.time and not timer.cancelled]
        self.timers = [timer for timer in self.timers if timer not in due and not timer.cancelled]
        assert len(due) <= 1
        for timer in due:
            timer.callback()

    async def round(self, seconds: float = 1.0) -> None:
        """Let time pass and the round that is then due end."""
        self.fire(seconds)
        tasks, self.tasks = self.tasks, set()
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks)


class Timer:
    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Intake:
    """Takes what the door hands over; answers at once, unless told to let it wait."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.refused: list[tuple[str, int, int]] = []
        self.reply: Callable[[str], bytes | None] = lambda _: b""
        self.waiting: dict[str, Reply] = {}
        self.came = asyncio.Event()

    def accept(self, raw: bytes, peer: str, reply: Reply, name: str = "", attachments: tuple = ()) -> None:
        assert peer == ""
        self.taken.append((name, raw))
        self.attachments = attachments
        answer = self.reply(name)
        if answer is None:
            self.waiting[name] = reply
        else:
            reply.answer(answer)
        self.came.set()

    def refuse(self, code: str, reason: str, head: bytes, size: int, peer: str, reply: Reply) -> None:
        self.refused.append((code, len(head), size))
        reply.answer(b"")

    async def got(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.taken) < count:
                self.came.clear()
                await self.came.wait()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.taken]


@asynccontextmanager
async def watching(path: Path, **changes: Any) -> AsyncIterator[tuple[DirectorySource, Clock, Intake]]:
    values = {"name": "labo", "type": "directory", "path": str(path), "settle": 0.0, **changes}
    clock, intake = Clock(), Intake()
    door = DirectorySource(configuration.Source(**values), intake.accept, intake.refuse, clock)
    await door.open()
    try:
        yield door, clock, intake
    finally:
        await door.close()


def put(path: Path, name: str, data: bytes = b"MSH|", age: float = 0.0) -> None:
    """Write a file whose time is `age` seconds before the others'."""
    (path / name).write_bytes(data)
    when = 1_900_000_000 - age
    os.utime(path / name, (when, when))


def tree(path: Path) -> list[str]:
    return sorted(str(entry.relative_to(path)) for entry in path.rglob("*") if entry.is_file())
