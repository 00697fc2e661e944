"""A failing callback or task stops the engine, and its text stays out of the log."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import structlog

from engine.daemon.runtime import LoopRuntime


def raising(error: Exception) -> None:
    raise error


def faults_of(test: Any) -> tuple[int, str]:
    """Run `test(loop)` under a LoopRuntime; return how often it called for the end, and what was logged."""
    faults: list[None] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        runtime = LoopRuntime(loop, lambda: faults.append(None))
        test(loop, runtime)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with structlog.testing.capture_logs() as lines:
        asyncio.run(run())
    return len(faults), str(lines)


def test_summer_time_begins_while_the_engine_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Paris on 29 March 2026 at 1 o'clock UTC."""
    clock = [1_774_745_999, 1_774_746_000]
    offsets: list[int] = []
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    monkeypatch.setattr(time, "time_ns", lambda: clock[len(offsets)] * 10**9)
    try:
        faults_of(lambda _, runtime: offsets.append(runtime.utc_offset_seconds()))
        faults_of(lambda _, runtime: offsets.append(runtime.utc_offset_seconds()))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert offsets == [3600, 7200]


@pytest.mark.parametrize("error", [ValueError("DUPONT Jean"), OSError("DUPONT Jean")])
def test_a_callback_that_fails_stops_the_engine(error: Exception) -> None:
    """Type, file and line are told, never the text nor the arguments."""
    faults, log = faults_of(lambda loop, _: loop.call_soon(raising, error))
    assert faults == 1
    assert f"{type(error).__name__} at test_runtime.py:" in log
    assert "DUPONT" not in log


def test_a_task_that_fails_stops_the_engine() -> None:
    """The same for tasks."""

    async def work() -> None:
        raise ValueError("DUPONT Jean")

    faults, log = faults_of(lambda _, runtime: runtime.spawn(work(), "work"))
    assert faults == 1
    assert "DUPONT" not in log


@pytest.mark.parametrize(
    "context",
    [
        {"message": "Task was destroyed but it is pending!"},
        {"message": "Fatal write error on socket transport", "exception": ConnectionResetError(), "transport": None},
        {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many open files")},
    ],
)
def test_what_peers_do_is_no_fault(context: dict[str, Any]) -> None:
    """A reset connection or a full table of files is told; the engine goes on."""
    faults, log = faults_of(lambda loop, _: loop.call_exception_handler(context))
    assert faults == 0
    assert "warning" in log
