"""One message that alone is refused or hangs dies alone; what a send comes to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.lifecycle import DeliveryState
from engine.core.messages import (
    Delivery,
    DeliveryFlag,
)
from engine.core.ports import SendOutcome, SendResult
from engine.routes.configuration import (
    AnswerRule,
    DeadLetter,
)
from tests.support.delivery_bench import HOUR, Bench, scenario
from tests.support.fake_door import NO_ANSWER, accepted, answer
from tests.support.runtime import SimulatedRuntime


@pytest.mark.parametrize("policy", ["pass", "park"])
@pytest.mark.parametrize(
    ("refusal", "code", "attempts"),
    [
        pytest.param(lambda delivery: answer(delivery.control_id, "AE", error="103"), "AE 103", 1, id="refused"),
        pytest.param(lambda delivery: answer(delivery.control_id, "AE"), "AE", 2, id="AE alone"),
        pytest.param(lambda delivery: None, "E-POISON", 10, id="hangs"),
        pytest.param(lambda delivery: answer(delivery.control_id, "AE", error="206"), "E-POISON", 10, id="locked"),
        pytest.param(lambda delivery: answer("other"), "E-POISON", 10, id="wrong MSA-2"),
    ],
)
def test_one_message_that_alone_fails_dies_alone(
    refusal: Callable[[Delivery], SendOutcome | None], code: str, attempts: int, policy: str
) -> None:
    """It is dead after its attempts, everything else is delivered; its lane does as the policy says."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane=policy))
        await bench.start()
        bad = bench.add(1)
        behind = bench.add(1)
        bench.door.receiver = lambda delivery: refusal(delivery) if delivery.id == bad else accepted(delivery)
        for n in range(2000):
            bench.add(2 + n % 20)
            await runtime.sleep(20)
            if bench.row(bad).state is DeliveryState.DEAD:
                break
        await runtime.sleep(5)
        row = bench.row(bad)
        assert (row.state, row.code, row.attempts) == (DeliveryState.DEAD, code, attempts)
        assert row.reason
        assert row.queued == (policy == "park")
        assert bench.row(behind).state is (DeliveryState.PENDING if policy == "park" else DeliveryState.DELIVERED)
        others = [one for one in bench.ids if one not in (bad, behind)]
        assert all(bench.row(one).state is DeliveryState.DELIVERED for one in others)
        assert [what for what, _ in bench.alerts if what == "dead"] == ["dead"]
        assert bench.queue.circuit.trouble.name == "NONE"
        history = [one for key, one in sorted(bench.store.disk.attempts.items()) if key[0] == bad]
        assert [one.number for one in history] == list(range(1, attempts + 1))
        await bench.stop()

    scenario(run)


def test_a_message_that_fails_with_nothing_else_to_send_is_not_given_up() -> None:
    """Without another acceptance no attempt is spent; an operator is told after ten."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, capacity=1)
        await bench.start()
        bench.door.receiver = lambda delivery: answer(delivery.control_id, "AE")
        bad = bench.add(1)
        await runtime.sleep(24 * HOUR)
        assert bench.row(bad).state is DeliveryState.PENDING
        assert bench.row(bad).attempts > 10
        assert [code for code, _ in bench.alerts] == ["stuck"]
        bench.door.receiver = accepted
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)


def test_a_lost_answer_is_sent_again_and_marked() -> None:
    """The receiver may have it twice: the delivery says so, at the receiver's side and on disk."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        lost: list[int] = []

        def receiver(delivery: Delivery) -> SendOutcome | None:
            if delivery.id not in lost:
                lost.append(delivery.id)
                return NO_ANSWER
            return accepted(delivery)

        bench.door.receiver = receiver
        one = bench.add(1)
        await runtime.until(bench.all_delivered)
        assert bench.row(one).flags & DeliveryFlag.POSSIBLE_DUPLICATE
        assert bench.door.flags[one] & DeliveryFlag.POSSIBLE_DUPLICATE
        assert bench.row(one).attempts == 2
        assert bench.door.sent[1][0] - bench.door.sent[0][0] >= 20
        await bench.stop()

    scenario(run)


def test_the_destinations_own_rules_come_first() -> None:
    """`answers:` may make an AE with a text busy, and never dead."""

    async def run(runtime: SimulatedRuntime) -> None:
        rule = AnswerRule(codes=frozenset(), text=lambda text: "used by" in text, judged="busy")
        bench = Bench(runtime, answers=(rule,))
        await bench.start()
        tries: list[int] = []

        def receiver(delivery: Delivery) -> SendOutcome:
            tries.append(delivery.id)
            locked = tries.count(delivery.id) < 4 and delivery.lanes == (1,)
            return answer(delivery.control_id, "AE", text="file used by X") if locked else accepted(delivery)

        bench.door.receiver = receiver
        bench.add(1)
        for n in range(100):
            bench.add(2 + n % 3)
            await runtime.sleep(10)
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)


def test_a_door_that_knows_itself_needs_no_answer() -> None:
    """ACCEPTED (file renamed, PUBACK) is a delivery; nothing is parsed."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime)
        await bench.start()
        bench.door.receiver = lambda delivery: SendOutcome(SendResult.ACCEPTED)
        bench.add(1, control_id="")
        await runtime.until(bench.all_delivered)
        await bench.stop()

    scenario(run)
