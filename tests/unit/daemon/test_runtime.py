"""The running engine's clock, tasks and faults."""

from __future__ import annotations

import asyncio

from freezegun import freeze_time

from engine.daemon.runtime import LoopRuntime


def test_the_wall_clock_is_the_systems() -> None:
    """now_ms follows the system's clock, in milliseconds since 1970 UTC."""

    async def run() -> None:
        runtime = LoopRuntime(asyncio.get_running_loop(), lambda: None)
        with freeze_time("2026-03-29 01:30:00") as clock:
            before = runtime.now_ms()
            clock.tick(2.5)
            assert (before, runtime.now_ms() - before) == (1_774_747_800_000, 2500)

    asyncio.run(run())


def test_a_task_that_fails_is_reported_without_its_text() -> None:
    """on_fault is called; the exception's text, which may hold a value of a message, goes nowhere."""
    faults: list[str] = []

    async def run() -> None:
        runtime = LoopRuntime(asyncio.get_running_loop(), lambda: faults.append("fault"))

        async def broken() -> None:
            raise ValueError("SECRET")

        runtime.spawn(broken(), "broken")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await runtime.cancel_all()

    asyncio.run(run())
    assert faults == ["fault"]
