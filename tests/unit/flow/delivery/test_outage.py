"""A weekend in which the receiver is unreachable, hangs, or refuses everything: all delivered in order, none dead."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from engine.core.lifecycle import DeliveryState
from engine.core.messages import (
    Delivery,
)
from engine.core.ports import SendOutcome, SendResult
from engine.routes.configuration import (
    DeadLetter,
)
from tests.support.delivery_bench import HOUR, Bench, many, refuse_only, scenario
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
            lambda delivery: NOT_SENT,
            lambda delivery: None,
            lambda delivery: answer(delivery.control_id, "AE"),
            lambda delivery: answer(delivery.control_id, "AR"),
            lambda delivery: NO_ANSWER,
            lambda delivery: answer(delivery.control_id, "AE", error="204"),
            lambda delivery: answer("x"),
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
        assert begun <= 17
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


TROUBLES = [
    pytest.param(lambda delivery: NOT_SENT, id="unreachable"),
    pytest.param(lambda delivery: None, id="hangs"),
    pytest.param(lambda delivery: answer(delivery.control_id, "AE", error="204"), id="refuses"),
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_operators_who_try_in_an_outage_neither_end_it_nor_make_it_younger(
    trouble: Callable[[Delivery], SendOutcome | None],
) -> None:
    """Resumes, holds and releases are attempts: one alert at the start, one at the acceptance, the age goes on."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = trouble
        began = runtime.monotonic()
        bench.add_many(many(60, 30))
        await runtime.sleep(HOUR)
        for _ in range(4):
            assert (await bench.act("resume", destination="dpi"))[0]
            assert bench.stage.facts()["dpi"]["state"] == "down"
            await runtime.sleep(45)
            await bench.act("hold", kind="destination", name="dpi", until_ms=0)
            await runtime.sleep(300)
            tried = len(bench.door.sent)
            await bench.act("release", kind="destination", name="dpi")
            await runtime.sleep(0.1)
            assert len(bench.door.sent) == tried + 1, "one attempt, at once"
            await runtime.sleep(100)
            facts = bench.stage.facts()["dpi"]
            assert facts["state"] == "down"
            assert abs(facts["circuit_since_s"] - (runtime.monotonic() - began)) < 60
            assert [code for code, _ in bench.alerts] == ["outage"]
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered, limit=1200)
        assert [code for code, _ in bench.alerts] == ["outage", "recovered"]
        assert bench.stage.facts()["dpi"]["circuit_since_s"] == 0
        await bench.stop()

    scenario(run)


def test_a_negative_answer_after_an_outage_is_no_recovery() -> None:
    """A receiver that hung and now refuses is in the same outage, under the word `probing`, until it accepts."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: None
        bench.add_many(many(4, 4))
        await runtime.sleep(HOUR)
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AR")
        await runtime.until(lambda: not bench.queue.circuit.is_open, limit=HOUR)
        facts = bench.stage.facts()["dpi"]
        assert (facts["state"], facts["circuit"]) == ("probing", "probing")
        assert facts["why"].startswith("dpi has accepted nothing for 1 h 09 (")
        assert [code for code, _ in bench.alerts] == ["outage"]
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered, limit=HOUR)
        assert [code for code, _ in bench.alerts] == ["outage", "recovered"]
        assert bench.stage.facts()["dpi"]["state"] == "ok"
        await bench.stop()

    scenario(run)


@pytest.mark.parametrize("after_hold", [False, True])
@pytest.mark.parametrize("policy", ["pass", "park"])
def test_what_a_storm_kills_and_gives_back_is_not_told_dead(policy: str, after_hold: bool) -> None:
    """One alert for the storm, none for the letters that died until it was recognised."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane=policy))
        await bench.start()
        if after_hold:
            await bench.act("hold", kind="destination", name="dpi", until_ms=0)
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AE", error="204")
        bench.add_many(many(60, 30))
        await runtime.sleep(1)
        if after_hold:
            await bench.act("release", kind="destination", name="dpi")
        await runtime.sleep(HOUR)
        assert [code for code, _ in bench.alerts] == ["outage"]
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered, limit=1200)
        assert [code for code, _ in bench.alerts] == ["outage", "recovered"]
        await bench.stop()

    scenario(run)


def refuses_the_first(bench: Bench, bad: int) -> None:
    bench.door.receiver = lambda delivery: (
        answer(delivery.control_id, "AE", error="204") if delivery.id == bad else accepted(delivery)
    )


@pytest.mark.parametrize("end", ["time", "success", "stop", "restart"])
def test_a_death_is_told_when_it_is_sure(end: str) -> None:
    """At the next acceptance, after some seconds, or when the engine stops: once."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bad = bench.add(1)
        refuses_the_first(bench, bad)
        await runtime.until(lambda: bench.row(bad).state is DeliveryState.DEAD)
        await runtime.sleep(1)
        assert not bench.alerts
        if end == "time":
            await runtime.sleep(5)
        elif end == "success":
            bench.add(2)
            await runtime.sleep(1)
        elif end == "restart":
            bench.queue.restart()
        else:
            await bench.stage.stop()
        assert [code for code, _ in bench.alerts] == ["dead"]
        assert bench.alerts[0][1].startswith("dpi: delivery 1-0 is dead: AE 204, ")
        if end != "stop":
            await runtime.sleep(60)
            await bench.stage.stop()
        assert len(bench.alerts) == 1
        await bench.store.close()

    scenario(run)


def test_an_outage_that_ended_before_anything_failed_is_told_ended() -> None:
    """Else the next alert would have the begin of an outage of the run before; the end is told once."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start({("outage", "dpi"): runtime.now_ms() - 60_000})
        bench.add(2)
        await runtime.until(bench.all_delivered)
        assert bench.alerts == [("recovered", "dpi accepts again")]
        await bench.stop()

    scenario(run)


def test_an_outage_goes_on_over_a_restart() -> None:
    """Its age is that of the run before; an acceptance ends it, and the next one begins anew."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.add(1)
        await runtime.until(bench.all_delivered)
        bench.door.receiver = lambda _: NOT_SENT
        bench.add(1)
        await runtime.sleep(6 * HOUR)
        moments = bench.stage.moments()
        await bench.stop()
        again = Bench(runtime, disk=bench.store.disk)
        again.door.receiver = lambda _: NOT_SENT
        await again.start(moments)
        assert again.stage.facts()["dpi"]["last_accepted_ms"] == moments["accepted", "dpi"] > 0
        await runtime.sleep(60)
        facts = again.stage.facts()["dpi"]
        assert "can't be reached for 6 h 00" in facts["why"]
        assert abs(again.stage.moments()["outage", "dpi"] - moments["outage", "dpi"]) < 10
        again.door.receiver = accepted
        await runtime.until(lambda: again.stage.moments()["outage", "dpi"] == 0, limit=600)
        again.door.receiver = lambda _: NOT_SENT
        again.add(1)
        await runtime.sleep(120)
        assert "for 1 min" in again.stage.facts()["dpi"]["why"]
        await again.stop()

    scenario(run)


def test_the_first_probe_leaves_after_the_first_delay() -> None:
    """What was under way when the storm was recognised is refused too, and lengthens nothing."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, capacity=16)
        await bench.start()
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AE", error="204")
        bench.add_many(many(100, 50))
        await runtime.until(lambda: bench.queue.circuit.is_open)
        await runtime.sleep(1)
        first = len(bench.door.sent)
        assert first > 10, "some were under way"
        await runtime.until(lambda: len(bench.door.sent) > first)
        assert bench.door.sent[first][0] - bench.door.sent[first - 1][0] < 40
        await bench.stop()

    scenario(run)


def test_another_trouble_in_an_outage_is_told_and_named_with_the_age_of_the_outage() -> None:
    """Killed, then hanging, then refusing: each is told once, and none is said to last as long as all of it."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda _: NOT_SENT
        bench.add_many(many(40, 20))
        await runtime.sleep(100)
        assert bench.stage.facts()["dpi"]["why"].startswith("dpi can't be reached for 1 min (")
        bench.door.receiver = lambda _: None
        await runtime.sleep(600)
        why = bench.stage.facts()["dpi"]["why"]
        assert why.startswith("dpi is down for 11 min; now it accepts connections but has not acknowledged; a")
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AE", error="204")
        await runtime.sleep(1200)
        why = bench.stage.facts()["dpi"]["why"]
        assert why.startswith("dpi is down for 31 min; now it refuses: ")
        assert " patients tried, all refused (" in why
        told = [sentence.split(":")[1] for code, sentence in bench.alerts]
        assert told == [
            " the receiver can't be reached",
            " the receiver now takes messages and doesn't answer",
            " the receiver now refuses all that is tried; one message at a time is tried",
        ]
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered)
        assert [code for code, _ in bench.alerts] == ["outage", "outage", "outage", "recovered"]
        await bench.stop()

    scenario(run)


def test_a_refused_message_is_no_beginning_of_an_outage() -> None:
    """One that is parked since midnight doesn't make an outage of two o'clock hours old."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park"))
        await bench.start()
        refuse_only(bench, bench.add(1))
        await runtime.sleep(2 * HOUR)
        bench.door.receiver = lambda _: NOT_SENT
        bench.add(2)
        await runtime.sleep(90)
        assert "can't be reached for 1 min" in bench.stage.facts()["dpi"]["why"]
        await bench.stop()

    scenario(run)
