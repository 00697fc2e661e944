"""A clock that jumps: 72 hours of a transcript take no time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.daemon.runtime import LoopRuntime


class Clock:
    """What `72 hours pass` moves: shared by the runtimes of all runs of one transcript."""

    def __init__(self) -> None:
        self.ahead = 0.0


class JumpingRuntime(LoopRuntime):
    """The engine's runtime, whose clocks can jump ahead; what was asked for until then is called at once."""

    clock = Clock()

    def __init__(self, loop: asyncio.AbstractEventLoop, on_fault: Callable[[], None]) -> None:
        super().__init__(loop, on_fault)
        self._timers: dict[asyncio.TimerHandle, tuple[float, Callable[[], None]]] = {}
        """What was asked for, with the moment (monotonic) when it is due."""
        self.monotonic = lambda: loop.time() + self.clock.ahead

    def now_ms(self) -> int:
        return super().now_ms() + round(self.clock.ahead * 1000)

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        def ring() -> None:
            self._timers.pop(handle, None)
            callback()

        handle = super().call_later(delay, ring)
        self._timers[handle] = self.monotonic() + delay, callback
        return handle

    def jump(self, seconds: float) -> None:
        """Let so much time pass for all timers; those that are due ring in their order."""
        self.clock.ahead += seconds
        now = self.monotonic()
        for handle, (due, callback) in sorted(self._timers.items(), key=lambda one: one[1][0]):
            if due <= now or handle.cancelled():
                del self._timers[handle]
            if due <= now and not handle.cancelled():
                handle.cancel()
                self.call_soon(callback)
