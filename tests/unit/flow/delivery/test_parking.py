"""Dead letters that hold their lane or their destination."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.changes import Requeue
from engine.core.lifecycle import DeliveryState
from engine.core.messages import (
    DeliveryFlag,
    DeliveryKind,
    show_delivery_id,
)
from engine.core.ports import Urgency
from engine.routes.configuration import (
    DeadLetter,
)
from tests.support.delivery_bench import HOUR, RESULT, Bench, refuse_only, scenario
from tests.support.fake_door import accepted
from tests.support.runtime import SimulatedRuntime


def test_block_stops_the_destination_until_an_operator_acts() -> None:
    """Nothing leaves behind a dead letter with `block`; also after a restart; discard lets it go on."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="block"))
        await bench.start()
        bad = bench.add(1)
        refuse_only(bench, bad)
        await runtime.until(lambda: bench.row(bad).state is DeliveryState.DEAD)
        other = bench.add(2)
        await runtime.sleep(HOUR)
        assert bench.row(other).state is DeliveryState.PENDING
        assert bench.stage.facts()["dpi"]["state"] == "stopped"
        await bench.stop()
        again = Bench(runtime, disk=bench.store.disk, dead_letter=DeadLetter(lane="block"))
        await again.start()
        await runtime.sleep(HOUR)
        assert again.row(other).state is DeliveryState.PENDING
        assert await again.act("discard", delivery=bad, destination="dpi") == (
            True,
            f"delivery {show_delivery_id(bad)}: discarded; it can be restored",
        )
        await runtime.until(lambda: again.row(other).state is DeliveryState.DELIVERED)
        await again.stop()

    scenario(run)


def test_park_holds_the_lane_until_an_operator_passes_it() -> None:
    """The lane waits, an alert comes after park_max, `pass` lets it go on and leaves the message dead."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", park_max=1800))
        await bench.start()
        bad = bench.add(1)
        refuse_only(bench, bad)
        behind, other = bench.add(1), bench.add(2)
        await runtime.until(lambda: bench.row(other).state is DeliveryState.DELIVERED)
        await runtime.sleep(1000)
        assert [code for code, _ in bench.alerts] == ["dead"]
        await runtime.sleep(1000)
        assert [code for code, _ in bench.alerts] == ["dead", "parked"]
        facts = bench.stage.facts()["dpi"]
        assert facts["parked"] == 1
        assert "holds its lane" in facts["why"]
        accepted_act, _ = await bench.act("pass", delivery=bad, destination="dpi")
        assert accepted_act
        await runtime.until(lambda: bench.row(behind).state is DeliveryState.DELIVERED)
        assert bench.row(bad).state is DeliveryState.DEAD
        assert await bench.act("pass", delivery=bad, destination="dpi") == (
            False,
            f"delivery {show_delivery_id(bad)} holds no lane: what is behind it goes on already",
        )
        assert bench.stage.facts()["dpi"]["why"] == ""
        await bench.stop()

    scenario(run)


@pytest.mark.parametrize("kind", [DeliveryKind.BYTES, DeliveryKind.BODILESS], ids=["at the receiver", "in the router"])
def test_a_lane_that_is_held_grows_old_over_a_restart(kind: DeliveryKind) -> None:
    """Its age and the time of its alert go on from its death."""

    async def run(runtime: SimulatedRuntime) -> None:
        policy = DeadLetter(lane="park", park_max=7200, results_wait=300)
        bench = Bench(runtime, dead_letter=policy)
        await bench.start()
        if kind is DeliveryKind.BYTES:
            bad = bench.add(1)
            refuse_only(bench, bad)
            bench.add(2)
        else:
            bench.add(1, kind=kind, state=DeliveryState.DEAD, code="E-MAP-MISS", due_ms=runtime.now_ms() + 300_000)
        await runtime.until(lambda: bench.stage.facts()["dpi"]["parked"] == 1)
        await runtime.sleep(HOUR)
        await bench.stop()
        again = Bench(runtime, disk=bench.store.disk, dead_letter=policy)
        await again.start()
        await runtime.sleep(1800)
        assert "the oldest for 1 h 30" in again.stage.facts()["dpi"]["why"]
        assert again.alerts == []
        await runtime.sleep(1900)
        assert [code for code, _ in again.alerts] == ["parked"]
        await again.stop()

    scenario(run)


def test_a_retry_that_is_refused_again_keeps_its_age() -> None:
    """Its lane was held all the time: whoever retries every few minutes doesn't keep results back without end."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park", results_wait=300))
        await bench.start()
        bad = bench.add(1)
        refuse_only(bench, bad)
        result = bench.add(1, **RESULT)
        for _ in range(3):
            await runtime.sleep(80)
            tries = len(bench.door.sent)
            bench.store.submit(Requeue(replace(bench.row(bad), due_ms=0, state=DeliveryState.PENDING)), Urgency.NOW)
            await runtime.until(lambda tries=tries: len(bench.door.sent) > tries, limit=30)
            await runtime.until(lambda: bench.row(bad).state is DeliveryState.DEAD, limit=30)
        assert "the oldest for 4 min" in bench.stage.facts()["dpi"]["why"]
        await runtime.until(lambda: bench.door.taken == [result], limit=70)
        await bench.stop()

    scenario(run)


def test_a_parked_one_that_is_retried_leaves_before_what_is_behind_it() -> None:
    """A retry takes its place again."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park"))
        await bench.start()
        bad = bench.add(1)
        refuse_only(bench, bad)
        behind = [bench.add(1) for _ in range(30)]
        await runtime.until(lambda: bench.row(bad).state is DeliveryState.DEAD)
        await runtime.sleep(100)
        bench.door.receiver = accepted
        bench.store.submit(Requeue(replace(bench.row(bad))), Urgency.NOW)
        await runtime.until(bench.all_delivered)
        assert bench.door.taken == [bad, *behind]
        await bench.stop()

    scenario(run)


def test_what_died_in_the_router_takes_its_place() -> None:
    """A dead delivery without bytes parks its lane, as any other."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane="park"))
        await bench.start()
        bad = bench.add(1, kind=DeliveryKind.BODILESS, state=DeliveryState.DEAD, code="E-MAP-MISS")
        behind = bench.add(1)
        passing = bench.add(2, kind=DeliveryKind.BODILESS, state=DeliveryState.DEAD, code="E-MAP-MISS", queued=False)
        other = bench.add(2)
        await runtime.until(lambda: bench.row(other).state is DeliveryState.DELIVERED)
        await runtime.sleep(HOUR)
        assert bench.row(behind).state is DeliveryState.PENDING
        await bench.act("discard", delivery=bad)
        await bench.act("discard", delivery=passing)
        await runtime.until(lambda: bench.row(behind).state is DeliveryState.DELIVERED)
        assert (await bench.act("restore", delivery=bad))[0]
        assert bench.row(bad).state is DeliveryState.DEAD
        await bench.stop()

    scenario(run)


@pytest.mark.parametrize("lane", ["park", "block", "pass"])
def test_a_conflict_of_identity_is_told_and_whose_it_is(lane: str) -> None:
    """Once; neither the receiver nor its people can do anything about it. It is forgotten when it was treated."""

    async def run(runtime: SimulatedRuntime) -> None:
        bench = Bench(runtime, dead_letter=DeadLetter(lane=lane), contact={"phone": "5555"})
        await bench.start()
        flags = int(DeliveryFlag.IDENTITY_EVENT)
        bad = bench.add(1, 2, kind=DeliveryKind.BODILESS, state=DeliveryState.DEAD, code="E-ID-TRAITS", flags=flags)
        behind, other = bench.add(2), bench.add(3)
        await runtime.until(lambda: bench.row(other).state is DeliveryState.DELIVERED)
        ((code, sentence),) = bench.alerts
        assert code == "dead"
        assert sentence.startswith(f"dpi: delivery {show_delivery_id(bad)} is dead: E-ID-TRAITS; ")
        assert sentence.endswith("waits until an identity officer has decided")
        assert "1 of identity, for an identity officer" in bench.stage.facts()["dpi"]["why"]
        assert bench.stage.facts()["dpi"]["for_officer"]
        assert "5555" not in bench.stage.facts()["dpi"]["why"]
        assert (await bench.act("discard", delivery=bad, destination="dpi"))[0]
        await runtime.until(lambda: bench.row(behind).state is DeliveryState.DELIVERED)
        assert bench.stage.facts()["dpi"]["why"] == ""
        await bench.stop()

    scenario(run)
