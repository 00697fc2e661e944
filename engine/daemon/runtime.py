"""Time, chance, tasks and timers of the running engine (core.ports.Runtime)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from engine.errors import where

_log = structlog.get_logger(__name__)


class LoopRuntime:
    """The running event loop as the stages' world."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_fault: Callable[[], None]) -> None:
        """
        Serve one loop.

        Args:
            loop: The running loop.
            on_fault: Called when a task or a callback of the engine failed: it can't go on.
        """
        self._loop = loop
        self._on_fault = on_fault
        self._tasks: set[asyncio.Task[None]] = set()
        self.monotonic = loop.time
        self.random = random.random
        loop.set_exception_handler(self._loop_failed)

    def now_ms(self) -> int:
        """Return the wall clock."""
        return time.time_ns() // 1_000_000

    def utc_offset_seconds(self) -> int:
        """Return how far local time is ahead of UTC; asked each time, because summer time begins while we run."""
        return time.localtime(self.now_ms() // 1000).tm_gmtoff

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
            _log.critical("a task failed", task=task.get_name(), where=where(error))
            self._on_fault()

    def _loop_failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """
        Stop the engine when a callback failed: what it was to do would stay undone for ever.

        asyncio would print the exception with its text, which might hold a value of a message, and go on. A
        peer that is gone, or a system that gives no more connections, is no fault of ours.
        """
        error = context.get("exception")
        what = str(context.get("message", ""))
        if "exception in callback" in what.lower():
            what = "a callback failed"  # asyncio names its arguments
        if error is None:
            _log.warning("the event loop warns", what=what)
        elif "client_connected_cb" in what:  # the control socket's: one operator's connection ends
            _log.error("a conversation failed", where=where(error))
        elif isinstance(error, ConnectionError) or (isinstance(error, OSError) and not context.get("handle")):
            _log.warning("a connection failed", what=what, where=where(error))
        else:
            _log.critical("a callback failed", what=what, where=where(error))
            self._on_fault()
