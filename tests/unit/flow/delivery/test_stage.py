"""The life of the stage."""

from __future__ import annotations

from tests.support.delivery_bench import Bench, many, scenario
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
