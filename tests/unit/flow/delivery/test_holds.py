"""Holds keep the place of what they meet."""

from __future__ import annotations

import pytest

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery
from engine.routes.configuration import DeadLetter
from tests.support.delivery_bench import HOUR, RESULT, Bench, refuse_only, scenario
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


def counted(bench: Bench) -> list[int]:
    """Return what grows with each read of a lane; too many end the test, since simulated time would stand still."""
    read, reads = bench.store.queue_of, list[int]()

    async def queue_of(destination: str, key: int, since: int, limit: int) -> list[Delivery]:
        reads.append(key)
        assert len(reads) < 1_000, "a lane is read again and again"
        return await read(destination, key, since, limit)

    bench.store.queue_of = queue_of  # type: ignore[method-assign]
    return reads


@pytest.mark.parametrize(("kind", "name"), [("route", "shared"), ("source", "lis"), ("lane", "2")])
@pytest.mark.parametrize("first", ["hold", "fault"])
def test_a_held_result_passes_no_parked_head(kind: str, name: str, first: str) -> None:
    """Results pass an administrative fault, but no hold of an operator: that is looked at again when it ends."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", results_wait=300))
        await bench.start()
        if first == "hold":
            await bench.act("hold", kind=kind, name=name, until_ms=0)
        bad = bench.add(1)
        refuse_only(bench, bad)
        await runtime.sleep(100)
        if first == "fault":
            await bench.act("hold", kind=kind, name=name, until_ms=0)
        lanes = (1, 2) if kind == "lane" else (1,)
        held = bench.add(*lanes, route="shared", source="lis", **RESULT)
        bench.add(1, route="shared", source="ris", **RESULT)
        reads = counted(bench)
        await runtime.sleep(HOUR)
        assert bench.door.taken == [], "what stands behind a held result doesn't pass it either"
        assert len(reads) < 100, "nobody looks again and again"
        await bench.act("release", kind=kind, name=name)
        await runtime.until(lambda: bench.row(held).state is DeliveryState.DELIVERED, limit=10)
        await runtime.sleep(60)
        assert len(bench.door.taken) == 2
        await bench.stop()

    scenario(run)
