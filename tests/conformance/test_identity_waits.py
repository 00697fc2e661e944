"""Messages that wait for an identifier: received again in the commit that makes it known."""

from __future__ import annotations

from dataclasses import replace

from engine.core.changes import Identify, Prune, Reopen
from engine.core.lifecycle import MessageState
from tests.conformance.identities import mint, waits
from tests.conformance.stores import (
    House,
    balanced,
    decided,
    delivery,
    fine,
    in_loop,
    receive,
    routed,
)


@in_loop
async def test_who_waits_is_received_again_when_his_identifier_is_known(house: House) -> None:
    """By any of his hashes, in the commit that made it known; others go on waiting; the counters follow."""
    store, _ = await house.open()
    places = await receive(store, 5)
    await fine(store, *(waits(place, 100 + place, 7) for place in places[:3]), waits(places[3], 8, until_ms=5))
    assert [row["state"] for row in await store.queries.find_messages(state="waiting")] == ["waiting"] * 4
    facts = await store.identity_facts()
    assert (facts.waiting, facts.next_wait_ms) == (4, 5)
    assert await store.waiting_until(4, 10) == []
    assert await store.waiting_until(9_000, 10) == [places[3], *places[:3]]
    assert await store.waiting_until(9_000, 2) == [places[3], places[0]]
    one = decided(places[4], MessageState.FILTERED, identity=[mint(1, 102)], releases=(102, 55))
    await fine(store, one)
    assert one.released == [places[1]]
    two = Identify(mint(2, 7), releases=(7,), place=places[4])
    await fine(store, two)
    assert two.released == [places[0], places[2]]
    await balanced(store)
    await house.crash(store)
    store, _ = await house.open()
    again = (await store.unrouted("main", 0, 9, 1 << 20)).items
    assert [(one.place, one.state) for one in again] == [(place, MessageState.RECEIVED) for place in places[:3]]
    row = await store.queries.message_row(places[0])
    assert (row["code"], row["reason"], row["state"]) == ("", "", "received")
    assert (await store.identity_facts()).waiting == 1
    await balanced(store)
    await store.close()


@in_loop
async def test_a_wait_ends_with_its_message(house: House) -> None:
    """Dead when it is over, sent on, or taken back by hand: nobody releases it later."""
    store, _ = await house.open()
    places = await receive(store, 4)
    await fine(store, *(waits(place, 7) for place in places[:3]))
    dead = replace(decided(places[0], MessageState.DEAD, code="E-ID-WAIT"), expected=MessageState.WAITING)
    sent = replace(routed(places[1], delivery(places[1])), expected=MessageState.WAITING)
    await fine(store, dead, sent, Reopen(places[2], "main", MessageState.WAITING, MessageState.RECEIVED))
    known = decided(places[3], MessageState.FILTERED, identity=[mint(1, 7)], releases=(7,))
    await fine(store, known)
    assert known.released == []
    assert (await store.identity_facts()).waiting == 0
    assert await store.waiting_until(99_999, 9) == []
    assert [one.place for one in (await store.unrouted("main", 0, 9, 1 << 20)).items] == [places[2]]
    await balanced(store)
    await store.close()


@in_loop
async def test_who_began_to_wait_in_the_same_commit_is_released(house: House) -> None:
    """The decision that makes the identifier known was submitted behind the wait."""
    store, _ = await house.open()
    places = await receive(store, 2)
    known = routed(places[1], delivery(places[1]), identity=[mint(1, 7)], releases=(7,))
    await fine(store, waits(places[0], 7), known)
    assert known.released == [places[0]]
    await balanced(store)
    await store.close()


@in_loop
async def test_pruning_never_touches_who_waits(house: House) -> None:
    """Neither the message nor its bytes nor its wait."""
    store, _ = await house.open()
    places = await receive(store, 3)
    await fine(store, waits(places[0], 7), decided(places[1], MessageState.FILTERED, identity=[mint(1, 70)]))
    await fine(store, Prune(1 << 50, 1 << 50, 1 << 50))
    kept = await store.message(places[0])
    assert kept is not None
    assert kept.state == MessageState.WAITING
    assert await store.message(places[1]) is None
    assert await store.waiting_until(9_000, 9) == [places[0]]
    await balanced(store)
    await store.close()
