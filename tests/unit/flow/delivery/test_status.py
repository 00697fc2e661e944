"""What operators read: a word, and a sentence that says why."""

from __future__ import annotations

from engine.core.messages import Delivery
from engine.routes.configuration import DeadLetter
from tests.support.delivery_bench import HOUR, Bench, many, scenario
from tests.support.fake_door import NOT_SENT, accepted, answer
from tests.support.runtime import SimulatedRuntime


def test_a_hanging_receiver_in_words() -> None:
    """`dpi accepts connections but has not acknowledged for …; attempt … at …; contact …`."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, contact={"phone": "4242"})
        await bench.start()
        bench.door.receiver = lambda delivery: None
        bench.add_many(many(20, 10))
        await runtime.sleep(600)
        facts = bench.stage.facts()["dpi"]
        assert facts["state"] == "down"
        assert facts["circuit"] == "hangs"
        assert facts["why"].startswith("dpi accepts connections but has not acknowledged for ")
        assert " min; a" in facts["why"]
        assert facts["why"].endswith("; contact 4242")
        assert facts["last_failure"]["code"] == "E-NO-ANSWER"
        assert facts["next_probe_ms"] >= runtime.now_ms()
        assert facts["oldest"] == "1-0"
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)


def test_an_unreachable_receiver_in_words() -> None:
    """With the reason that the door gave."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: NOT_SENT
        bench.add(1)
        await runtime.sleep(3 * HOUR)
        why = bench.stage.facts()["dpi"]["why"]
        assert why.startswith("dpi can't be reached for 2 h 59 (connection refused); attempt ")
        await bench.stop()

    scenario(run)


def test_one_that_is_tried_again_in_words() -> None:
    """How many, why, and when the next."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()

        def receiver(delivery: Delivery) -> object:
            return answer(delivery.control_id, "AR") if delivery.lanes == (1,) else accepted(delivery)

        bench.door.receiver = receiver  # type: ignore[assignment]
        bench.add(1)
        bench.add(2)
        await runtime.sleep(5)
        facts = bench.stage.facts()["dpi"]
        assert facts["state"] == "retrying"
        assert facts["retrying"] == 1
        assert facts["why"].startswith("dpi: 1 delivery is tried again (the receiver answered AR")
        assert "; the next at " in facts["why"]
        assert facts["last_accepted_ms"]
        await bench.stop()

    scenario(run)


def test_what_is_at_the_door_is_named() -> None:
    """How many answers are awaited, and of which deliveries, as people write them: 50 at most."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, capacity=60)
        await bench.start()
        bench.door.latency = 10.0
        bench.add_many(many(80, 80))
        await runtime.sleep(5)
        facts = bench.stage.facts()["dpi"]
        assert facts["at_door"] == facts["in_flight"] == 60
        assert facts["under_way"] == [f"{n}-0" for n in range(1, 51)]
        await runtime.until(bench.all_delivered)
        facts = bench.stage.facts()["dpi"]
        assert (facts["at_door"], facts["under_way"]) == (0, [])
        await bench.stop()

    scenario(run)


def test_a_release_with_nothing_waiting_is_no_trial() -> None:
    """The destination is well; with something to send it is on trial until one is accepted."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        await bench.act("hold", kind="destination", name="dpi", until_ms=0)
        await bench.act("release", kind="destination", name="dpi")
        facts = bench.stage.facts()["dpi"]
        assert (facts["state"], facts["circuit"], facts["circuit_since_s"]) == ("ok", "closed", 0)
        bench.door.latency = 10.0
        bench.add_many(many(5, 5))
        await runtime.sleep(1)
        assert bench.stage.facts()["dpi"]["state"] == "trial"
        await runtime.until(bench.all_delivered)
        assert bench.stage.facts()["dpi"]["state"] == "ok"
        await bench.stop()

    scenario(run)


def test_the_due_time_of_a_dead_delivery_that_is_parked_is_that_of_results() -> None:
    """Nothing of it is called a next attempt."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", results_wait=600))
        await bench.start()
        bad = bench.add(1)
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AE", error="204")
        await runtime.sleep(10)
        assert bench.row(bad).due_ms > runtime.now_ms()
        facts = bench.stage.facts()["dpi"]
        assert (facts["state"], facts["parked"], facts["retrying"], facts["next_probe_ms"]) == ("parked", 1, 0, 0)
        assert bench.queue.next_due is None
        await bench.stop()

    scenario(run)
