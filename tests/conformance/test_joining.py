"""Fragments that become one message, in the commit of the decision on it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.changes import Prune, Receipt, Reopen, Requeue, Route
from engine.core.identities import Wait
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, PayloadKind
from engine.errors import ChangeRefused, StoreUnavailable
from tests.conformance.stores import (
    House,
    balanced,
    commit,
    decided,
    delivery,
    in_loop,
    receive,
    routed,
    settled,
    works_again,
)

WHOLE = b"MSH|^~\\&|synthetic 1 and 2 and 3"
LONG = b"MSH|" + b"long" * 100_000


def part(place: int, *hashes: int, until_ms: int = 9_000) -> Route:
    """The decision that a fragment waits."""
    return decided(place, MessageState.WAITING, code="E-FRAGMENT-WAITING", wait=Wait(hashes, until_ms))


def whole(place: int, *joins: int, raw: bytes = WHOLE, **values: Any) -> Route:
    """The decision on a message that holds others too."""
    return routed(place, delivery(place), joins=joins, whole=raw, **values)


async def fine(store: Any, *changes: Any) -> None:
    """Commit changes, all of which must be taken."""
    for outcome in await commit(store, *changes):
        assert isinstance(outcome, Receipt), outcome


async def states(store: Any, *places: int) -> list[str]:
    """States of messages."""
    return [(await store.queries.message_row(place))["state"] for place in places]


@in_loop
async def test_who_waits_for_what(house: House) -> None:
    """By any of its hashes each message comes with all of them; what waits no more doesn't come."""
    store, _ = await house.open()
    places = await receive(store, 4)
    await fine(store, part(places[0], 11), part(places[1], 10, 21), part(places[2], 20))
    assert await store.waiting_for([10, 11, 99]) == {places[0]: (11,), places[1]: (10, 21)}
    assert await store.waiting_for([]) == {}
    stats = await store.queries.identity_stats()
    assert (stats["waiting"], stats["parts"]) == (0, 3)
    await fine(store, decided(places[1], MessageState.DEAD, expected=MessageState.WAITING, code="E-FRAGMENT"))
    assert await store.waiting_for([10, 21]) == {}
    await balanced(store)
    await store.close()


@pytest.mark.parametrize("raw", [WHOLE, LONG], ids=["short", "long"])
@in_loop
async def test_the_whole_is_the_message_from_then_on(house: House, raw: bytes) -> None:
    """Its bytes, its size, its payload; the others are linked to it, with no wait left; the same after a crash."""
    store, _ = await house.open()
    one, two, last = await receive(store, 3)
    await fine(store, part(one, 11), part(two, 10, 21))
    await fine(store, whole(last, two, one, raw=raw))
    for _ in range(2):
        assert await states(store, one, two, last) == ["joined", "joined", "routed"]
        row = await store.queries.message_row(last)
        assert (row["joins"], row["size"]) == ([one, two], len(raw))
        first = await store.queries.message_row(one)
        assert (first["linked_to"], first["code"], first["joins"]) == (last, "E-JOINED", [])
        assert await store.queries.own_part(last) == b"MSH|^~\\&|synthetic 3"
        assert await store.queries.own_part(one) is None
        assert (await store.message(last)).raw == raw
        assert (await store.message(one)).raw == b"MSH|^~\\&|synthetic 1"
        assert await store.payloads([last << 16], 1 << 20) == {last << 16: raw}
        assert await store.waiting_for([10, 11, 21]) == {}
        assert (await store.identity_facts()).next_wait_ms == 0
        fate = await store.fate(one)
        assert (fate.state, fate.copies) == (MessageState.ROUTED, [DeliveryState.PENDING])
        recent = {each.place: each for each in await store.recent("gam", 0, 9)}
        assert (recent[one].lanes, recent[one].live) == (frozenset((recent[one].digest,)), True)
        assert [row["place"] for row in await store.queries.find_messages(state="joined")] == [two, one]
        counters = await balanced(store)
        assert counters["message", "gam", "joined"] == 2
        await house.crash(store)
        store, _ = await house.open()
    await store.close()


@in_loop
async def test_the_whole_may_wait_and_die_and_be_tried_again(house: House) -> None:
    """What waited for its parts waits for its patient, or joins others a second time."""
    store, _ = await house.open()
    one, two, three = await receive(store, 3)
    await fine(store, part(one, 11), part(two, 10))
    held = decided(
        two, MessageState.WAITING, expected=MessageState.WAITING, code="E-ID-WAITING", wait=Wait((77,), 8_000),
        joins=(one,), whole=WHOLE,
    )  # fmt: skip
    await fine(store, held)
    assert await store.waiting_for([10, 77]) == {two: (77,)}
    stats = await store.queries.identity_stats()
    assert (stats["waiting"], stats["parts"]) == (1, 0)
    await fine(store, decided(two, MessageState.DEAD, expected=MessageState.WAITING, code="E-ID-UNKNOWN"))
    await fine(store, Reopen(two, "main", MessageState.DEAD, MessageState.RECEIVED))
    await fine(store, whole(two, three, raw=WHOLE * 2))
    assert (await store.message(two)).raw == WHOLE * 2
    assert await states(store, one, two, three) == ["joined", "routed", "joined"]
    await balanced(store)
    await store.close()


@in_loop
async def test_a_fragment_that_goes_on_alone(house: House) -> None:
    """It stays so while it waits for its patient, when he is known, after a crash, and after a retry."""
    store, _ = await house.open()
    (one,) = await receive(store, 1)
    await fine(store, part(one, 11))
    assert (await store.message(one)).alone is False
    held = decided(
        one, MessageState.WAITING, expected=MessageState.WAITING, code="E-ID-WAITING", wait=Wait((77,), 8_000),
        linked_to=one,
    )  # fmt: skip
    await fine(store, held)
    await house.crash(store)
    store, _ = await house.open()
    assert (await store.message(one)).alone is True
    (other,) = await receive(store, 1)
    await fine(store, routed(other, delivery(other), releases=(77,)))
    page = await store.unrouted("main", 0, 9, 1 << 20)
    assert [(message.place, message.alone) for message in page.items] == [(one, True)]
    await fine(store, decided(one, MessageState.DEAD, code="E-ID-UNKNOWN", linked_to=one))
    await fine(store, Reopen(one, "main", MessageState.DEAD, MessageState.RECEIVED))
    assert (await store.message(one)).alone is True
    assert (await store.message(other)).alone is False
    await balanced(store)
    await store.close()


@in_loop
async def test_what_is_refused(house: House) -> None:
    """A fragment that waits no more, itself, none, another state of the whole: nothing of the change is stored."""
    store, _ = await house.open()
    one, two, three = await receive(store, 3)
    await fine(store, part(one, 11), routed(two, delivery(two)))
    for wrong in (
        whole(three, one, two),
        whole(three, one, 99),
        whole(three, three),
        routed(three, delivery(three), joins=(one,)),
        whole(three, one, expected=MessageState.WAITING),
        decided(three, MessageState.REJECTED, joins=(one,), whole=WHOLE),
    ):
        (outcome,) = await commit(store, wrong)
        assert isinstance(outcome, ChangeRefused), wrong
    assert await states(store, one, two, three) == ["waiting", "routed", "received"]
    assert await store.waiting_for([11]) == {one: (11,)}
    assert (await store.message(three)).raw == b"MSH|^~\\&|synthetic 3"
    await balanced(store)
    (good, bad) = await commit(store, whole(three, one), whole(two, one))
    assert isinstance(good, Receipt)
    assert isinstance(bad, ChangeRefused)
    await balanced(store)
    await store.close()


@in_loop
async def test_a_wait_and_what_ends_it_in_one_commit(house: House) -> None:
    """The router builds on what it decided before it hears of the commit."""
    store, _ = await house.open()
    one, two, three, four, five = await receive(store, 5)
    await fine(store, part(one, 11), part(two, 10, 21), whole(three, one, two), part(four, 11), end(five, four))
    for _ in range(2):
        assert await states(store, one, two, three, four, five) == ["joined", "joined", "routed", "dead", "dead"]
        assert await store.waiting_for([10, 11, 20, 21]) == {}
        assert (await store.message(three)).raw == WHOLE
        await balanced(store)
        await house.crash(store)
        store, _ = await house.open()
    await store.close()


@in_loop
async def test_what_is_linked(house: House) -> None:
    """By pointers whose two ends differ in the lowest bit, directly or not, in the order of places; no other waits."""
    store, _ = await house.open()
    one, two, three, four, five = await receive(store, 5)
    await fine(store, part(one, 11), part(two, 20, 31), part(three, 10, 21), part(four, 41), part(five, -8, 30))
    chain = {one: (11,), two: (20, 31), three: (10, 21), five: (-8, 30)}
    for hashes in ((11,), (10,), (30,), (-7,), (99, 31)):
        found = await store.waiting_for(hashes, linked=True)
        assert {place: tuple(sorted(own)) for place, own in found.items()} == chain
        assert list(found) == [one, two, three, five]
    assert await store.waiting_for([40], linked=True) == {four: (41,)}
    assert await store.waiting_for([50], linked=True) == await store.waiting_for([], linked=True) == {}
    await fine(store, decided(three, MessageState.DEAD, expected=MessageState.WAITING, code="E-FRAGMENT"))
    assert list(await store.waiting_for([11], linked=True)) == [one]
    await store.close()


def end(place: int, *others: int, **values: Any) -> Route:
    """The decision that fragments die together."""
    return decided(place, MessageState.DEAD, code="E-FRAGMENT", ends=others, **values)


@in_loop
async def test_fragments_die_together(house: House) -> None:
    """In one commit, for one reason; nothing waits any more, also after a crash; each is its own dead letter."""
    store, _ = await house.open()
    one, two, last = await receive(store, 3)
    await fine(store, part(one, 11), part(two, 10, 21))
    await fine(store, end(last, one, two, field="DSC-1", reason="a pointer in common"))
    for _ in range(2):
        for place in (one, two, last):
            row = await store.queries.message_row(place)
            assert (row["state"], row["code"], row["field"]) == ("dead", "E-FRAGMENT", "DSC-1")
            assert (row["reason"], row["linked_to"], row["ending"]) == ("a pointer in common", 0, "dead")
        assert await store.waiting_for([10, 11, 21]) == {}
        assert (await balanced(store))["message", "gam", "dead"] == 3
        await house.crash(store)
        store, _ = await house.open()
    await fine(store, Reopen(one, "main", MessageState.DEAD, MessageState.RECEIVED))
    await store.close()


@in_loop
async def test_one_that_waits_in_place_of_others(house: House) -> None:
    """It bars their pointers, so that they die and it waits, in one commit, after a crash too; it dies in its turn."""
    store, _ = await house.open()
    one, two, last = await receive(store, 3)
    bar = decided(
        last, MessageState.WAITING, code="E-FRAGMENT-WAITING", field="DSC-1", reason="a pointer in common",
        wait=Wait((10, 11, 21, 20), 9_000), ends=(one, two),
    )  # fmt: skip
    await fine(store, part(one, 11), part(two, 10, 21), bar)
    for _ in range(2):
        assert await states(store, one, two, last) == ["dead", "dead", "waiting"]
        rows = [await store.queries.message_row(place) for place in (one, two, last)]
        assert [row["code"] for row in rows] == ["E-FRAGMENT", "E-FRAGMENT", "E-FRAGMENT-WAITING"]
        assert {(row["field"], row["reason"]) for row in rows} == {("DSC-1", "a pointer in common")}
        found = await store.waiting_for([11])
        assert {place: set(own) for place, own in found.items()} == {last: {10, 11, 20, 21}}
        await balanced(store)
        await house.crash(store)
        store, _ = await house.open()
    assert await store.waiting_until(9_001, 9) == [last]
    await fine(store, decided(last, MessageState.DEAD, expected=MessageState.WAITING, code="E-FRAGMENT"))
    assert await store.waiting_for([10, 11, 20, 21]) == {}
    await balanced(store)
    await store.close()


@in_loop
async def test_what_does_not_die_with_another(house: House) -> None:
    """One that doesn't wait, itself, none; nothing dies with what lives: nothing of the change is stored."""
    store, _ = await house.open()
    one, two, three = await receive(store, 3)
    await fine(store, part(one, 11), routed(two, delivery(two)))
    for wrong in (
        end(three, one, two),
        end(three, one, 99),
        end(three, one, three),
        end(three, one, expected=MessageState.WAITING),
        decided(three, MessageState.UNROUTED, ends=(one,)),
    ):
        (outcome,) = await commit(store, wrong)
        assert isinstance(outcome, ChangeRefused), wrong
    assert await states(store, one, two, three) == ["waiting", "routed", "received"]
    assert await store.waiting_for([11]) == {one: (11,)}
    await balanced(store)
    await store.close()


@in_loop
async def test_a_failure_leaves_all_or_nothing(fallible_house: House) -> None:
    """Whatever fails in the commit of the whole, its fragments wait as before."""
    house = fallible_house
    store, _ = await house.open()
    one, two = await receive(store, 2)
    await fine(store, part(one, 11))

    def fault(name: str) -> None:
        if name == "commit":
            house.fault = None
            raise house.error()

    house.fault = fault
    (outcome,) = await commit(store, whole(two, one))
    assert isinstance(outcome, StoreUnavailable)
    await works_again(store)
    assert await states(store, one, two) == ["waiting", "received"]
    await fine(store, whole(two, one))
    assert await states(store, one, two) == ["joined", "routed"]
    await store.close()


@in_loop
async def test_retry_and_retention(house: House) -> None:
    """The delivery of a whole is retried from its own bytes, whether those of its fragments are there or not."""
    store, _ = await house.open()
    one, two, _ = await receive(store, 3)
    await fine(store, part(one, 11))
    copy = Delivery(two << 16, "dpi", "admissions", (5,), payload_kind=PayloadKind.RAW)
    await fine(store, routed(two, copy, joins=(one,), whole=WHOLE))
    await fine(store, settled(copy, DeliveryState.DEAD, queued=False, end_ms=2_010))
    await fine(store, Prune(bodies_before_ms=5_000, dead_before_ms=1, rows_before_ms=1))
    assert await store.message(one) is None
    await fine(store, Requeue(Delivery(two << 16, "dpi", "admissions")))
    assert await store.payloads([two << 16], 1 << 20) == {two << 16: WHOLE}
    copy.attempts = 1
    await fine(store, settled(copy))
    await fine(store, Prune(bodies_before_ms=5_000, dead_before_ms=5_000, rows_before_ms=1))
    assert await store.message(two) is None
    assert (await store.queries.message_row(two))["joins"] == []
    await balanced(store)
    await store.close()
