"""Fences: kept where something unfinished stands before them."""

from __future__ import annotations

from engine.core.changes import Fulfil, Identify, Intend, Prune, Receipt
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DELIVERIES_MAX, Delivery, DeliveryKind, Intention, delivery_id
from engine.core.ports import Queued
from tests.conformance.identities import attach, fence, mint
from tests.conformance.stores import (
    House,
    balanced,
    commit,
    decided,
    delivery,
    fine,
    in_loop,
    receive,
    routed,
    settled,
)


@in_loop
async def test_a_fence_stays_where_something_unfinished_holds_a_lane(house: House) -> None:
    """By its first or a later key, earlier fences and what came in the same commit included; else it goes."""
    store, _ = await house.open()
    heard: dict[str, list[int]] = {}
    for name in ("dpi", "lab", "pacs"):
        store.on_deliveries(
            name, lambda q, name=name: heard.setdefault(name, []).extend(one.id for one in q.deliveries)
        )
    places = await receive(store, 5)
    one = delivery(places[0], lanes=(5, 1))
    over = delivery(places[1], destination="lab", lanes=(1,))
    await fine(store, routed(places[0], one), routed(places[1], over))
    await fine(store, settled(over))
    later = delivery(places[4], destination="pacs", lanes=(1,))
    await fine(store, routed(places[4], later))
    change = decided(
        places[2], MessageState.FILTERED,
        fences=[fence(places[2], 1, 2), fence(places[2], 1, 2, destination="lab"),
                fence(places[2], 1, 2, destination="pacs"), fence(places[2], 2, 3)],
    )  # fmt: skip
    await fine(store, change)
    first = delivery_id(places[2], DELIVERIES_MAX)
    assert [(kept.id, kept.destination, kept.lanes) for kept in change.fences] == [
        (first, "dpi", (1, 2)), (first + 1, "dpi", (2, 3)),
    ]  # fmt: skip
    assert heard["dpi"] == [one.id, first, first + 1]
    assert heard["lab"] == [over.id]
    queue = (await store.queue("dpi", 0, 9)).items
    assert [(row.id, row.kind, row.lanes) for row in queue[1:]] == [
        (first, DeliveryKind.FENCE, (1, 2)), (first + 1, DeliveryKind.FENCE, (2, 3)),
    ]  # fmt: skip
    assert queue[1:] == change.fences
    assert [row.id for row in await store.queue_of("dpi", 3, 0, 9)] == [first + 1]
    together = delivery(places[3], lanes=(8,))
    both = routed(places[3], together, fences=[fence(places[3], 8, 9)])
    await fine(store, both)
    assert [kept.id for kept in both.fences] == [delivery_id(places[3], DELIVERIES_MAX)]
    await balanced(store)
    await store.close()


@in_loop
async def test_a_fence_ends_as_a_delivery_and_counts_nowhere(house: House) -> None:
    """Not in the balance, not in its message's ending; it is pruned with its message."""
    store, _ = await house.open()
    places = await receive(store, 3)
    one, two = delivery(places[0], lanes=(1,)), delivery(places[1], lanes=(2,))
    await fine(store, routed(places[0], one))
    change = routed(places[1], two, fences=[fence(places[1], 1, 2)])
    await fine(store, change)
    (kept,) = change.fences
    counters = await balanced(store)
    assert counters["delivery", "dpi", "pending"] == 2
    await fine(store, settled(one), settled(two))
    assert (await balanced(store))["message", "gam", "delivered"] == 2
    await fine(store, settled(kept))
    counters = await balanced(store)
    assert counters["message", "gam", "delivered"] == 2
    assert ("delivery", "dpi", "pending") not in counters
    assert await store.queue_of("dpi", 1, 0, 9) == []
    await fine(store, Prune(1 << 50, 1 << 50, 1 << 50))
    assert await store.delivery(kept.id) is None
    await balanced(store)
    await store.close()


@in_loop
async def test_an_operators_fence_stands_behind_all_that_was_decided(house: House) -> None:
    """Inside `Fulfil` and alone; two at one place follow each other; it needs no message at its own place."""
    store, _ = await house.open()
    heard: list[Queued] = []
    store.on_deliveries("dpi", heard.append)
    places = await receive(store, 3)
    one = delivery(places[0], lanes=(1,))
    await fine(store, routed(places[0], one), decided(places[1], MessageState.FILTERED, identity=[mint(1, 11)]))
    intended = (await commit(store, Intend(Intention("router", "link", {}, "alice", "same person", 1))))[0]
    assert isinstance(intended, Receipt)
    row = (await store.identities([11])).patients[1]
    act = Identify(attach(row, 12), [fence(places[1], 1, 2)], (12,), place=places[1])
    await fine(store, Fulfil(intended.place, True, "linked", [act]))
    again = Identify(None, [fence(places[1], 2, 3), fence(places[1], 5, destination="lab")], place=places[1])
    await fine(store, again)
    first = delivery_id(places[1], DELIVERIES_MAX)
    assert [kept.id for kept in (*act.fences, *again.fences)] == [first, first + 1]
    assert act.event is not None
    assert act.event.id == 2
    assert [one.id for queued in heard for one in queued.deliveries] == [one.id, first, first + 1]
    await fine(store, Prune(1 << 50, 1 << 50, 1 << 50))
    gone = Identify(None, [fence(places[1] + 1, 3, 4)], place=places[1] + 1)
    await fine(store, gone)
    nothing = Identify(None, [fence(0, 1, 2)])
    await fine(store, nothing)
    assert nothing.fences == []
    await balanced(store)
    await store.close()


@in_loop
async def test_a_requeued_delivery_meets_its_fence(house: House) -> None:
    """What is dead and passed holds no lane: no fence for it."""
    store, _ = await house.open()
    places = await receive(store, 2)
    passed = delivery(places[0], lanes=(1,), state=DeliveryState.DEAD, queued=False, kind=DeliveryKind.BODILESS)
    parked = Delivery(
        delivery_id(places[0], 1), "lab", "r", (1,), DeliveryKind.BODILESS, state=DeliveryState.DEAD, queued=True
    )
    await fine(store, routed(places[0], passed, parked))
    change = decided(
        places[1], MessageState.FILTERED, fences=[fence(places[1], 1), fence(places[1], 1, destination="lab")]
    )
    await fine(store, change)
    assert [kept.destination for kept in change.fences] == ["lab"]
    await store.close()
