"""All stores give the same answers to the same history, and none loses count."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Identify, Prune, Receive, Reopen, Requeue, Route, Treat, events_of
from engine.core.identities import IdentityEvent, Pairs, ReviewState, Wait
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryKind
from tests.conformance.identities import attach, fence, mint, reverse, review
from tests.conformance.stores import (
    HOUSES,
    balanced,
    commit,
    decided,
    delivery,
    message,
    routed,
    settled,
)

STEPS = 45


def changes_of(chance: random.Random, places: list[int], ids: list[tuple[int, str, int]]) -> list[Any]:
    """A batch of changes, right and wrong ones."""
    batch: list[Any] = []
    for _ in range(chance.randint(1, 8)):
        kind = chance.randrange(11)
        place = chance.choice(places) if places else 1
        key, destination, copies = chance.choice(ids) if ids else (999 << 16, "dpi", 1)
        if kind <= 1:
            arrived = message(chance.randrange(50))
            arrived.received_ms = 1_000 + len(places)
            batch.append(Receive(arrived))
        elif kind <= 3:
            batch.append(_decision(chance, place))
        elif kind <= 5:
            one = Delivery(key, destination, "", attempts=chance.choice([0, 0, 0, 1, 2]), copies=copies)
            state = chance.choice([DeliveryState.DELIVERED, DeliveryState.PENDING, DeliveryState.DEAD])
            queued = state == DeliveryState.PENDING or (state == DeliveryState.DEAD and chance.random() < 0.5)
            batch.append(settled(one, state, queued=queued))
        elif kind == 6:
            before = chance.choice(list(DeliveryState))
            batch.append(Treat(key, destination, before, chance.choice(list(DeliveryState)), chance.random() < 0.5))
        elif kind == 7:
            batch.append(Requeue(Delivery(key, destination, "r2", (chance.randrange(9) + 1, 3)), chance.random() < 0.5))
        elif kind == 8:
            event = _event(chance, place)
            batch.append(
                Identify(event, [fence(place, *chance.sample(range(1, 9), 2))], tuple(event.identifiers), place=place)
            )
        elif kind == 9:
            over = _decision(chance, place)
            if over.state != MessageState.WAITING:
                over.expected = MessageState.WAITING
            batch.append(over)
        else:
            states = [
                MessageState.DEAD,
                MessageState.DISCARDED,
                MessageState.RECEIVED,
                MessageState.FILTERED,
                MessageState.WAITING,
            ]
            batch.append(Reopen(place, "main", chance.choice(states), chance.choice(states)))
    return batch


def _decision(chance: random.Random, place: int) -> Any:
    if chance.random() < 0.4:
        state = chance.choice([MessageState.FILTERED, MessageState.UNROUTED, MessageState.DEAD, MessageState.WAITING])
        event = _event(chance, place)
        if state in (MessageState.FILTERED, MessageState.UNROUTED) and chance.random() < 0.5:
            return decided(place, state, identity=[event], releases=tuple(event.identifiers))
        wait = Wait((chance.randrange(101, 106),), 9_000) if state == MessageState.WAITING else None
        return decided(place, state, wait=wait)
    deliveries = []
    for ordinal in range(chance.randint(1, 3)):
        kind = chance.choice([DeliveryKind.BYTES, DeliveryKind.BYTES, DeliveryKind.BODILESS, DeliveryKind.FENCE])
        dead = kind == DeliveryKind.BODILESS
        deliveries.append(
            delivery(
                place,
                ordinal,
                chance.choice(["dpi", "lab"]),
                kind=kind,
                lanes=tuple(chance.sample(range(1, 9), 2)),
                state=DeliveryState.DEAD if dead else DeliveryState.PENDING,
                queued=not dead or chance.random() < 0.5,
            )
        )
    identity: dict[str, Any] = {}
    if chance.random() < 0.5:
        event = _event(chance, place)
        fences = [fence(place, *chance.sample(range(1, 9), 2), destination=name) for name in ("dpi", "lab")]
        identity = {"identity": [event], "releases": tuple(event.identifiers), "fences": fences}
    return routed(place, *deliveries, keys=[chance.randrange(1, 6)], **identity)


def _event(chance: random.Random, place: int) -> IdentityEvent:
    """An event on few patients, identifiers and pairs, so that some find what others left, or don't."""
    key, hash_ = chance.randrange(1, 5), chance.randrange(101, 106)
    event = mint(key, hash_, place=place, traits=chance.randrange(3))
    event.at_ms = 1_000 + chance.randrange(40)
    if chance.random() < 0.3:
        event = reverse(event)
    elif chance.random() < 0.3:
        row = event.patients[key][1]
        assert row is not None
        event = attach(row, hash_ + 1, place=place, at_ms=event.at_ms)
    if chance.random() < 0.3:
        pair = (None, review(key, key + 1, state=ReviewState(chance.randrange(2))))
        event.reviews[key, key + 1] = pair if chance.random() < 0.7 else pair[::-1]
    return event


async def view(store: Any, places: list[int]) -> list[Any]:
    """Everything that can be read, in one value."""
    seen: list[Any] = [sorted((await balanced(store)).items())]
    for destination in ("dpi", "lab"):
        seen.append((await store.queue(destination, 0, 1_000)).items)
        seen.append([await store.queue_of(destination, lane, 0, 100) for lane in range(1, 10)])
        seen.append(list(await store.queries.dead(destination=destination, limit=1_000)))
        seen.append(await store.queries.queue_summary(destination, now_ms=0))
    seen.append((await store.unrouted("main", 0, 1_000, 1 << 30)).items)
    seen.append([await store.queries.find_messages(keys=[key], limit=1_000) for key in range(1, 6)])
    seen.append(await store.queries.find_messages(limit=1_000))
    states = ("dead", "waiting", "delivered")
    seen.append([await store.queries.find_messages(state=state, limit=1_000) for state in states])
    seen.append([await store.queries.deliveries_of(place) for place in places])
    seen.append(await store.recent("gam", 0, 1_000))
    seen.append(await store.identities(range(101, 110), range(1, 10), range(3)))
    seen.append(await store.identity_facts())
    seen.append(await store.waiting_until(1 << 50, 1_000))
    seen.append(await store.queries.identity_events(limit=1_000))
    seen.append([await store.queries.identity_events(patient=key, identifier=100 + key) for key in range(1, 6)])
    seen.append(await store.queries.reviews(Pairs(state=None), limit=1_000))
    seen.append(await store.queries.identity_rows())
    seen.append(await store.queries.identity_stats())
    seen.append(await store.queries.carriers(range(1, 4), limit=1_000))
    return seen


@pytest.mark.parametrize("seed", range(12))
def test_stores_agree(seed: int, tmp_path: Path) -> None:
    """The same random history of batches, crashes and prunings leaves the same rows, counters and refusals."""

    async def run() -> None:
        houses = [kind(tmp_path / name) for name, kind in sorted(HOUSES.items())]
        stores = [(await house.open())[0] for house in houses]
        generators = [random.Random(seed) for _ in houses]
        places: list[int] = []
        ids: list[tuple[int, str, int]] = []
        for step in range(STEPS):
            results = []
            for store, chance in zip(stores, generators, strict=True):
                batch = changes_of(chance, places, ids)
                # One by one: in one commit a change must not depend on another.
                outcomes = [(await commit(store, change))[0] for change in batch]
                results.append([f"{type(change).__name__}: {out}" for change, out in zip(batch, outcomes, strict=True)])
                results[-1] += [decisions_of(change) for change in batch]
            for result in results[1:]:
                assert result == results[0]
            remember(batch, outcomes, places, ids)
            if step % 20 == 19:
                for index, house in enumerate(houses):
                    await house.crash(stores[index])
                    stores[index] = (await house.open())[0]
            if step == 30:
                for store in stores:
                    await commit(store, Prune(1_020, 1_015, 1_010))
        first, *others = [await view(store, places) for store in stores]
        for other in others:
            for mine, theirs in zip(first, other, strict=True):
                assert theirs == mine
        for store in stores:
            await store.close()

    asyncio.run(run())


def decisions_of(change: Any) -> str:
    """What the store wrote into a change on identities."""
    if not isinstance(change, (Identify, Route)):
        return ""
    return f"{[event.id for event in events_of(change)]} {change.fences} {change.released}"


def remember(batch: list[Any], outcomes: list[Any], places: list[int], ids: list[tuple[int, str, int]]) -> None:
    """Add what a batch made, to be changed later."""
    for change, outcome in zip(batch, outcomes, strict=True):
        if not isinstance(outcome, Exception):
            places += [outcome.place] if isinstance(change, Receive) else []
            ids += [(one.id, one.destination, one.copies) for one in getattr(change, "deliveries", [])]


@pytest.mark.parametrize("seed", range(6))
def test_batches_keep_the_balance(seed: int, tmp_path: Path) -> None:
    """Many changes in one commit, wrong ones among them: counters are still what a scan finds."""

    async def run() -> None:
        for name, kind in sorted(HOUSES.items()):
            house = kind(tmp_path / name)
            store, _ = await house.open()
            chance = random.Random(seed)
            places: list[int] = []
            ids: list[tuple[int, str, int]] = []
            for _ in range(STEPS):
                batch = changes_of(chance, places, ids) + changes_of(chance, places, ids)
                outcomes = await commit(store, *batch)
                remember(batch, outcomes, places, ids)
            await balanced(store)
            await store.close()

    asyncio.run(run())
