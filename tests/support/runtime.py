"""
A simulated world: an event loop whose clock jumps when everything waits, and the Runtime on it.

`simulate(main)` runs a coroutine function with a Runtime: a weekend of retries takes milliseconds, and the same
seed gives the same run. Only for stores and doors without threads or sockets.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from engine.core.ports import Timer

START_MS = 1_750_000_000_000
"""Wall clock at the start: 15 June 2025."""

Result = TypeVar("Result")


class _Selector(selectors.SelectSelector):
    """Waits for nothing: tells the loop's clock to jump."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Jump over the time that the loop would have waited."""
        if timeout is None:
            raise RuntimeError("everything waits, and no timer is set: the test would hang")
        self.now += max(0.0, timeout)
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in simulated time."""

    def __init__(self) -> None:
        self._simulated = _Selector()
        super().__init__(self._simulated)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Simulated seconds since the start."""
        return self._simulated.now


class SimulatedRuntime:
    """core.ports.Runtime on a simulated loop."""

    def __init__(self, seed: int = 0) -> None:
        self._loop = asyncio.get_running_loop()
        self._chance = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self.clock_jump_ms = 0
        """Added to the wall clock: somebody set it."""
        self.local_ahead_seconds = 0
        """Of local time before UTC."""
        self.spawned = 0

    def now_ms(self) -> int:
        return START_MS + round(self._loop.time() * 1000) + self.clock_jump_ms

    def utc_offset_seconds(self) -> int:
        return self.local_ahead_seconds

    def monotonic(self) -> float:
        return self._loop.time()

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        return self._loop.call_later(delay, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._loop.call_soon(callback)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.spawned += 1
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)

    def random(self) -> float:
        return self._chance.random()

    async def sleep(self, seconds: float) -> None:
        """Let simulated time pass."""
        await asyncio.sleep(seconds)

    async def until(self, condition: Callable[[], object], *, limit: float = 1e7, step: float = 0.05) -> None:
        """Let simulated time pass until something is so; fails after `limit` simulated seconds."""
        end = self.monotonic() + limit
        while not condition():
            if self.failures:
                raise self.failures[0]
            assert self.monotonic() < end, f"not so after {limit:g} simulated seconds"
            await asyncio.sleep(step)
            step = min(step * 1.05, 30.0)


def simulate(main: Callable[[SimulatedRuntime], Awaitable[Result]], *, seed: int = 0) -> Result:
    """Run `main(runtime)` in simulated time; an exception of any spawned task is raised."""

    async def run() -> Result:
        runtime = SimulatedRuntime(seed)
        result = await main(runtime)
        if runtime.failures:
            raise runtime.failures[0]
        for task in list(runtime._tasks):
            task.cancel()
        await asyncio.sleep(0)
        return result

    def fail(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        errors.append(context.get("exception") or RuntimeError(context["message"]))

    errors: list[BaseException] = []
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.get_loop().set_exception_handler(fail)
        result = runner.run(run())
    if errors:
        raise errors[0]
    return result
