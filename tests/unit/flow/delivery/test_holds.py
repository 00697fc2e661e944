"""Holds keep the place of what they meet."""

from __future__ import annotations

import pytest

from engine.core.lifecycle import DeliveryState
from tests.support.delivery_bench import HOUR, Bench, scenario
from tests.support.runtime import SimulatedRuntime


@pytest.mark.parametrize(("kind", "name"), [("route", "shared"), ("source", "lis"), ("lane", "1")])
def test_holds_of_route_source_and_lane_let_the_others_go(kind: str, name: str) -> None:
    """What is held keeps its place; what shares no lane with it leaves."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        await bench.act("hold", kind=kind, name=name, until_ms=0)
        held = bench.add(1, route="shared", source="lis")
        behind = bench.add(1, 2)
        free = bench.add(3, route="shared", source="ris") if kind == "source" else bench.add(3)
        await runtime.until(lambda: bench.row(free).state is DeliveryState.DELIVERED)
        await runtime.sleep(HOUR)
        assert bench.row(held).state is DeliveryState.PENDING
        assert bench.row(behind).state is DeliveryState.PENDING
        await bench.act("release", kind=kind, name=name)
        await runtime.until(bench.all_delivered)
        assert bench.door.taken == [free, held, behind]
        await bench.stop()

    scenario(run)
