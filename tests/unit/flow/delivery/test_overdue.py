"""What is at the door and isn't answered: told, and left there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.core.messages import Delivery, show_delivery_id
from engine.core.ports import SendOutcome
from engine.flow.delivery.deadlines import Moment
from engine.flow.delivery.overdue import SILENT_SECONDS
from tests.support.delivery_bench import HOUR, Bench, many, scenario
from tests.support.fake_door import NOT_SENT, accepted
from tests.support.runtime import SimulatedRuntime


def bench_of_a_folder(runtime: SimulatedRuntime, **changes: Any) -> Bench:
    bench = Bench(runtime, **changes)
    bench.destination = replace(bench.destination, type="directory")
    return bench


def slow(bench: Bench, chosen: Callable[[Delivery], bool], seconds: float) -> None:
    """Some deliveries are answered late, the others at once."""

    def receiver(delivery: Delivery) -> SendOutcome:
        bench.door.latency = seconds if chosen(delivery) else 0.005
        return accepted(delivery)

    bench.door.receiver = receiver


def test_a_folder_that_hangs_is_an_outage_and_no_send_ends() -> None:
    """Told once, down, with the reason; when it answers all arrives once, and that is told."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = bench_of_a_folder(runtime)
        await bench.start()
        first = runtime.monotonic()
        slow(bench, lambda _: runtime.monotonic() - first < 1, HOUR)
        bench.add_many(many(20, 10))
        await runtime.sleep(SILENT_SECONDS - 1)
        assert (bench.alerts, bench.stage.facts()["dpi"]["state"]) == ([], "ok")
        await runtime.sleep(600)
        assert bench.alerts == [
            ("outage", "dpi: the receiver has not answered for 30 s; what it was given may still arrive")
        ]
        facts = bench.stage.facts()["dpi"]
        assert (facts["state"], facts["circuit"], facts["at_door"]) == ("down", "hangs", 4)
        assert facts["why"] == "dpi has not answered for 10 min; what it was given may still arrive"
        assert bench.stage.moments()["outage", "dpi"]
        await runtime.until(bench.all_delivered)
        assert [code for code, _ in bench.alerts] == ["outage", "recovered"]
        assert sorted(bench.door.taken) == bench.ids
        facts = bench.stage.facts()["dpi"]
        assert (facts["state"], facts["why"]) == ("ok", "")
        await bench.stop()

    scenario(run)


def test_one_that_hangs_alone_is_told_as_that() -> None:
    """Others are accepted: no outage, one alert for it however long it takes."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = bench_of_a_folder(runtime)
        await bench.start()
        slow(bench, lambda delivery: delivery.id == bench.ids[0], HOUR)
        bench.add_many(many(20, 10))
        await runtime.sleep(HOUR / 2)
        (alert,) = bench.alerts
        assert alert[0] == "stuck"
        assert f"delivery {show_delivery_id(bench.ids[0])} has had no answer for 1 min, while others" in alert[1]
        assert bench.stage.facts()["dpi"]["state"] == "ok"
        await runtime.until(bench.all_delivered)
        bench.check_order()
        assert len(bench.alerts) == 1
        await bench.stop()

    scenario(run)


def test_an_outage_of_one_that_hangs_ends_with_the_next_acceptance() -> None:
    """In a quiet hour it is an outage; then another is accepted, and it is the one that hangs alone."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = bench_of_a_folder(runtime)
        await bench.start()
        slow(bench, lambda delivery: delivery.id == bench.ids[0], 2 * HOUR)
        bench.add(1)
        await runtime.sleep(120)
        assert bench.stage.facts()["dpi"]["state"] == "down"
        bench.add(2)
        await runtime.sleep(1)
        assert bench.stage.facts()["dpi"]["state"] == "ok"
        await runtime.sleep(HOUR)
        assert [code for code, _ in bench.alerts] == ["outage", "recovered", "stuck"]
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)


def test_all_that_hang_behind_one_that_hung_alone_are_an_outage() -> None:
    """The one that hung first says nothing about the others."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = bench_of_a_folder(runtime)
        await bench.start()
        slow(bench, lambda delivery: delivery.id != bench.ids[1], 2 * HOUR)
        bench.add_many(many(2, 2))
        await runtime.sleep(120)
        bench.add_many([((5,), {}), ((6,), {})])
        await runtime.sleep(120)
        assert [code for code, _ in bench.alerts] == ["stuck", "outage"]
        assert bench.stage.facts()["dpi"]["state"] == "down"
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)


def test_a_hang_that_ends_in_a_failure_goes_on_as_that() -> None:
    """The share comes back without the folder: the same outage, tried again, until something is accepted."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = bench_of_a_folder(runtime, capacity=1)
        await bench.start()
        bench.door.latency = 300.0
        bench.door.receiver = lambda _: NOT_SENT
        bench.add(1)
        await runtime.sleep(299)
        bench.door.latency = 0.005
        await runtime.sleep(600)
        assert [sentence for _, sentence in bench.alerts] == [
            "dpi: the receiver has not answered for 30 s; what it was given may still arrive",
            "dpi: the receiver now can't be reached: connection refused",
        ]
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered)
        assert [code for code, _ in bench.alerts] == ["outage", "outage", "recovered"]
        await bench.stop()

    scenario(run)


def test_a_door_with_deadlines_of_its_own_is_given_their_time() -> None:
    """MLLP: its `no answer within …` says more, and three of them are the outage."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, connect_timeout=100.0, ack_timeout=200.0)
        await bench.start()
        slow(bench, lambda _: True, 329.0)
        bench.add(1)
        await runtime.sleep(600)
        assert bench.alerts == []
        slow(bench, lambda _: True, 331.0)
        bench.add(1)
        await runtime.sleep(600)
        assert [code for code, _ in bench.alerts] == ["outage", "recovered"]
        await bench.stop()

    scenario(run)


def test_a_door_with_nothing_to_do_is_not_looked_at() -> None:
    """And one timer serves all that is at it."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = bench_of_a_folder(runtime)
        await bench.start()
        deadlines = bench.queue._deadlines
        bench.add_many(many(200, 100))
        await runtime.until(bench.all_delivered)
        assert deadlines.get(Moment.OVERDUE, 0) is not None
        await runtime.sleep(2 * SILENT_SECONDS)
        assert deadlines.get(Moment.OVERDUE, 0) is None
        assert bench.alerts == []
        await bench.stop()

    scenario(run)
