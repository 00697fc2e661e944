"""Operators' acts on messages that the router carries out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Intend, Route
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery, Intention, delivery_id
from engine.core.ports import Urgency
from engine.core.references import References
from engine.errors import StoreUnavailable
from engine.flow import treating
from engine.flow.router import Router
from engine.routes.loader import load
from tests.support.yard import ROUTES, Yard, message, yard


def test_operators_retry(tmp_path: Path) -> None:
    """A retry runs the route again; what would die again is refused with the reason; unrouted ones come back."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""), message(it.runtime, "A2", kind="ORU^R01"))
        await it.rest()

        async def ask(**arguments: int) -> tuple[bool, str]:
            numbers: list[int] = []
            intention = Intention("router", "retry", dict(arguments), "somebody", "why not", it.runtime.now_ms())
            it.store.submit(Intend(intention), Urgency.NOW, lambda receipt: numbers.append(receipt.place))  # type: ignore[union-attr]
            await it.rest()
            outcome = await it.store.queries.intention_outcome(numbers[0])
            assert outcome is not None
            return outcome

        accepted, outcome = await ask(delivery=delivery_id(1, 0))
        assert not accepted
        assert "E-REQUIRE" in outcome
        assert (await ask(message=2))[0]
        assert await it.state(2) is MessageState.UNROUTED
        assert not (await ask(message=99))[0]
        assert not (await ask(message=1))[0]

    yard(tmp_path, test)


def test_a_retry_during_which_the_store_can_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The act is on disk and isn't done again: the message takes its turn when it can be read, it isn't left behind."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A2", kind="ORU^R01"))
        await it.rest()

        async def unreadable(*_: Any) -> Any:
            raise StoreUnavailable("the disk answers no read")

        monkeypatch.setattr(it.router, "decided_on", unreadable)
        number = await intended(it, message=1)
        await it.rest()
        outcome = await it.store.queries.intention_outcome(number)
        assert outcome is not None
        assert outcome[0]
        assert await it.state(1) is MessageState.UNROUTED

    yard(tmp_path, test)


async def intended(it: Yard, verb: str = "retry", **arguments: int) -> int:
    """Record an act; return its number."""
    numbers: list[int] = []
    intention = Intention("router", verb, dict(arguments), "somebody", "why not", it.runtime.now_ms())
    it.store.submit(Intend(intention), Urgency.NOW, lambda receipt: numbers.append(receipt.place))  # type: ignore[union-attr]
    await it.rest()
    return numbers[0]


@pytest.mark.parametrize("error", [None, ValueError("SECRET PATIENT")], ids=["route gone", "fault of ours"])
def test_a_retry_that_cannot_be_rendered_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    """One that waits while its route is gone, or on which our code fails, doesn't stop the engine at each start."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A1", unit=""))
        await it.rest()
        it.router.stop()
        number = await intended(it, delivery=delivery_id(1, 0))
        assert await it.store.queries.intention_outcome(number) is None
        text = ROUTES if error else ROUTES.replace("  adt:", "  renamed:")
        (tmp_path / "routes.yaml").write_text(text, encoding="utf-8")
        if error is not None:

            def broken(*_: Any) -> Delivery:
                raise error

            monkeypatch.setattr(treating, "render_again", broken)
        configuration = load(tmp_path / "routes.yaml", environment={})
        again = Router("main", configuration, it.store, it.runtime, References(b"k" * 32))
        await again.start()
        await it.rest()
        outcome = await it.store.queries.intention_outcome(number)
        assert outcome is not None
        assert not outcome[0]
        assert ("no route adt" if error is None else "a fault of Passerelle: ValueError") in outcome[1]
        assert "SECRET" not in outcome[1]
        assert it.runtime.failures == []
        again.stop()

    yard(tmp_path, test)


def test_a_retry_waits_for_the_store(tmp_path: Path) -> None:
    """While nothing can be stored it isn't forgotten."""

    async def test(it: Yard) -> None:
        await it.router.start()
        it.receive(message(it.runtime, "A2", kind="ORU^R01"))
        await it.rest()
        it.fault = "fulfil"
        number = await intended(it, message=1)
        await it.rest()
        assert await it.store.queries.intention_outcome(number) is None
        it.fault = ""
        await it.rest()
        assert (await it.store.queries.intention_outcome(number) or (False,))[0]
        assert await it.state(1) is MessageState.UNROUTED

    yard(tmp_path, test)


def test_acts_on_messages_of_a_group_that_is_no_more(tmp_path: Path) -> None:
    """The first router carries them out, and no other: their sources were removed, and their group with them."""

    async def test(it: Yard) -> None:
        it.router._groups = frozenset(("main", "other"))
        others = [
            Router(group, it.router.configuration, it.store, it.runtime, References(b"k" * 32), groups=("main",))
            for group in ("other", "zoo")
        ]
        old = message(it.runtime, "A1", source="removed")
        old.group = "old"
        it.receive(old)
        dead = Route(1, "old", "removed", MessageState.RECEIVED, MessageState.DEAD, code="E-SOURCE")
        it.store.submit(dead, Urgency.NOW)
        await it.router.start()
        for other in others:
            await other.start()
        for verb, state in (("discard", MessageState.DISCARDED), ("restore", MessageState.DEAD)):
            number = await intended(it, verb=verb, message=1)
            await it.rest()
            assert (await it.store.queries.intention_outcome(number) or (False,))[0]
            assert await it.state(1) is state
        number = await intended(it, message=1)
        await it.rest()
        done, outcome = await it.store.queries.intention_outcome(number) or (True, "")
        assert not done, "its source is still unknown: it would die again"
        assert "`renamed_from: removed`" in outcome
        assert await it.state(1) is MessageState.DEAD
        for other in others:
            assert other.submitting.counts == {}
            other.stop()

    yard(tmp_path, test)
