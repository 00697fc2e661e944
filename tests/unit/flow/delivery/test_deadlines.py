"""One timer for all moments."""

from __future__ import annotations

from engine.flow.delivery.deadlines import Deadlines, Moment
from tests.support.runtime import SimulatedRuntime, simulate


def test_moments_come_in_order_and_dropped_ones_do_not() -> None:
    """A moment that is set again counts once; a dropped one never; one timer is enough."""

    async def run(runtime: SimulatedRuntime) -> None:
        reached: list[tuple[float, Moment, int]] = []
        made = Deadlines(runtime, lambda what, one: reached.append((round(runtime.monotonic(), 3), what, one)))
        made.set(Moment.DUE, 1, 30.0)
        made.set(Moment.DUE, 2, 10.0)
        made.set(Moment.DUE, 3, 20.0)
        made.set(Moment.DUE, 1, 5.0)
        made.set(Moment.RESULTS, 1, 40.0)
        made.drop(Moment.DUE, 3)
        assert made.get(Moment.DUE, 1) == 5.0
        assert made.get(Moment.DUE, 3) is None
        assert made.earliest(Moment.DUE) == 5.0
        assert len(made) == 3
        await runtime.sleep(100)
        assert reached == [(5.0, Moment.DUE, 1), (10.0, Moment.DUE, 2), (40.0, Moment.RESULTS, 1)]
        assert made.earliest(Moment.DUE) is None

    simulate(run)


def test_a_moment_set_again_and_again_does_not_fill_the_memory() -> None:
    """Old wishes are swept."""

    async def run(runtime: SimulatedRuntime) -> None:
        made = Deadlines(runtime, lambda what, one: None)
        for n in range(20_000):
            made.set(Moment.DUE, n % 10, 1000.0 + n)
        assert len(made._heap) < 2000
        made.clear()
        assert len(made) == 0

    simulate(run)


def test_a_moment_may_set_the_next() -> None:
    """From within its own call."""

    async def run(runtime: SimulatedRuntime) -> None:
        times: list[float] = []

        def again(what: Moment, one: int) -> None:
            times.append(round(runtime.monotonic()))
            made.set(what, one, runtime.monotonic() + 10)

        made = Deadlines(runtime, again)
        made.set(Moment.RECHECK, 0, 10.0)
        await runtime.sleep(35)
        made.clear()
        assert times == [10, 20, 30]

    simulate(run)
