"""What operators read: a word, and a sentence that says why."""

from __future__ import annotations

from engine.core.messages import Delivery
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
        assert why.startswith("dpi can't be reached for 3.0 h (connection refused); attempt ")
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
