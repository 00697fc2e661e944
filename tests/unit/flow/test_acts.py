"""Operators' acts: in order, through trouble of the store, and never a reason to stop at each start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.core.changes import Intend, Receipt
from engine.core.messages import Intention
from engine.core.ports import Urgency
from engine.errors import ChangeRefused, OperationRefused, StoreError, StoreUnavailable
from engine.flow.acts import Acts, Refusal
from engine.store.memory import MemoryStore
from tests.support.runtime import SimulatedRuntime, simulate


class Desk:
    """Acts over a memory store that can fail."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self.fault = ""
        self.store = MemoryStore(fault=self._fault)
        self.done: list[int] = []
        self.acts = Acts(self.store, runtime, "router main", self.carry_out)
        self.failing: Callable[[Intention], Awaitable[None]] | None = None

    def _fault(self, name: str) -> None:
        if self.fault and self.fault in name:
            raise StoreUnavailable("disk full")

    async def carry_out(self, intention: Intention) -> None:
        if self.failing is not None:
            await self.failing(intention)
        await self.acts.fulfil(intention, "done")
        self.done.append(intention.id)

    async def ask(self, count: int = 1) -> list[Intention]:
        """Record acts; they are not announced."""
        asked = [Intention("router", "retry", {}, "somebody", "why not", 1_000) for _ in range(count)]
        for one in asked:

            def recorded(result: Receipt | StoreError, one: Intention = one) -> None:
                assert isinstance(result, Receipt)
                one.id = result.place

            self.store.submit(Intend(one), Urgency.NOW, recorded)
        await asyncio.sleep(0.1)
        return asked

    async def outcome(self, intention: Intention) -> tuple[bool, str] | None:
        return await self.store.queries.intention_outcome(intention.id)


def at_a_desk(test: Callable[[Desk, SimulatedRuntime], Awaitable[None]]) -> None:
    async def run(runtime: SimulatedRuntime) -> None:
        desk = Desk(runtime)
        await desk.store.open(now_ms=runtime.now_ms())
        await test(desk, runtime)

    simulate(run)


def test_acts_wait_for_the_store_in_their_order() -> None:
    """While nothing can be stored none is lost and none overtakes; one that is announced twice is done once."""

    async def test(desk: Desk, runtime: SimulatedRuntime) -> None:
        asked = await desk.ask(3)
        desk.fault = "fulfil"
        for one in [*asked, asked[0]]:
            desk.acts.add(one)
        await asyncio.sleep(10)
        assert desk.done == []
        desk.fault = ""
        await asyncio.sleep(10)
        assert desk.done == [one.id for one in asked]
        assert await desk.store.intentions("router") == []

    at_a_desk(test)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refusal("not dead"), "not dead"), (OperationRefused("the route is gone"), "the route is gone"),
        (ChangeRefused("changed meanwhile"), "changed meanwhile"),
        (ValueError("SECRET PATIENT"), "a fault of Passerelle: ValueError at test_acts.py:"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_cannot_be_done_is_refused(error: Exception, words: str) -> None:
    """With a sentence, never with the text of a fault of ours; the next act is carried out."""

    async def test(desk: Desk, runtime: SimulatedRuntime) -> None:
        first, second = await desk.ask(2)

        async def fail(intention: Intention) -> None:
            if intention is first:
                raise error

        desk.failing = fail
        desk.acts.add(first)
        desk.acts.add(second)
        await asyncio.sleep(5)
        outcome: Any = await desk.outcome(first)
        assert not outcome[0]
        assert words in outcome[1]
        assert "SECRET" not in outcome[1]
        assert await desk.outcome(second) == (True, "done")
        assert runtime.failures == []

    at_a_desk(test)


def test_nothing_after_the_stop() -> None:
    """What waits is found at the next start."""

    async def test(desk: Desk, runtime: SimulatedRuntime) -> None:
        (one,) = await desk.ask()
        desk.acts.stop()
        desk.acts.add(one)
        await asyncio.sleep(5)
        assert len(await desk.store.intentions("router")) == 1

    at_a_desk(test)
