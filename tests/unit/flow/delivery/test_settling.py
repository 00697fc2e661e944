"""Outcomes and a store in trouble."""

from __future__ import annotations

from dataclasses import replace

from engine.core.messages import (
    DeliveryFlag,
)
from engine.store.memory import MemoryStore
from tests.support.delivery_bench import Bench, many, scenario
from tests.support.runtime import SimulatedRuntime


def test_a_store_in_trouble_loses_no_outcome() -> None:
    """Outcomes that can't be stored wait; nothing leaves meanwhile, nothing is sent twice."""

    async def run(runtime: SimulatedRuntime) -> None:
        broken: list[bool] = []

        def fault(name: str) -> None:
            if broken and name == "settle":
                raise OSError("disk full")

        bench = Bench(runtime)
        bench.store = MemoryStore(fault=fault)
        await bench.start()
        bench.add_many(many(20, 10))
        await runtime.sleep(0.001)
        broken.append(True)
        await runtime.sleep(600)
        sent = len(bench.door.sent)
        assert sent < 20
        broken.clear()
        await runtime.until(bench.all_delivered)
        assert len(bench.door.sent) == 20
        bench.check_order()
        await bench.stop()

    scenario(run)


def test_memory_is_read_again_when_the_store_disagrees() -> None:
    """A refused outcome makes the queue begin again from the disk, and everything arrives."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.latency = 1.0
        ids = bench.add_many(many(20, 10))
        await runtime.sleep(0.5)
        stored = bench.store.disk.deliveries[ids[0]]
        bench.store.disk.deliveries[ids[0]] = replace(stored, delivery=replace(stored.delivery, attempts=5))
        await runtime.until(bench.all_delivered)
        assert "disagreement" in [code for code, _ in bench.alerts]
        assert bench.row(ids[0]).flags & DeliveryFlag.POSSIBLE_DUPLICATE
        await bench.stop()

    scenario(run)
