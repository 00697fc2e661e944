"""The same message again: a duplicate, or what became of the first one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Requeue, Settle
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.ports import Urgency
from engine.core.references import References
from engine.errors import StoreUnavailable
from engine.flow.router import Router
from tests.support.yard import Yard, message, yard


@pytest.mark.parametrize("restarted", [False, True], ids=["in memory", "from the store"])
def test_a_repeat_of_what_died_is_no_duplicate(tmp_path: Path, restarted: bool) -> None:
    """Nobody got the first one: the sender's new try is evaluated."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""), message(it.runtime, "A2"))
        await it.rest()
        if restarted:
            it.router.stop()
            it.router = Router("main", it.router.configuration, it.store, it.runtime, References(b"k" * 32))
            await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""), message(it.runtime, "A2"))
        await it.rest()
        assert [await it.state(3), await it.state(4)] == [MessageState.ROUTED, MessageState.ROUTED]
        it.receive(message(it.runtime, "A2"))
        await it.rest()
        assert await it.state(5) is MessageState.DUPLICATE

    yard(tmp_path, test)


def test_what_became_of_the_original_is_asked_when_it_matters(tmp_path: Path) -> None:
    """Died at the receiver: the same again is a new try. Brought back by an operator: it is a retransmission."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        (copy,) = it.announced
        died = Settle(copy.id, "dpi", 0, DeliveryState.DEAD, queued=False, begin_ms=1, end_ms=2, code="AE 204")
        it.store.submit(died, Urgency.NOW)
        await it.rest()
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        assert await it.state(2) is MessageState.ROUTED
        dead = Settle(it.announced[1].id, "dpi", 0, DeliveryState.DEAD, queued=False, begin_ms=1, end_ms=2)
        it.store.submit(dead, Urgency.NOW)
        it.store.submit(Requeue(it.announced[1]), Urgency.NOW)
        await it.rest()
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2"))
        await it.rest()
        assert [await it.state(3), await it.state(4)] == [MessageState.DUPLICATE, MessageState.ROUTED]
        row = await it.store.queries.message_row(3)
        assert row is not None
        assert row["linked_to"] == 2

    yard(tmp_path, test)


def test_one_that_was_told_to_be_in_custody_is_not_refused_later(tmp_path: Path) -> None:
    """Its sender got AA, for want of time, and a route rejected it: the same again gets AA too, and is linked."""

    async def test(it: Yard) -> None:
        await it.router.start()
        late = message(it.runtime, "A1", unit="", source="ask")
        late.received_ms -= 6_000
        it.receive(late)
        await it.rest()
        assert await it.state(1) is MessageState.DEAD
        it.receive(message(it.runtime, "A1", unit="", source="ask"))
        await it.rest()
        assert await it.state(2) is MessageState.DUPLICATE

    yard(tmp_path, test)


def test_the_store_fails_while_a_repeat_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The router starts again from there; nothing is lost, and the order stays."""

    async def test(it: Yard) -> None:
        fate, failures = it.store.fate, [StoreUnavailable("disk away")]

        async def failing(place: int) -> Any:
            if failures:
                raise failures.pop()
            return await fate(place)

        await it.router.start()
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        monkeypatch.setattr(it.store, "fate", failing)
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2"), message(it.runtime, "A3"))
        await it.rest()
        states = [await it.state(place) for place in (2, 3, 4)]
        assert states == [MessageState.DUPLICATE, MessageState.ROUTED, MessageState.ROUTED]
        assert [delivery.place for delivery in it.announced] == [1, 3, 4]

    yard(tmp_path, test)
