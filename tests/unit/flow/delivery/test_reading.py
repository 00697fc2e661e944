"""Reads of the store: bounded, one at a time, and again when they fail."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.core.messages import Delivery
from engine.core.ports import Page
from engine.errors import StoreUnavailable
from engine.store.memory import MemoryStore
from tests.support.delivery_bench import Bench, many, scenario
from tests.support.runtime import SimulatedRuntime


class Trying(MemoryStore):
    """Every third read fails; at most two messages' bytes fit into an answer."""

    reads = 0

    def _read(self) -> None:
        self.reads += 1
        if self.reads % 3 == 0:
            raise StoreUnavailable("the disk is busy")

    async def queue(self, destination: str, after: int, limit: int) -> Page[Delivery]:
        self._read()
        return await super().queue(destination, after, limit)

    async def queue_of(self, destination: str, lane: int, since: int, limit: int) -> list[Delivery]:
        self._read()
        return await super().queue_of(destination, lane, since, limit)

    async def payloads(self, ids: Collection[int], max_bytes: int) -> Mapping[int, bytes]:
        self._read()
        return await super().payloads(sorted(ids)[:2], max_bytes)


def test_reads_that_fail_are_tried_again_and_bytes_come_in_parts() -> None:
    """Everything is delivered, in order, whatever reads do."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        bench.store = Trying()
        await bench.store.open(now_ms=runtime.now_ms())
        bench.add_many([(lanes, {"rendered": None}) for lanes, _ in many(100, 3)])
        bench.store.commit()
        await bench.store.close()
        again = Bench(runtime)
        again.store = Trying(bench.store.disk)
        again.ids = bench.ids
        await again.start()
        await runtime.until(again.all_delivered, limit=600)
        again.check_order()
        await again.stop()

    scenario(run)


def test_a_delivery_whose_bytes_are_gone_holds_nobody() -> None:
    """A row that no longer exists leaves its lane."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.queue.budget.limit = 0
        bench.door.capacity = 0
        first, second = bench.add(1), bench.add(1)
        await runtime.sleep(1)
        disk = bench.store.disk
        row = disk.deliveries.pop(first)
        disk.queued["dpi"].remove(first)
        bench.door.capacity = 1
        bench.queue.resume()
        await runtime.until(lambda: bench.row(second).state.name == "DELIVERED", limit=60)
        assert bench.door.taken == [second]
        disk.deliveries[first] = row
        await bench.stop()

    scenario(run)
