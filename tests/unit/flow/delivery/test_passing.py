"""Results pass an administrative fault, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from engine.core.changes import Remake, Requeue
from engine.core.lifecycle import DeliveryState
from engine.core.messages import (
    Delivery,
    DeliveryFlag,
)
from engine.core.ports import SendOutcome, Urgency
from engine.routes.configuration import (
    DeadLetter,
)
from tests.support.delivery_bench import HOUR, RESULT, Bench, refuse_only, scenario
from tests.support.fake_door import accepted, answer
from tests.support.runtime import SimulatedRuntime

IDENTITY = {"flags": int(DeliveryFlag.IDENTITY_EVENT), "type": "ADT^A40"}


def test_results_pass_an_administrative_fault_after_results_wait() -> None:
    """They wait five minutes, leave in their order, marked; administrative messages and identity events wait."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", results_wait=300))
        await bench.start()
        bad = bench.add(1)
        refuse_only(bench, bad)
        first, movement, second = bench.add(1, **RESULT), bench.add(1), bench.add(1, 7, **RESULT)
        merge, late = bench.add(1, 2, **IDENTITY), bench.add(1, **RESULT)
        await runtime.sleep(200)
        assert bench.door.taken == []
        await runtime.until(lambda: len(bench.door.taken) == 2, limit=400)
        assert bench.door.taken == [first, second]
        await runtime.sleep(HOUR)
        assert bench.door.taken == [first, second], "nothing passes an identity event"
        assert bench.row(first).flags & DeliveryFlag.PASSED_FAULT
        bench.door.receiver = accepted
        bench.store.submit(Requeue(replace(bench.row(bad))), Urgency.NOW)
        await runtime.until(bench.all_delivered)
        assert bench.door.taken[2:] == [bad, movement, merge, late]
        await bench.stop()

    scenario(run)


def test_a_result_that_comes_later_passes_too() -> None:
    """A parked lane that results may pass is watched: what comes is sent without waiting."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", results_wait=300))
        await bench.start()
        bad = bench.add(1)
        refuse_only(bench, bad)
        await runtime.sleep(1000)
        result = bench.add(1, **RESULT)
        await runtime.until(lambda: bench.row(result).state is DeliveryState.DELIVERED, limit=5)
        await bench.stop()

    scenario(run)


def test_a_result_of_the_parted_passes_nothing() -> None:
    """It was made before its patients were parted: it leaves when another one has its place."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", results_wait=300))
        await bench.start()
        bad = bench.add(1)
        refuse_only(bench, bad)
        flags = RESULT["flags"] | DeliveryFlag.PARTED
        result, behind = bench.add(1, **RESULT | {"flags": flags}), bench.add(1, **RESULT)
        await runtime.sleep(HOUR)
        assert bench.door.taken == []
        row = bench.row(result)
        bench.store.submit(Remake(replace(row, flags=row.flags & ~DeliveryFlag.PARTED), 0), Urgency.NOW)
        await runtime.until(lambda: bench.door.taken == [result, behind], limit=700)
        await bench.stop()

    scenario(run)


def test_a_result_is_not_passed_by_a_later_result() -> None:
    """A result that waits for its next attempt, or is dead, holds those behind it."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", results_wait=10))
        await bench.start()
        bad, slow = bench.add(1), bench.add(1, **RESULT)
        tries: list[int] = []

        def receiver(delivery: Delivery) -> SendOutcome:
            tries.append(delivery.id)
            if delivery.id == bad:
                return answer(delivery.control_id, "AE", error="204")
            if delivery.id == slow and tries.count(slow) < 3:
                return answer(delivery.control_id, "AR")
            return accepted(delivery)

        bench.door.receiver = receiver
        later = bench.add(1, **RESULT)
        await runtime.until(lambda: bench.row(later).state is DeliveryState.DELIVERED, limit=HOUR)
        assert bench.door.taken == [slow, later]
        assert tries.count(slow) == 3
        await bench.stop()

    scenario(run)
