"""Acts: counted, audited, recorded, followed."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.changes import Fulfil
from engine.errors import OperationRefused
from engine.operations.service import Operations
from tests.support.custody import (
    DESTINATION,
    call,
    calls,
    configuration,
    obey,
    opened,
    submitted,
)


def test_acts_count_first_then_do() -> None:
    """A dry run changes nothing and names what it found; the act follows in order."""

    async def run() -> None:
        desk, store = await opened()
        seen = obey(store)
        operations = Operations(desk)
        counted = await operations.call("dead_retry", {"destination": DESTINATION, "dry": True}, who="nurse")
        assert (counted["count"], counted["ids"], seen) == (2, ["3-0", "4-0"], [])
        request = {"destination": DESTINATION, "reason": "fixed", "expect": 2}
        answer = await operations.call("dead_retry", request, who="nurse")
        assert (answer["accepted"], answer["rows"][0]["outcome"]) == (2, "carried out")
        assert [(one.stage, one.verb, one.arguments) for one in seen] == [
            ("router", "retry", {"delivery": 3 << 16}), ("router", "retry", {"delivery": 4 << 16}),
        ]  # fmt: skip
        await operations.call("dead_discard", {"ids": ["5", "3-0"], "reason": "test data"}, who="nurse")
        assert [(one.stage, one.verb, one.arguments) for one in seen[2:]] == [
            ("router", "discard", {"message": 5}),
            ("delivery", "discard", {"delivery": 3 << 16, "destination": DESTINATION}),
        ]
        trail = (await operations.call("audit", {}, who="nurse"))["rows"]
        assert [(row["verb"], row["subject"], row["reason"]) for row in trail] == [
            ("dead discard", "5, 3-0", "test data"), ("dead retry", "3-0, 4-0", "fixed"),
        ]  # fmt: skip
        await store.close()

    asyncio.run(run())


def test_a_number_that_is_not_the_expected_one_changes_nothing() -> None:
    """Exit code 3."""
    with pytest.raises(OperationRefused, match="nothing was changed") as refused:
        call("dead_retry", destination=DESTINATION, reason="x", expect=3)
    assert refused.value.exit_code == 3


def test_a_refusal_of_the_stage_is_told() -> None:
    """The operator reads why it was not done."""
    obeying = {"accepted": False, "outcome": "somebody treated it meanwhile"}
    answer = call("dead_retry", obeying=obeying, ids=["3-0"], reason="x")
    assert (answer["refused"], answer["rows"][0]["outcome"]) == (1, "somebody treated it meanwhile")


def test_without_an_engine_acts_are_recorded() -> None:
    """They wait for the engine, and `audit` shows that."""
    answer, trail = calls([("dead_retry", {"ids": ["3-0"], "reason": "x"}), ("audit", {})], stopped=True)
    assert (answer["waiting"], answer["accepted"]) == (1, 0)
    assert "when the engine starts" in answer["rows"][0]["outcome"]
    assert [row["verb"] for row in trail["waiting"]] == ["retry"]


def test_the_outcome_of_an_act_that_nobody_waited_for_is_told() -> None:
    """Recorded without an engine, carried out when one starts: the trail says how each ended."""

    async def run() -> None:
        desk, store = await opened(live=None, known=configuration())
        operations = Operations(desk)
        await operations.call("dead_retry", {"ids": ["3-0", "4-0"], "reason": "x"}, who="nurse")
        numbers = [one.id for one in await store.intentions("router")]
        fulfilled = [Fulfil(numbers[0], True, "sent"), Fulfil(numbers[1], False, "not dead")]
        for outcome in ("pending", "1 accepted, 1 pending", "1 accepted, 1 refused"):
            (row,) = (await operations.call("audit", {}, who="nurse"))["rows"]
            assert row["outcome"] == outcome
            if fulfilled:
                await submitted(store, fulfilled.pop(0))
        await store.close()

    asyncio.run(run())


def test_an_outcome_that_is_late_is_said_to_be_under_way() -> None:
    """After the limit the operator is not left waiting."""

    async def run() -> None:
        desk, store = await opened(outcome_within=0.0)
        answer = await Operations(desk).call("dead_retry", {"ids": ["3-0"], "reason": "x"}, who="nurse")
        assert (answer["waiting"], answer["rows"][0]["accepted"]) == (1, None)
        assert answer["rows"][0]["outcome"].startswith("under way")
        await store.close()

    asyncio.run(run())
