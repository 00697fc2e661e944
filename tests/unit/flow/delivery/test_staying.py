"""Why a delivery stays, and until when."""

from __future__ import annotations

from engine.routes.configuration import (
    Delays,
    Retry,
)
from tests.support.delivery_bench import Bench, scenario
from tests.support.fake_door import answer
from tests.support.runtime import SimulatedRuntime


def test_a_clock_that_jumps_back_makes_nobody_wait_for_hours() -> None:
    """A due time far in the future is cut to the longest delay."""

    async def run(runtime: SimulatedRuntime) -> None:
        retry = Retry(busy=Delays(first=30, longest=60))
        bench = Bench(runtime, retry=retry)
        await bench.start()
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AR")
        bench.add(1)
        await runtime.sleep(10)
        await bench.stop()
        runtime.clock_jump_ms = -86_400_000
        again = Bench(runtime, disk=bench.store.disk, retry=retry)
        again.ids = bench.ids
        await again.start()
        await runtime.until(again.all_delivered, limit=900)
        await again.stop()

    scenario(run)
