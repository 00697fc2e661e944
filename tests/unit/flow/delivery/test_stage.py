"""The life of the stage."""

from __future__ import annotations

from tests.support.delivery_bench import HOUR, Bench, many, scenario
from tests.support.fake_door import NOT_SENT, accepted
from tests.support.runtime import SimulatedRuntime


def test_stopping_waits_for_what_is_under_way() -> None:
    """A clean stop leaves nothing in flight: the next start marks nothing."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.latency = 2.0
        bench.add_many(many(20, 10))
        await runtime.sleep(1)
        await bench.stop()
        assert bench.door.under_way == 0
        again = Bench(runtime, disk=bench.store.disk)
        again.ids = bench.ids
        await again.start()
        await runtime.until(again.all_delivered)
        assert not any(again.row(one).flags for one in again.ids)
        assert len(bench.door.taken) + len(again.door.taken) == 20
        await again.stop()

    scenario(run)


def test_an_outage_goes_on_under_another_declaration() -> None:
    """The address is corrected: whoever was told of the outage hears of its end, and its age isn't lost."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        stage = await bench.start()
        bench.door.receiver = lambda _: NOT_SENT
        bench.add_many(many(5, 5))
        await runtime.sleep(HOUR)
        since = stage.moments()["outage", "dpi"]
        bench.queue.stop()
        await runtime.until(lambda: not bench.queue.under_way)
        stage.put(bench.destination, bench.door)
        await runtime.sleep(HOUR)
        assert abs(stage.moments()["outage", "dpi"] - since) < 1_000, "since when it accepts nothing"
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered, limit=1_200)
        assert bench.alerts[-1] == ("recovered", "dpi accepts again")
        await bench.stop()

    scenario(run)


def test_the_outage_of_a_destination_that_goes_ends() -> None:
    """Nobody hears of it any more: its alert mustn't stay open."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        stage = await bench.start()
        bench.door.receiver = lambda _: NOT_SENT
        bench.add(1)
        await runtime.sleep(HOUR)
        assert [code for code, _ in bench.alerts] == ["outage"]
        bench.queue.stop()
        await runtime.until(lambda: not bench.queue.under_way)
        stage.remove("dpi")
        assert bench.alerts[-1] == ("recovered", "dpi is no destination any more")
        await bench.stop()

    scenario(run)
