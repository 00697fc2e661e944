"""A receiver that refuses some and accepts others: the others leave, whatever an operator retries or passes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from engine.core.changes import Requeue
from engine.core.lifecycle import DeliveryState
from engine.core.ports import Urgency
from engine.routes.configuration import DeadLetter
from tests.support.delivery_bench import HOUR, Bench, scenario
from tests.support.fake_door import accepted, answer
from tests.support.runtime import SimulatedRuntime

_BAD = range(1, 1000)
"""Lanes of which the receiver refuses everything."""


async def started(runtime: SimulatedRuntime, policy: str = "pass") -> Bench:
    bench = Bench(runtime, dead_letter=DeadLetter(lane=policy))
    await bench.start()
    bench.door.receiver = lambda delivery: (
        answer(delivery.control_id, "AE", error="204") if delivery.lanes[0] in _BAD else accepted(delivery)
    )
    return bench


def good(bench: Bench, count: int, first: int = 1000) -> list[int]:
    return bench.add_many([((first + n,), {}) for n in range(count)])


async def until_all(bench: Bench, places: list[int], state: DeliveryState, limit: float) -> None:
    await bench.runtime.until(lambda: all(bench.row(place).state is state for place in places), limit=limit)


async def refused_one_by_one(bench: Bench, count: int) -> list[int]:
    """Dead letters of as many lanes, each while others are accepted."""
    bad = []
    for n in range(count):
        bad.append(bench.add(1 + n))
        good(bench, 1)
        await bench.runtime.sleep(0.1)
    await until_all(bench, bad, DeliveryState.DEAD, 10)
    return bad


def told(bench: Bench) -> list[str]:
    return [code for code, _ in bench.alerts if code != "dead"]


@pytest.mark.parametrize("policy", ["pass", "park"])
@pytest.mark.parametrize("restarted", [False, True])
def test_ten_that_are_retried_and_refused_again_stop_nobody(policy: str, restarted: bool) -> None:
    """They are dead again at once, each time, and what comes meanwhile leaves."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = await started(runtime, policy)
        bad = await refused_one_by_one(bench, 10)
        if restarted:
            bench.queue.restart()
        for _ in range(3):
            for place in bad:
                bench.store.submit(Requeue(replace(bench.row(place), due_ms=0)), Urgency.NOW)
            await runtime.sleep(0.1)
            assert not bench.queue.circuit.is_open
            await until_all(bench, good(bench, 400), DeliveryState.DELIVERED, 5)
            await until_all(bench, bad, DeliveryState.DEAD, 5)
        assert told(bench) == []
        await bench.stop()

    scenario(run)


def test_what_stood_behind_four_hundred_that_are_passed_stops_nobody() -> None:
    """What waited behind each is refused too, and is dead; the others leave."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = await started(runtime, "park")
        bad = await refused_one_by_one(bench, 400)
        behind = bench.add_many([((1 + n,), {}) for n in range(400)])
        await runtime.sleep(1)
        for place in bad:
            await bench.act("pass", delivery=place)
        await until_all(bench, good(bench, 400), DeliveryState.DELIVERED, 10)
        await until_all(bench, behind, DeliveryState.DEAD, 10)
        assert told(bench) == []
        await bench.stop()

    scenario(run)


def test_many_that_are_new_and_bad_stop_nobody() -> None:
    """One bad batch, nothing known of its patients: others are tried at once, and accepted."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = await started(runtime)
        bad = bench.add_many([((1 + n,), {}) for n in range(300)])
        await until_all(bench, good(bench, 300), DeliveryState.DELIVERED, 20)
        await until_all(bench, bad, DeliveryState.DEAD, 20)
        assert told(bench) == []
        assert len(bench.door.sent) == 600, "each once"
        await bench.stop()

    scenario(run)


def test_what_comes_in_a_storm_is_tried_before_what_was_refused() -> None:
    """Ten alone, all refused: a storm; hours later another patient's message leaves within a minute, and ends it."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = await started(runtime)
        bad = bench.add_many([((1 + n,), {}) for n in range(10)])
        await runtime.sleep(5 * HOUR)
        assert told(bench) == ["outage"]
        await until_all(bench, good(bench, 400), DeliveryState.DELIVERED, 60)
        await until_all(bench, bad, DeliveryState.DEAD, 60)
        assert told(bench) == ["outage", "recovered"]
        await bench.stop()

    scenario(run)


def test_a_release_goes_on_with_the_next_that_was_not_tried() -> None:
    """Each word of an operator is another attempt, not the first one again; then it begins anew."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = await started(runtime)
        bad = bench.add_many([((1 + n,), {}) for n in range(10)])
        await runtime.sleep(1)
        before = len(bench.door.sent)
        for _ in range(20):
            assert (await bench.act("resume", destination="dpi"))[0]
            await runtime.sleep(0.1)
        tried = [place for _, place in bench.door.sent[before:]]
        assert len(tried) == 20
        assert set(tried) == set(bad)
        assert max(Counter(tried).values()) <= 3
        await bench.stop()

    scenario(run)


def test_the_sentence_counts_those_that_were_tried() -> None:
    """How many of how many, and which."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = await started(runtime)
        bench.add_many([((1 + n % 210,), {}) for n in range(420)])
        await runtime.sleep(10)
        facts = bench.stage.facts()["dpi"]
        assert facts["state"] == "down"
        assert facts["why"].startswith(
            "dpi refuses: 15 of 210 patients tried, all refused (1-0, 4-0, 2-0, …) for 9 s ("
        )
        await bench.stop()

    scenario(run)
