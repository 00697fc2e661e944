"""What officers ask of the cross-reference: history, review list, carriers, export."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from engine.core.changes import Identify
from engine.core.identities import IdentityEvent, Pairs, ReviewState
from engine.core.lifecycle import FRAGMENT_WAITING, MessageState
from tests.conformance.identities import fence, identifier, mint, patient, review, said, stay, waits
from tests.conformance.stores import (
    House,
    decided,
    delivery,
    fine,
    in_loop,
    receive,
    routed,
    settled,
)


@in_loop
async def test_the_review_list_keeps_its_order(house: House) -> None:
    """A pair keeps its place when its state changes; it pages; each state is a list of its own."""
    store, _ = await house.open()
    places = await receive(store, 3)
    for place, pair in zip(places, [(5, 6), (1, 2), (3, 4)], strict=True):
        event = IdentityEvent("same-traits", place, 1, reviews={pair: (None, review(*pair))})
        await fine(store, decided(place, MessageState.FILTERED, identity=[event]))
    apart = review(5, 6, state=ReviewState.APART)
    event = IdentityEvent("apart", 3, 1, "alice", "twins", reviews={(5, 6): (review(5, 6), apart)})
    await fine(store, Identify(event, place=places[-1]))
    everything = await store.queries.reviews(Pairs(state=None))
    assert [(row["low"], row["state"]) for row in everything] == [(5, "apart"), (1, "open"), (3, "open")]
    assert [row["low"] for row in await store.queries.reviews()] == [1, 3]
    assert [row["low"] for row in await store.queries.reviews(after=everything[1]["id"])] == [3]
    assert [row["low"] for row in await store.queries.reviews(Pairs(state=ReviewState.APART))] == [5]
    stats = await store.queries.identity_stats()
    assert stats["reviews"] == {"apart": 1, "open": 2}
    assert stats["events"] == {"apart": 1, "same-traits": 3}
    await store.close()


@in_loop
async def test_an_identifier_has_its_whole_history(house: House) -> None:
    """From patient to patient, gone and back: under its hash, also what was said of it before it moved."""
    store, _ = await house.open()
    places = await receive(store, 3)
    first, second = mint(1, 11, 12), mint(2, 21)
    second.identifiers[32] = (None, stay(32, 21))
    await fine(store, decided(places[0], MessageState.FILTERED, identity=[first, second]))
    one, two = first.patients[1][1], second.patients[2][1]
    assert one is not None
    assert two is not None
    moved = IdentityEvent(
        "link", 1, 1, "alice", "one person",
        identifiers={hash_: (identifier(hash_, 1), identifier(hash_, 2)) for hash_ in (11, 12)},
        patients={1: (one, None), 2: (two, replace(two, identifiers=(11, 12, 21)))},
    )  # fmt: skip
    alone = IdentityEvent("stay", 1, 1, identifiers={31: (None, stay(31, 11))})
    await fine(store, Identify(moved, place=places[0], also=[alone]))
    gone = IdentityEvent("gone", 1, 1, identifiers={11: (identifier(11, 2), None)})
    back = IdentityEvent("back", 1, 1, identifiers={11: (None, identifier(11, 9))}, patients={9: (None, patient(9))})
    await fine(store, Identify(gone, place=places[0], also=[back]))
    for hash_, rules in (
        (11, "back gone link mint"),
        (12, "link mint"),
        (21, "mint"),
        (31, "stay"),
        (32, "mint"),
        (99, ""),
    ):
        assert [event.rule for event in await store.queries.identity_events(identifier=hash_)] == rules.split()
    assert [event.rule for event in await store.queries.identity_events(patient=1)] == ["link", "mint"]
    assert [event.rule for event in await store.queries.identity_events(identifier=11, before=5, limit=1)] == ["link"]
    await store.close()


@in_loop
async def test_carriers_are_the_deliveries_of_messages_with_a_search_key(house: House) -> None:
    """Newest first, with their times; fences carry nothing; it pages."""
    store, _ = await house.open()
    places = await receive(store, 3)
    first, second = delivery(places[0], lanes=(1,)), delivery(places[0], 1, "lab", lanes=(1,))
    third = delivery(places[1], lanes=(1,))
    change = routed(places[1], third, keys=[61], fences=[fence(places[1], 1, 2)])
    await fine(store, routed(places[0], first, second, keys=[60, 61]), change)
    await fine(store, routed(places[2], delivery(places[2]), keys=[62]))
    await fine(store, settled(first, begin_ms=2_000, end_ms=2_020))
    rows = await store.queries.carriers([61, 99])
    assert [row["delivery"] for row in rows] == [third.id, second.id, first.id]
    assert (rows[2]["destination"], rows[2]["first_ms"], rows[2]["end_ms"]) == ("dpi", 2_000, 2_020)
    assert (rows[2]["source"], rows[2]["site"], rows[2]["state"]) == ("gam", "ch1", "delivered")
    assert [row["delivery"] for row in await store.queries.carriers([61], limit=1)] == [third.id]
    assert [row["delivery"] for row in await store.queries.carriers([61], before=second.id)] == [first.id]
    await store.close()


@in_loop
async def test_an_export_pages_by_patient(house: House) -> None:
    """Each with his identifiers, stays excepted."""
    store, _ = await house.open()
    places = await receive(store, 2)
    event = mint(1, 11, 12)
    event.identifiers[13] = (None, stay(13, 11))
    await fine(store, decided(places[0], MessageState.FILTERED, identity=[event, mint(2, 21)]))
    (first,) = await store.queries.identity_rows(limit=1)
    assert first == (event.patients[1][1], [identifier(11, 1), identifier(12, 1)])
    assert [row.id for row, _ in await store.queries.identity_rows(after=1)] == [2]
    assert (await store.queries.identity_stats())["identifiers"] == {"local": 3, "stay": 1}
    rows = await store.identities([13])
    assert rows.identifiers == {13: stay(13, 11), 11: identifier(11, 1)}
    assert sorted(rows.patients) == [1]
    await store.close()


@in_loop
async def test_a_wait_says_when_it_is_over(house: House) -> None:
    """Of one message; and the first of those for a patient, the first of those for other parts."""
    store, _ = await house.open()
    one, two, part, last = await receive(store, 4)
    await fine(store, waits(one, 11, 12, until_ms=9_000), waits(two, 11, until_ms=8_000))
    await fine(store, replace(waits(part, 21, until_ms=7_000), code=FRAGMENT_WAITING))
    assert [await store.queries.wait_end(place) for place in (one, two, part, last)] == [9_000, 8_000, 7_000, 0]
    stats = await store.queries.identity_stats()
    assert (stats["waiting"], stats["waiting_until_ms"]) == (2, 8_000)
    assert (stats["parts"], stats["parts_until_ms"]) == (1, 7_000)
    await store.close()


@in_loop
async def test_the_review_list_is_asked_by_rule_site_time_and_patient(house: House) -> None:
    """As officers look at it: each narrows the pages and the counts."""
    store, _ = await house.open()
    (place,) = await receive(store, 1)
    people = {
        1: patient(1, said("cha")),
        2: patient(2, said("chb"), said("cha")),
        3: patient(3, said("chc", attributes=("chb",))),
    }
    listed = {
        (1, 2): review(1, 2, rule="merge", at_ms=10), (1, 3): review(1, 3, at_ms=20), (2, 3): review(2, 3, at_ms=30),
        (3, 9): review(3, 9, at_ms=40),
    }  # fmt: skip
    event = IdentityEvent(
        "mint", place, 1, patients={key: (None, row) for key, row in people.items()},
        reviews={pair: (None, row) for pair, row in listed.items()},
    )  # fmt: skip
    await fine(store, decided(place, MessageState.FILTERED, identity=[event]))
    for which, pairs in (
        (Pairs(), [(1, 2), (1, 3), (2, 3), (3, 9)]),
        (Pairs(living=True), [(1, 2), (1, 3), (2, 3)]),
        (Pairs(rule="same-traits"), [(1, 3), (2, 3), (3, 9)]),
        (Pairs(rule="same-traits", living=True), [(1, 3), (2, 3)]),
        (Pairs(site="chb"), [(1, 2), (2, 3)]),
        (Pairs(site="cha"), [(1, 2), (1, 3), (2, 3)]),
        (Pairs(site="chc", state=None), [(1, 3), (2, 3), (3, 9)]),
        (Pairs(site="hb"), []),
        (Pairs(since_ms=20), [(1, 3), (2, 3), (3, 9)]),
        (Pairs(patient=2), [(1, 2), (2, 3)]),
        (Pairs(patient=9), [(3, 9)]),
        (Pairs(patient=2, rule="merge", site="chb", since_ms=10, living=True), [(1, 2)]),
        (Pairs(state=ReviewState.APART), []),
    ):
        rows = await store.queries.reviews(which)
        assert [(row["low"], row["high"]) for row in rows] == pairs, which
        assert await store.queries.review_counts(which) == Counter(row["rule"] for row in rows), which
        assert await store.queries.reviews(which, limit=1) == rows[:1]
        assert await store.queries.reviews(which, after=rows[0]["id"] if rows else 0) == rows[1:]
    await store.close()
