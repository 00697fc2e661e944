"""What is older than its retention goes, in slices, and never by a wrong clock."""

from __future__ import annotations

from engine.core.changes import Receive, Route
from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage
from engine.core.ports import Urgency
from engine.daemon.retention import DAY_MS, DAY_SECONDS, Retention
from engine.settings import Keep
from engine.store.memory import MemoryStore
from tests.support.runtime import START_MS, SimulatedRuntime, simulate


class Archive:
    """A store with old messages, and its retention."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self.store = MemoryStore()
        self.told: list[str] = []
        self.retention = self.made(runtime)

    def made(self, runtime: SimulatedRuntime) -> Retention:
        """Return a retention of this store."""
        return Retention(Keep(), self.store, self.store.queries, runtime, lambda code, *_: self.told.append(code))

    async def receive(self, runtime: SimulatedRuntime, count: int, age_days: float, *, route: bool = True) -> None:
        for _ in range(count):
            message = StoredMessage("gam", "main", b"MSH|", START_MS - int(age_days * DAY_MS))
            self.store.submit(Receive(message), Urgency.NOW)
            self.store.commit()
            if route:
                decision = Route(message.place, "main", "gam", MessageState.RECEIVED, MessageState.FILTERED)
                self.store.submit(decision, Urgency.NOW)
        await runtime.sleep(0.1)

    @property
    def held(self) -> tuple[int, int]:
        """Messages, and how many of them have their bytes."""
        return len(self.store.disk.messages), len(self.store.disk.bodies)


def test_old_bytes_then_old_rows_go() -> None:
    """Slices follow each other until nothing old is left; then ten minutes pass."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Archive(runtime)
        await it.store.open(now_ms=runtime.now_ms())
        await it.receive(runtime, 20, 400)
        await it.receive(runtime, 1_100, 31)
        await it.receive(runtime, 5, 31, route=False)
        await it.receive(runtime, 3, 0.5)
        it.retention.start()
        await runtime.sleep(59)
        assert it.held == (1_128, 1_128)
        await runtime.sleep(5)
        assert it.held == (1_108, 8)
        assert it.retention.facts() == {"removed": 1_120, "clock_ahead": False}
        it.retention.stop()

    simulate(run)


def test_nothing_goes_by_a_clock_that_is_ahead() -> None:
    """More than a day after the newest message nothing is removed; it goes on a day later, when messages come again."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Archive(runtime)
        await it.store.open(now_ms=runtime.now_ms())
        await it.receive(runtime, 10, 31)
        await it.receive(runtime, 1, 1.5)
        it.retention.start()
        await runtime.sleep(700)
        assert it.held == (11, 11)
        assert it.retention.clock_ahead
        await it.receive(runtime, 1, 0.5)
        await runtime.sleep(600)
        assert it.held == (12, 12), "it may be stamped by the same wrong clock"
        await runtime.sleep(DAY_SECONDS)
        await it.receive(runtime, 1, -1.0)
        await runtime.sleep(600)
        assert it.held == (13, 3)
        it.retention.stop()

    simulate(run)


def test_nothing_goes_by_a_clock_that_jumped() -> None:
    """Messages that come after the jump look new; it is told at its start and its end, and then goes on."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Archive(runtime)
        await it.store.open(now_ms=runtime.now_ms())
        await it.receive(runtime, 10, 25)
        await it.receive(runtime, 1, 0)
        it.retention.start()
        await runtime.sleep(100)
        right = runtime.now_ms
        runtime.now_ms = lambda: right() + 400 * DAY_MS  # type: ignore[method-assign]
        await it.receive(runtime, 1, -400)
        await runtime.sleep(3_600)
        assert (it.held, it.retention.clock_ahead, it.told) == ((12, 12), True, ["E-CLOCK-AHEAD"])
        runtime.now_ms = right  # type: ignore[method-assign]
        await runtime.sleep(600)
        assert (it.held, it.retention.clock_ahead) == ((12, 12), False)
        assert it.told == ["E-CLOCK-AHEAD", "E-CLOCK-BACK"]
        it.retention.stop()

    simulate(run)


def test_it_waits_while_the_store_is_loaded_and_ends_when_stopped() -> None:
    """Reception comes first; after `stop` no slice is submitted."""

    async def run(runtime: SimulatedRuntime) -> None:
        it = Archive(runtime)
        await it.store.open(now_ms=runtime.now_ms())
        await it.receive(runtime, 10, 31)
        await it.receive(runtime, 1, 0)
        it.store.load = 0.9
        it.retention.start()
        await runtime.sleep(300)
        assert it.held == (11, 11)
        it.store.load = 0.0
        it.retention.stop()
        await runtime.sleep(1_000)
        assert it.held == (11, 11)

    simulate(run)


def test_a_store_that_fails_is_tried_again_later() -> None:
    """A refused slice ends the round; the next one is ten minutes later."""
    failing = True

    def fault(_name: str) -> None:
        if failing:
            raise OSError("disk I/O error")

    async def run(runtime: SimulatedRuntime) -> None:
        nonlocal failing
        failing = False
        it = Archive(runtime)
        it.store = MemoryStore(fault=fault)
        it.retention = it.made(runtime)
        await it.store.open(now_ms=runtime.now_ms())
        await it.receive(runtime, 2, 31)
        await it.receive(runtime, 1, 0)
        failing = True
        it.retention.start()
        await runtime.sleep(100)
        failing = False
        assert it.held == (3, 3)
        await runtime.sleep(600)
        assert it.held == (3, 1)
        it.retention.stop()

    simulate(run)
