"""Decisions on their way to the disk: one that the store refuses, and how many there may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage, delivery_id
from engine.flow import evaluating, submitting
from engine.routes.evaluation import evaluate
from tests.support.yard import Yard, message, yard


def test_a_decision_that_the_store_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That one message is dead, with the store's reason; the router goes on, and a repeat is evaluated again."""

    async def test(it: Yard) -> None:
        def wrong(configuration: Any, stored: StoredMessage, references: Any, answers: Any, *rest: Any) -> Any:
            evaluation = evaluate(configuration, stored, references, answers)
            if stored.place == 1:
                evaluation.deliveries[0].id = delivery_id(99, 0)
            return evaluation

        monkeypatch.setattr(evaluating, "evaluate", wrong)
        await it.router.start()
        it.receive(message(it.runtime, "A1"), message(it.runtime, "A2", ipp="43"))
        await it.rest()
        assert [await it.state(1), await it.state(2)] == [MessageState.DEAD, MessageState.ROUTED]
        row = await it.store.queries.message_row(1)
        assert row is not None
        assert row["code"] == "E-INTERNAL"
        assert "is not of message 1" in row["reason"]
        it.receive(message(it.runtime, "A1"))
        await it.rest()
        assert await it.state(3) is MessageState.ROUTED
        assert it.router.submitting.counts == {"routed": 2, "dead": 1}

    yard(tmp_path, test)


def test_so_many_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits, only so many decisions are under way: what a slow disk leaves in memory is bounded."""
    monkeypatch.setattr(submitting, "_UNDER_WAY_MAX", 3)
    most: list[int] = []

    async def test(it: Yard) -> None:
        submit = it.store.submit

        def noted(*of: Any) -> None:
            submit(*of)
            most.append(it.router.submitting.under_way)

        it.receive(*(message(it.runtime, f"A{n}", ipp=str(n)) for n in range(40)))
        monkeypatch.setattr(it.store, "submit", noted)
        await it.router.start()
        await it.rest()
        assert [delivery.place for delivery in it.announced] == list(range(1, 41))

    yard(tmp_path, test)
    assert max(most) == 3
