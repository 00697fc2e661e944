"""The router's promises: order of places, one decision a message, retransmissions, a fresh start after a failure."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import StoredMessage, delivery_id
from engine.flow import backlog, evaluating
from engine.routes.evaluation import evaluate
from tests.support.yard import Yard, message, yard


def test_what_waited_before_the_start_comes_first(tmp_path: Path) -> None:
    """Messages of before the start and live ones are routed once each, in the order of their places."""

    async def test(it: Yard) -> None:
        it.receive(*(message(it.runtime, f"A{n}", ipp=str(n)) for n in range(40)))
        await it.rest()
        await it.router.start()
        it.receive(*(message(it.runtime, f"B{n}", ipp=str(n)) for n in range(40)))
        await it.rest()
        assert [delivery.place for delivery in it.announced] == list(range(1, 81))

    yard(tmp_path, test)


@pytest.mark.parametrize("bound", ["page", "buffer"])
def test_a_backlog_larger_than_memory(tmp_path: Path, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bounds objects are dropped and found by paging: none is missed, none comes twice."""
    monkeypatch.setattr(
        backlog, "_PAGE_MESSAGES" if bound == "page" else "_BUFFER_BYTES", 3 if bound == "page" else 300
    )

    async def test(it: Yard) -> None:
        await it.router.start()
        for wave in range(20):
            it.receive(*(message(it.runtime, f"W{wave}-{n}", ipp=f"{wave}{n}") for n in range(7)))
            await asyncio.sleep(0.001 * (wave % 3))
        await it.rest()
        assert [delivery.place for delivery in it.announced] == list(range(1, 141))

    yard(tmp_path, test)


def test_endings(tmp_path: Path) -> None:
    """Routed, unrouted, duplicate, and a dead delivery without bytes where a step fails: each is counted."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(
            message(it.runtime, "A1"),
            message(it.runtime, "A1"),
            message(it.runtime, "A2", kind="ORU^R01"),
            message(it.runtime, "A3", unit=""),
        )
        await it.rest()
        assert [await it.state(place) for place in (1, 2, 3, 4)] == [
            MessageState.ROUTED,
            MessageState.DUPLICATE,
            MessageState.UNROUTED,
            MessageState.ROUTED,
        ]
        dead = await it.store.delivery(delivery_id(4, 0))
        assert dead is not None
        assert (dead.state, dead.code) == (DeliveryState.DEAD, "E-REQUIRE")
        assert dead.lanes

    yard(tmp_path, test)


def test_a_fault_of_ours_stops_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the evaluation kills its message, with the place and without the text; others go on."""

    async def test(it: Yard) -> None:
        def broken(configuration: Any, stored: StoredMessage, references: Any, answers: Any, *rest: Any) -> Any:
            if stored.control_id == "A1":
                raise ValueError("SECRET PATIENT")
            return evaluate(configuration, stored, references, answers)

        monkeypatch.setattr(evaluating, "evaluate", broken)
        await it.router.start()
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2", ipp="43"))
        await it.rest()
        assert [await it.state(1), await it.state(2)] == [MessageState.DEAD, MessageState.ROUTED]
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert row["code"] == "E-INTERNAL"
        assert "ValueError at test_router.py" in row["reason"]
        assert "SECRET" not in str(row)

    yard(tmp_path, test)


def test_a_failure_of_the_store(tmp_path: Path) -> None:
    """When decisions can't be stored the router begins again from the store; nothing is lost or doubled."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.fault = "route"
        it.receive(*(message(it.runtime, f"A{n}", ipp=str(n)) for n in range(10)))
        await asyncio.sleep(3)
        assert it.announced == []
        it.fault = ""
        await asyncio.sleep(30)
        assert [delivery.place for delivery in it.announced] == list(range(1, 11))

    yard(tmp_path, test)


def test_rejected(tmp_path: Path) -> None:
    """
    Code and reason go to intake, and a repeat is evaluated again.

    One whose sender may have its positive answer already is a dead letter: nobody else keeps it.
    """

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(*(message(it.runtime, "A1", unit="", source="ask") for _ in range(2)))
        late = message(it.runtime, "A3", unit="", source="ask")
        late.received_ms -= 6_000
        it.receive(late)
        await it.rest()
        states = [await it.state(place) for place in (1, 2, 3)]
        assert states == [MessageState.REJECTED, MessageState.REJECTED, MessageState.DEAD]
        rows = [await it.store.queries.message_row(place) for place in (1, 3)]
        assert [(row["code"], row["reason"][-17:]) for row in rows if row is not None] == [
            ("AE", "a place is needed"),
            ("E-REJECTED", "a place is needed"),
        ]
        assert it.announced == []

    yard(tmp_path, test)
