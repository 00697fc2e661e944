"""Time, chance, tasks and timers of the running engine (core.ports.Runtime)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


class LoopRuntime:
    """The running event loop as the stages' world."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_fault: Callable[[], None]) -> None:
        """
        Serve one loop.

        Args:
            loop: The running loop.
            on_fault: Called when a task of the engine failed: it can't go on.
        """
        self._loop = loop
        self._on_fault = on_fault
        self._tasks: set[asyncio.Task[None]] = set()
        self.monotonic = loop.time
        self.random = random.random

    def now_ms(self) -> int:
        """Return the wall clock."""
        return time.time_ns() // 1_000_000

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call in the loop after `delay` seconds."""
        return self._loop.call_later(delay, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call in the loop's next turn."""
        self._loop.call_soon(callback)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a coroutine, and keep it until it ends."""
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def cancel_all(self) -> None:
        """Cancel what still runs, at the end of the engine."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.critical("a task failed", task=task.get_name(), where=_where(error))
            self._on_fault()


def _where(error: BaseException) -> str:
    """Return type and place of an exception; its text might hold a value of a message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
    return f"{type(error).__name__} at {place}"
