"""Queues, lanes, holds, probes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.core.changes import SetHold
from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryFlag, DeliveryKind, Hold
from engine.errors import OperationRefused
from engine.operations.service import Operations
from tests.support.custody import (
    DESTINATION,
    NOW_MS,
    SOURCE,
    FakeLive,
    call,
    calls,
    delivery,
    obey,
    opened,
    receive,
    submitted,
)


def test_queues() -> None:
    """The waiting delivery is in the list, in the queue, and at the head of its lane."""
    listed, shown, lanes = calls([
        ("queue_list", {}), ("queue_show", {"destination": DESTINATION}), ("queue_lanes", {"destination": DESTINATION}),
    ])  # fmt: skip
    assert listed["rows"][0]["waiting"] == 1
    assert [(row["id"], row["state"], row["lanes"]) for row in shown["rows"]] == [("2-0", "pending", [f"{77:016x}"])]
    assert (lanes["rows"][0]["lane"], lanes["rows"][0]["head"], lanes["rows"][0]["waiting"]) == (f"{77:016x}", "2-0", 1)
    assert shown["next"] == ""


@pytest.mark.parametrize(("flag", "moment"), [(0, NOW_MS), (DeliveryFlag.IDENTITY_EVENT, 0), (DeliveryFlag.RESULT, 0)])
def test_results_pass_administrative_faults_only(flag: int, moment: int) -> None:
    """Nothing is promised behind an identity event or a dead result: results never pass these."""

    async def run() -> None:
        desk, store = await opened()
        dead = delivery(state=DeliveryState.DEAD, code="E-MAP-MISS", due_ms=NOW_MS, flags=int(flag))
        dead.kind = DeliveryKind.BODILESS
        place = await receive(store, 8, deliveries=[dead])
        rows = (await Operations(desk).call("queue_show", {"destination": DESTINATION}, who="nurse"))["rows"]
        assert [row["results_pass_ms"] for row in rows if row["message"] == str(place)] == [moment]
        await store.close()

    asyncio.run(run())


def test_an_unknown_destination_is_refused_with_the_known_ones() -> None:
    """A typing error shows what there is."""
    with pytest.raises(OperationRefused, match="no destination 'dpo'; there are dpi"):
        call("queue_show", destination="dpo")


def test_hold_becomes_an_intention_with_its_end() -> None:
    """Seconds become a moment; the kind is found by the name."""

    async def run() -> None:
        desk, store = await opened()
        seen = obey(store)
        operations = Operations(desk)
        arguments = {"name": SOURCE, "seconds": 7200, "reason": "maintenance", "expect": 1}
        answer = await operations.call("hold", arguments, who="nurse")
        assert answer["accepted"] == 1
        assert (seen[0].stage, seen[0].verb, seen[0].who) == ("delivery", "hold", "nurse")
        assert seen[0].arguments == {"kind": "source", "name": SOURCE, "until_ms": NOW_MS + 7_200_000}
        await operations.call("release", {"name": DESTINATION, "reason": "over"}, who="nurse")
        assert [(one.verb, one.arguments.get("kind")) for one in seen[1:]] == [("release", "destination")]
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "facts",
    [{"state": "down", "circuit": "storm"}, {"state": "retrying", "circuit": "closed", "retrying": 1}],
)
def test_release_of_a_destination_that_holds_itself_resumes_it(facts: dict[str, Any]) -> None:
    """After a storm, or while a delivery waits for its next attempt, there is no operator's hold to remove."""

    async def run() -> None:
        live = FakeLive()
        live.facts[DESTINATION] = facts
        desk, store = await opened(live=live)
        seen = obey(store)
        await Operations(desk).call("release", {"name": DESTINATION, "reason": "well again"}, who="nurse")
        assert [(one.verb, one.arguments) for one in seen] == [("resume", {"destination": DESTINATION})]
        await store.close()

    asyncio.run(run())


def test_hold_of_an_unknown_name_is_usage() -> None:
    """Nothing is recorded."""
    with pytest.raises(OperationRefused, match="is no destination, source or route"):
        call("hold", name="dpo", reason="x")


def test_probe_tells_each_step() -> None:
    """The first step that fails makes the whole fail."""
    live = FakeLive()
    live.steps.append(("ack", False, "nothing for 6 min"))
    answer = call("probe", live=live, destination=DESTINATION)
    assert [row["fine"] for row in answer["rows"]] == [True, True, False]
    assert answer["fine"] is False
    with pytest.raises(OperationRefused, match="ENGINE STOPPED") as refused:
        call("probe", stopped=True, destination=DESTINATION)
    assert refused.value.exit_code == 69


def test_probe_of_a_receiver_that_refuses_says_so() -> None:
    """Each step is well, and yet nothing is accepted."""
    live = FakeLive()
    assert call("probe", live=live, destination=DESTINATION)["then"] == ""
    live.facts[DESTINATION] = {"circuit": "refuses everything", "why": "dpi refuses: 3 of 4 patients tried"}
    answer = call("probe", live=live, destination=DESTINATION)
    assert answer["fine"] is True
    assert answer["then"] == "reachable, but it refuses: dpi refuses: 3 of 4 patients tried"


def test_a_lane_is_held_by_the_name_that_the_list_shows() -> None:
    """The stage knows it by its number."""

    async def run() -> None:
        desk, store = await opened()
        seen = obey(store)
        operations = Operations(desk)
        lane = (await operations.call("queue_lanes", {"destination": DESTINATION}, who="nurse"))["rows"][0]["lane"]
        await operations.call("hold", {"name": lane, "kind": "lane", "reason": "one patient"}, who="nurse")
        assert (seen[0].arguments["kind"], seen[0].arguments["name"]) == ("lane", "77")
        with pytest.raises(OperationRefused, match="is no lane"):
            await operations.call("hold", {"name": "77", "kind": "lane", "reason": "x"}, who="nurse")
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("seconds", [-1, 10**12])
def test_a_hold_lasts_more_than_nothing_and_not_for_ever(seconds: float) -> None:
    """A duration that is wrong is usage: it must not become a hold without end."""
    with pytest.raises(OperationRefused, match="a duration must be") as refused:
        call("hold", name=DESTINATION, reason="x", seconds=seconds)
    assert refused.value.exit_code == 2


def test_what_waits_in_a_lane_is_counted_and_a_lane_is_recognised() -> None:
    """One delivery in the lane of the fixture, none in another; the hint names the option."""
    lane, other = f"{77:016x}", f"{78:016x}"
    counted = calls([("hold", {"name": name, "kind": "lane", "dry": True}) for name in (lane, other)])
    assert [answer["count"] for answer in counted] == [1, 0]
    with pytest.raises(OperationRefused, match="--kind lane"):
        call("hold", name=lane, reason="x")


def test_the_audit_trail_says_what_was_held_how_long_and_how_it_ended() -> None:
    """Subject and outcome in one row an act."""
    hold = ("hold", {"name": DESTINATION, "seconds": 7200, "reason": "maintenance"})
    rows = calls([hold, ("audit", {})])[-1]["rows"]
    assert [(row["verb"], row["subject"], row["outcome"]) for row in rows] == [
        ("hold destination", "dpi, for 2 h 00", "accepted")
    ]
    rows = calls([hold, ("audit", {})], stopped=True)[-1]["rows"]
    assert [row["outcome"] for row in rows] == ["pending"]


def test_a_held_lane_is_not_called_pending() -> None:
    """As long as the hold lasts."""

    async def run() -> None:
        desk, store = await opened()
        for until, state in ((0, "held"), (NOW_MS, "pending")):
            await submitted(store, SetHold(Hold("lane", "77", until, "nurse", "why", NOW_MS - 1)))
            (lane,) = (await Operations(desk).call("queue_lanes", {"destination": DESTINATION}, who="nurse"))["rows"]
            assert (lane["head"], lane["state"]) == ("2-0", state)
        await store.close()

    asyncio.run(run())
