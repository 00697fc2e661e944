"""A weekend in which the receiver is unreachable, hangs, or refuses everything: all delivered in order, none dead."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from engine.core.messages import (
    Delivery,
)
from engine.core.ports import SendOutcome, SendResult
from engine.routes.configuration import (
    DeadLetter,
)
from tests.support.delivery_bench import HOUR, Bench, many, scenario
from tests.support.fake_door import NO_ANSWER, NOT_SENT, accepted, answer
from tests.support.runtime import SimulatedRuntime


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(lambda delivery: NOT_SENT, id="unreachable"),
        pytest.param(lambda delivery: None, id="hangs"),
        pytest.param(lambda delivery: answer(delivery.control_id, "AE"), id="AE to everything"),
        pytest.param(lambda delivery: answer(delivery.control_id, "AR"), id="AR to everything"),
        pytest.param(lambda delivery: answer(delivery.control_id, "AE", error="103"), id="AE 103 to everything"),
        pytest.param(lambda delivery: answer("other", "AA"), id="wrong MSA-2"),
        pytest.param(lambda delivery: SendOutcome(SendResult.ANSWERED, b"HTTP/1.1 400"), id="no acknowledgement"),
    ],
)
@pytest.mark.parametrize("policy", ["pass", "park"])
def test_a_weekend_of_trouble_leaves_no_dead_letter(
    trouble: Callable[[Delivery], SendOutcome | None], policy: str
) -> None:
    """All is delivered in order when the receiver is well again, nothing is dead, one alert at each end."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane=policy))
        await bench.start()
        bench.add_many(many(40, 20))
        await runtime.until(bench.all_delivered)
        bench.door.receiver = trouble
        bench.add_many(many(300, 60))
        await runtime.sleep(60 * HOUR)
        attempts = len(bench.door.sent)
        assert attempts < 40 + 5000, "probes are few"
        facts = bench.stage.facts()["dpi"]
        assert facts["state"] == "down"
        assert facts["why"].startswith("dpi ")
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered, limit=1200)
        bench.check_order()
        assert set(bench.ids) == set(bench.door.taken)
        codes = [code for code, _ in bench.alerts if code != "dead"]
        assert codes == ["outage", "recovered"]
        assert bench.stage.facts()["dpi"]["why"] == ""
        await bench.stop()

    scenario(run)


def test_trouble_of_every_kind_in_a_row() -> None:
    """One kind of trouble after the other, for days: still all delivered, in order, none dead."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park"))
        await bench.start()
        kinds: list[Callable[[Delivery], SendOutcome | None]] = [
            lambda delivery: NOT_SENT, lambda delivery: None, lambda delivery: answer(delivery.control_id, "AE"),
            lambda delivery: answer(delivery.control_id, "AR"), lambda delivery: NO_ANSWER,
            lambda delivery: answer(delivery.control_id, "AE", error="204"), lambda delivery: answer("x"),
        ]
        for kind in kinds:
            bench.door.receiver = kind
            bench.add_many(many(40, 17))
            await runtime.sleep(5 * HOUR)
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered, limit=2000)
        bench.check_order()
        await bench.stop()

    scenario(run)


def test_one_probe_at_a_time_in_an_outage() -> None:
    """While the receiver refuses everything, one message at a time is tried, and not always the same."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AE")
        bench.add_many(many(100, 50))
        await runtime.until(lambda: bench.queue.circuit.is_open)
        await runtime.sleep(1)
        begun = len(bench.door.sent)
        assert begun <= 14
        await runtime.sleep(24 * HOUR)
        probes = [one for _, one in bench.door.sent[begun:]]
        times = [at for at, _ in bench.door.sent[begun:]]
        assert len(set(probes[:30])) == 30, "the probes rotate"
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 10
        await bench.stop()

    scenario(run)


def test_a_busy_receiver_gets_its_messages_again_at_once_after_an_outage() -> None:
    """What waited for its next attempt because of the outage is due at the first success."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AR")
        bench.add_many(many(60, 30))
        await runtime.sleep(10 * HOUR)
        bench.door.receiver = accepted
        await runtime.until(lambda: bench.door.taken)
        began = runtime.monotonic()
        await runtime.until(bench.all_delivered)
        assert runtime.monotonic() - began < 10
        await bench.stop()

    scenario(run)


def test_a_receiver_that_takes_one_connection_only() -> None:
    """Connections that are refused while one works don't stop that one."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: accepted(delivery) if bench.door.under_way == 1 else NOT_SENT
        bench.add_many(many(400, 100))
        await runtime.until(bench.all_delivered, limit=60)
        assert not bench.alerts
        await bench.stop()

    scenario(run)


def test_resume_tries_at_once() -> None:
    """An operator who knows that the receiver is well again doesn't wait for the next probe."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AE")
        bench.add_many(many(60, 30))
        await runtime.sleep(10 * HOUR)
        bench.door.receiver = accepted
        began = runtime.monotonic()
        assert (await bench.act("resume", destination="dpi"))[0]
        await runtime.until(bench.all_delivered)
        assert runtime.monotonic() - began < 10
        await bench.stop()

    scenario(run)
