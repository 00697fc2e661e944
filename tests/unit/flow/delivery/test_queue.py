"""One destination, from commit to outcome, and from crash to delivery."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.core.changes import Identify, Receive, Requeue, Route
from engine.core.lanes import Lanes
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import (
    DELIVERIES_MAX,
    Delivery,
    DeliveryFlag,
    DeliveryKind,
    StoredMessage,
    delivery_id,
    show_delivery_id,
)
from engine.core.ports import SendOutcome, Urgency
from engine.routes.configuration import DeadLetter
from engine.store.memory import MemoryStore
from tests.support.delivery_bench import HOUR, Bench, many, scenario
from tests.support.fake_door import NO_ANSWER, NOT_SENT, accepted, answer
from tests.support.runtime import SimulatedRuntime, simulate


def test_what_is_committed_is_delivered_in_order_of_its_lanes() -> None:
    """Each delivery leaves once, lanes keep their order, all connections are used."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.add_many([((1 + n % 7, 8 + n % 3), {}) for n in range(200)])
        await runtime.until(bench.all_delivered)
        assert sorted(bench.door.taken) == bench.ids
        bench.check_order()
        assert bench.door.most_under_way > 1
        assert all(bench.row(one).attempts == 1 for one in bench.ids)
        assert not bench.store.disk.attempts, "a first plain AA leaves no row of its own"
        assert bench.stage.facts()["dpi"]["state"] == "ok"
        await bench.stop()

    scenario(run)


def test_the_next_of_a_lane_leaves_when_the_outcome_is_on_disk() -> None:
    """An acknowledgement that isn't stored yet lets nothing of its lane leave."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        bench.store = MemoryStore(automatic=False)
        start = bench.start()
        await start
        bench.add(1)
        bench.add(1)
        bench.store.commit()
        await runtime.sleep(5)
        assert len(bench.door.sent) == 1, "the first was answered, its outcome waits"
        bench.store.commit()
        await runtime.sleep(1)
        assert len(bench.door.sent) == 2

    scenario(run)


def test_no_task_is_made_for_a_message() -> None:
    """In step with the router, nothing is read and no task is made."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.add(1)
        await runtime.until(bench.all_delivered)
        before = runtime.spawned
        for n in range(300):
            bench.add(1 + n % 50)
            await runtime.sleep(0.01)
        await runtime.until(bench.all_delivered)
        assert runtime.spawned == before
        await bench.stop()

    scenario(run)


def test_fences_end_without_being_sent_and_keep_order() -> None:
    """A fence is done when it is first in all its lanes; what is behind waits for what is before."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.latency = 10.0
        first = bench.add(1)
        fence = bench.add(1, 2, kind=DeliveryKind.FENCE, rendered=None)
        second = bench.add(2)
        await runtime.sleep(5)
        assert [one for _, one in bench.door.sent] == [first]
        await runtime.until(bench.all_delivered)
        assert bench.door.taken == [first, second]
        assert bench.row(fence).state is DeliveryState.DELIVERED
        await bench.stop()

    scenario(run)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("act", [False, True])
def test_a_fence_that_the_store_kept_orders_two_references(act: bool, restart: bool) -> None:
    """
    One person, first under a local number's key, then under the patient's: a link came between.

    The messages share no lane key; the fence of the decision, or of an operator's act, shares one with each. Another
    person's messages leave meanwhile; a fence that nothing stands before isn't kept.
    """

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: None if delivery.lanes == (1,) else accepted(delivery)
        before = [bench.add(1), bench.add(1)]
        other = bench.add(3)
        fences = [Delivery(4 << 16, "dpi", "", (1, 2), DeliveryKind.FENCE) for _ in range(2)]
        fences[1].lanes = (8, 9)
        bench.places += 1
        bench.store.submit(Receive(StoredMessage("gam", "main", b"MSH|^~\\&|", runtime.now_ms())), Urgency.NOW)
        route = Route(4, "main", "gam", MessageState.RECEIVED, MessageState.FILTERED, fences=[] if act else fences)
        bench.store.submit(route, Urgency.SOON)
        link = Identify(None, fences if act else [], place=4)
        bench.store.submit(link, Urgency.SOON)
        after = [bench.add(2), bench.add(2)]
        await runtime.until(lambda: other in bench.door.taken)
        (fence,) = link.fences if act else route.fences
        assert fence.id == delivery_id(4, DELIVERIES_MAX)
        if restart:
            bench.crash()
            again = Bench(runtime, disk=bench.store.disk)
            again.ids, again.door.taken = bench.ids, bench.door.taken
            await again.start()
            again.door.receiver = bench.door.receiver
            bench = again
        await runtime.sleep(10)
        assert bench.door.taken == [other]
        assert {one for _, one in bench.door.sent} <= {before[0], other}, "nothing passes the first of its lane"
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered)
        assert bench.door.taken == [other, *before, *after]
        assert bench.row(fence.id).state is DeliveryState.DELIVERED
        await bench.stop()

    scenario(run)


def test_what_was_in_flight_when_the_engine_died_is_sent_again_marked() -> None:
    """After a crash every delivery arrives, in order; only heads that were under way arrive twice, marked."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.latency = 1.0
        bench.add_many(many(40, 8))
        await runtime.sleep(2.5)
        flying = {one for _, one in bench.door.sent} - set(bench.door.taken)
        assert len(flying) == 4
        bench.crash()
        again = Bench(runtime, disk=bench.store.disk)
        again.ids = bench.ids
        await again.start()
        await runtime.until(again.all_delivered)
        again.check_order()
        marked = {one for one in again.ids if again.row(one).flags & DeliveryFlag.POSSIBLE_DUPLICATE}
        assert marked == flying
        assert all(again.door.flags[one] & DeliveryFlag.POSSIBLE_DUPLICATE for one in flying)
        await again.stop()

    scenario(run)


def test_a_connection_refused_before_a_crash_marks_nothing() -> None:
    """Nothing left, so nothing is a possible duplicate."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: NOT_SENT
        one = bench.add(1)
        await runtime.until(lambda: bench.door.sent)
        await runtime.sleep(0.5)
        bench.crash()
        again = Bench(runtime, disk=bench.store.disk)
        again.ids = bench.ids
        await again.start()
        await runtime.until(again.all_delivered)
        assert not again.row(one).flags & DeliveryFlag.POSSIBLE_DUPLICATE
        await again.stop()

    scenario(run)


def test_a_mark_that_can_not_be_taken_back_stops_nothing() -> None:
    """What didn't leave is tried again, even when its in-flight mark can't be written."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        note, failed = bench.store.sending, 0

        def sending(delivery: int, attempt: int, slot: int) -> None:
            nonlocal failed
            if attempt == 0:
                failed += 1
                raise OSError("disk I/O error")
            note(delivery, attempt, slot)

        bench.store.sending = sending  # type: ignore[method-assign]
        bench.door.receiver = lambda delivery: NOT_SENT
        bench.add(1)
        await runtime.until(lambda: failed)
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)


@pytest.mark.parametrize("thousands", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_memory_is_bounded_whatever_waits(thousands: int) -> None:
    """However many wait, at most the window is loaded; bytes are read when a delivery's turn comes."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, capacity=32)
        await bench.start()
        bench.door.receiver = lambda delivery: NOT_SENT
        most = 0
        for n in range(thousands):
            bench.add_many([((1 + (n * 1000 + m) % 4999,), {}) for m in range(1000)])
            await runtime.sleep(30)
            lanes = bench.queue.lanes
            most = max(most, lanes.live_count + lanes.blocked_count)
        assert most <= 1000
        bench.door.receiver = accepted
        bench.door.latency = 0.0
        await runtime.until(lambda: len(bench.door.taken) >= 1000 * thousands, limit=HOUR, step=5.0)
        await runtime.until(bench.all_delivered)
        bench.check_order()
        assert bench.queue.lanes.key_count == 0
        await bench.stop()

    scenario(run)


def test_lanes_may_be_given_smaller_bounds() -> None:
    """The same walk with a tiny window, where everything is spilled and read again."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park"))
        await bench.start()
        bench.queue.new_lanes = lambda stays: Lanes(stays, window=4, lane_length=2, page=3)
        bench.queue.restart()
        bad = 5
        ids = bench.add_many([((1 + n % 9, 20 + n % 4), {}) for n in range(120)])
        bench.door.receiver = lambda delivery: (
            answer(delivery.control_id, "AR")
            if delivery.id == ids[bad] and runtime.monotonic() < 300
            else accepted(delivery)
        )
        await runtime.until(bench.all_delivered, limit=4 * HOUR)
        bench.check_order()
        await bench.stop()

    scenario(run)


def random_weekend(seed: int) -> None:
    """Random receivers, crashes, holds and commits; then a receiver that is well."""

    async def run(runtime: SimulatedRuntime) -> None:
        chance = random.Random(seed)
        bench = Bench(runtime, capacity=chance.choice([1, 4]), dead_letter=DeadLetter(lane="park", results_wait=60))
        await bench.start()
        moods: list[Callable[[Delivery], SendOutcome | None]] = [
            accepted,
            accepted,
            lambda one: NOT_SENT,
            lambda one: None,
            lambda one: NO_ANSWER,
            lambda one: answer(one.control_id, "AE"),
            lambda one: answer(one.control_id, "AR"),
            lambda one: answer(one.control_id, "AE", error="103"),
            lambda one: answer("other"),
        ]
        taken: list[int] = []
        for _ in range(chance.randint(5, 25)):
            mood, share = chance.choice(moods), chance.choice([1.0, 1.0, 0.3])
            bench.door.receiver = lambda one, mood=mood, share=share: (  # type: ignore[misc]
                mood(one) if chance.random() < share else accepted(one)
            )
            lanes = chance.choice([1, 3, 30])
            bench.add_many(
                [
                    (tuple(chance.sample(range(1, lanes + 2), chance.choice([1, 1, 2]))), {})
                    for _ in range(chance.choice([0, 3, 40]))
                ]
            )
            await runtime.sleep(chance.choice([0.01, 1.0, 60.0, 5000.0]))
            if chance.random() < 0.2:
                taken += bench.door.taken
                bench.crash()
                bench.stage.queues["dpi"].stop()
                again = Bench(runtime, disk=bench.store.disk, capacity=4, dead_letter=bench.destination.dead_letter)
                again.ids, again.alerts = bench.ids, bench.alerts
                bench = again
                await bench.start()
        bench.door.receiver = accepted
        # Those that alone were refused are dead; an operator retries them, each at its place.
        for _ in range(200):
            await runtime.sleep(1000)
            if bench.all_delivered():
                break
            for one in bench.ids:
                if bench.row(one).state is DeliveryState.DEAD:
                    bench.store.submit(Requeue(replace(bench.row(one))), Urgency.NOW)
        assert bench.all_delivered(), (seed, bench.states(), bench.stage.facts())
        taken += bench.door.taken
        first: dict[int, int] = {}
        for rank, one in enumerate(taken):
            first.setdefault(one, rank)
        for key in range(40):
            lane = [first[one] for one in bench.ids if key in bench.row(one).lanes]
            assert lane == sorted(lane), (seed, key)
        for one in bench.ids:
            if taken.count(one) > 1:
                assert bench.row(one).flags & DeliveryFlag.POSSIBLE_DUPLICATE, (seed, show_delivery_id(one))
        await bench.stop()

    simulate(run, seed=seed)


@pytest.mark.parametrize("block", range(4))
def test_weekends_of_all_kinds_end_well(block: int) -> None:
    """Whatever happens, everything arrives, in the order of its lanes; what may be there twice is marked."""
    for seed in range(block * 6, block * 6 + 6):
        random_weekend(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_hundreds_of_weekends_end_well(block: int) -> None:
    """The same, for 1,000 more."""
    for seed in range(1000 + block * 50, 1000 + block * 50 + 50):
        random_weekend(seed)
