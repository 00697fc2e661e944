"""Bytes in memory are bounded."""

from __future__ import annotations

from tests.support.delivery_bench import Bench, scenario
from tests.support.fake_door import NOT_SENT, accepted
from tests.support.runtime import SimulatedRuntime


def test_rendered_bytes_are_bounded() -> None:
    """Bytes over the budget are dropped from those that leave last, and read again."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.queue.budget.limit = 10_000
        bench.door.receiver = lambda delivery: NOT_SENT
        bench.add_many([((n,), {"rendered": b"x" * 1000}) for n in range(1, 200)])
        await runtime.sleep(10)
        kept = sum(len(one.rendered or b"") for one, _ in bench.queue.lanes.loaded())
        assert 0 < kept <= 10_000
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)
