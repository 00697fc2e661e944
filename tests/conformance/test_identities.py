"""The cross-reference: events, waits, fences, in the commit of the decision that made them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.core.changes import Fulfil, Identify, Intend, Prune, Receipt, Reopen, Requeue
from engine.core.identities import IdentifierKind, IdentityEvent, ReviewState, Wait
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DELIVERIES_MAX, Delivery, DeliveryKind, Intention, delivery_id
from engine.core.ports import Queued, Urgency
from engine.errors import ChangeRefused, StoreUnavailable
from tests.conformance.identities import attach, fence, identifier, mint, patient, reverse, review, said, stay, waits
from tests.conformance.stores import (
    House,
    SqliteHouse,
    balanced,
    commit,
    decided,
    delivery,
    in_loop,
    outcome_of,
    receive,
    routed,
    settled,
    works_again,
)


async def fine(store: object, *changes: object) -> None:
    """Commit changes, all of which must be taken."""
    for outcome in await commit(store, *changes):  # type: ignore[arg-type]
        assert isinstance(outcome, Receipt), outcome


# --- events ---


@in_loop
async def test_events_and_rows_come_back_as_they_were(house: House) -> None:
    """Identifiers, patients, who is alike; the same after a crash; events as they were given, with ids in order."""
    store, _ = await house.open()
    place, other = await receive(store, 2)
    first = mint(1, 11, -12, place=place, traits=77)
    second = mint(2, 21, place=other, traits=77)
    odd = identifier(22, 2, "\x00 \udcff é", IdentifierKind.ALIAS)
    second.identifiers[22] = (None, odd)
    one = routed(place, delivery(place), identity=[first])
    two = decided(other, MessageState.FILTERED, identity=[second])
    await fine(store, one, two)
    assert (first.id, second.id) == (1, 2)
    for _ in range(2):
        rows = await store.identities([11, -12, 22, 99], [5], [77, 78])
        assert rows.identifiers == {11: identifier(11, 1), -12: identifier(-12, 1), 22: odd}
        assert rows.patients == {1: first.patients[1][1], 2: second.patients[2][1]}
        assert rows.alike == {77: (1, 2)}
        assert rows.reviews == {}
        assert (await store.identities([], [2])).patients == {2: second.patients[2][1]}
        assert await store.queries.identity_event(1) == first
        assert await store.queries.identity_events() == [second, first]
        assert await store.queries.identity_events(patient=1) == [first]
        assert await store.queries.identity_events(identifier=22) == [second]
        assert await store.queries.identity_events(before=2) == [first]
        facts = await store.identity_facts()
        assert (facts.next_patient, facts.patients, facts.identifiers, facts.events) == (3, 2, 4, 2)
        await balanced(store)
        await house.crash(store)
        store, _ = await house.open()
    await store.close()


@in_loop
async def test_events_of_one_commit_build_on_each_other(house: House) -> None:
    """A patient is made and gets identifiers before any of it was told; a wrong one takes along what builds on it."""
    store, _ = await house.open()
    places = await receive(store, 4)
    first = mint(1, 11, place=places[0])
    row = first.patients[1][1]
    assert row is not None
    second = attach(row, 12)
    wrong = mint(3, 11, place=places[2])
    wrong_row = wrong.patients[3][1]
    assert wrong_row is not None
    events = [first, second, wrong, attach(wrong_row, 13)]
    routes = [routed(place, delivery(place), identity=[event]) for place, event in zip(places, events, strict=True)]
    outcomes = await commit(store, *routes)
    assert [type(outcome) for outcome in outcomes] == [Receipt, Receipt, ChangeRefused, ChangeRefused]
    assert "somebody changed it meanwhile" in str(outcomes[2])
    assert [event.id for event in events] == [1, 2, 0, 0]
    rows = await store.identities([11, 12, 13], [3])
    assert sorted(rows.identifiers) == [11, 12]
    assert rows.patients[1].identifiers == (11, 12)
    assert [one.place for one in (await store.unrouted("main", 0, 9, 1 << 20)).items] == places[2:]
    assert (await store.identity_facts()).next_patient == 2
    await balanced(store)
    await store.close()


@in_loop
async def test_what_was_undone_is_as_before(house: House) -> None:
    """Rows, who is alike and the review list; a patient's id is never given again; an old event can't be undone."""
    store, _ = await house.open()
    places = await receive(store, 3)
    first = mint(1, 11, place=places[0], traits=7)
    second = mint(2, 21, place=places[1], traits=7)
    second.reviews[1, 2] = (None, review(1, 2))
    await fine(store, routed(places[0], delivery(places[0]), identity=[first]))
    before = await store.identities([11, 21], [2], [7])
    await fine(store, routed(places[1], delivery(places[1]), identity=[second]))
    assert (await store.identities([11, 21])).reviews == {(1, 2): review(1, 2)}
    row = first.patients[1][1]
    assert row is not None
    await fine(store, decided(places[2], MessageState.FILTERED, identity=[attach(row, 12)]))
    (outcome,) = await commit(store, Identify(reverse(first), place=places[2]))
    assert isinstance(outcome, ChangeRefused)
    await fine(store, Identify(reverse(await store.queries.identity_event(3)), place=places[2]))
    await fine(store, Identify(reverse(second), place=places[2]))
    after = await store.identities([11, 21], [2], [7])
    assert after == before
    assert await store.queries.reviews(state=None) == []
    assert (await store.identity_facts()).next_patient == 3
    assert [event.undoes for event in await store.queries.identity_events()] == [2, 3, 0, 0, 0]
    await balanced(store)
    await house.crash(store)
    store, _ = await house.open()
    assert (await store.identity_facts()).next_patient == 3
    await store.close()


@in_loop
async def test_the_pair_of_one_who_was_joined_is_still_read(house: House) -> None:
    """A link that closed a pair can be undone: its row is there when both are asked for."""
    store, _ = await house.open()
    pair = IdentityEvent("same-traits", 0, 1, reviews={(1, 2): (None, review(1, 2))})
    joined = review(1, 2, state=ReviewState.LINKED)
    first, second = mint(1, 11, place=0), mint(2, 21, place=0)
    row, gone = second.identifiers[21][1], second.patients[2][1]
    assert row is not None
    link = IdentityEvent(
        "link", 0, 2, "alice", "one person", identifiers={21: (row, replace(row, patient=1))},
        patients={2: (gone, None)}, reviews={(1, 2): (review(1, 2), joined)},
    )  # fmt: skip
    for event in (first, second, pair, link):
        await fine(store, Identify(event))
    assert (await store.identities((), (1, 2))).reviews == {(1, 2): joined}
    await fine(store, Identify(reverse(link)))
    assert (await store.identities((), (1, 2))).reviews == {(1, 2): review(1, 2)}
    await store.close()


@in_loop
async def test_every_part_of_a_patient_is_remembered(house: House) -> None:
    """A site says something else, another nothing more, identifiers go, a number goes: the event has both sides."""
    store, _ = await house.open()
    (place,) = await receive(store)
    first = mint(1, 11, 12)
    row = patient(1, said("cha", traits=5), said("chb", status="PROV"), identifiers=(11, 12), apart=(9,))
    first.patients[1] = (None, row)
    after = replace(
        row,
        number="",
        assertions=(said("cha", sex="M", traits=6), said("chc", attributes=())),
        identifiers=(12,),
        apart=(),
    )
    second = IdentityEvent("assert", 1, 1, identifiers={11: (identifier(11, 1), None)}, patients={1: (row, after)})
    await fine(store, decided(place, MessageState.UNROUTED, identity=[first, second]))
    assert await store.queries.identity_event(2) == second
    rows = await store.identities([11, 12], (), [5, 6])
    assert rows.patients == {1: after}
    assert sorted(rows.identifiers) == [12]
    assert rows.alike == {6: (1,)}
    await store.close()


@in_loop
async def test_what_dies_or_waits_decides_nothing(house: House) -> None:
    """But the pair of a conflict may come onto the review list with a dead letter."""
    store, _ = await house.open()
    places = await receive(store, 4)
    pair = IdentityEvent("ins-conflict", 1, 1, reviews={(1, 2): (None, review(1, 2, rule="ins-conflict"))})
    outcomes = await commit(
        store,
        decided(places[0], MessageState.DEAD, identity=[mint(1, 11)]),
        decided(places[1], MessageState.DEAD, identity=[pair]),
        decided(places[2], MessageState.WAITING),
        routed(places[3], delivery(places[3]), wait=Wait((1,), 2)),
    )
    assert [type(outcome) for outcome in outcomes] == [ChangeRefused, Receipt, ChangeRefused, ChangeRefused]
    assert [row["rule"] for row in await store.queries.reviews()] == ["ins-conflict"]
    await balanced(store)
    await store.close()


@in_loop
async def test_what_was_decided_on_the_same_view_as_a_refused_decision(house: House) -> None:
    """It is refused too, in this commit and in later ones: it may name patients who don't exist."""
    store, _ = await house.open()
    places = await receive(store, 9)
    for_dead = [routed(places[0], delivery(places[0]), identity=[mint(1, 11)], view=5)]
    await fine(store, *for_dead, Intend(Intention("router", "retry", {}, "alice", "", 1)))
    wrong = replace(mint(3, 11), place=2)
    outcomes = await commit(
        store,
        routed(places[1], delivery(places[1]), view=5),
        routed(places[2], delivery(places[2]), identity=[wrong], view=5),
        routed(places[3], delivery(places[3]), view=5),
        routed(places[4], delivery(places[4]), identity=[mint(4, 14)], view=4),
        routed(places[5], delivery(places[5]), view=6),
        routed(places[6], delivery(places[6])),
    )
    assert [type(one) for one in outcomes] == [Receipt, *[ChangeRefused] * 3, Receipt, Receipt]
    requeue = Requeue(delivery(places[0]), rendered_again=True, view=5)
    outcomes = await commit(
        store,
        routed(places[7], delivery(places[7]), view=5),
        routed(places[8], delivery(places[8]), view=6),
        Fulfil(1, accepted=True, outcome="", changes=[requeue]),
    )
    assert [type(one) for one in outcomes] == [ChangeRefused, Receipt, ChangeRefused]
    assert "decide again" in str(outcomes[2])
    await fine(store, *(routed(place, delivery(place), view=7) for place in (places[3], places[7])))
    await balanced(store)
    await store.close()


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
    everything = await store.queries.reviews(state=None)
    assert [(row["low"], row["state"]) for row in everything] == [(5, "apart"), (1, "open"), (3, "open")]
    assert [row["low"] for row in await store.queries.reviews()] == [1, 3]
    assert [row["low"] for row in await store.queries.reviews(after=everything[1]["id"])] == [3]
    assert [row["low"] for row in await store.queries.reviews(state=ReviewState.APART)] == [5]
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
async def test_a_batch_of_an_import_is_one_change(house: House) -> None:
    """Thousands of rows, one event a patient or one for all, between other changes: in its turn, all or nothing."""
    store, _ = await house.open()
    places = await receive(store, 4)
    held = delivery(places[0], lanes=(1_500,))
    await fine(store, routed(places[0], held), waits(places[1], 1_700))
    one, *more = (mint(key, 1_000 + key, 5_000 + key, traits=key) for key in range(1, 1_000))
    lot = mint(5_000, *range(10_000, 12_000))
    proposed = [fence(places[2], 1_500, 9), fence(places[2], 1_501, 8)]
    act = Identify(one, proposed, (1_700, 1_500), place=places[2], also=[*more, lot])
    order: list[str] = []
    last: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    first = decided(places[2], MessageState.FILTERED)
    store.submit(first, Urgency.SOON, lambda outcome: order.append(f"before {type(outcome).__name__}"))
    store.submit(act, Urgency.SOON, lambda outcome: order.append(f"import {type(outcome).__name__}"))
    after = decided(
        places[3], MessageState.FILTERED, identity=[attach(mint(7, 1_007, 5_007, traits=7).patients[7][1], 9)]
    )
    store.submit(after, Urgency.NOW, last.set_result)
    assert isinstance(await last, Receipt), "it builds on the import"
    assert order == ["before Receipt", "import Receipt"]
    assert [event.id for event in (one, *more, lot, *after.identity)] == list(range(1, 1_002))
    assert [kept.lanes for kept in act.fences] == [(1_500, 9)]
    assert act.released == [places[1]]
    (again,) = await commit(store, Identify(one, place=places[2], also=more))
    assert isinstance(again, ChangeRefused)
    assert (await store.identity_facts()).identifiers == 2 * 999 + 2_000 + 1
    assert [event.id for event in await store.queries.identity_events(identifier=10_003)] == [1_000]
    await balanced(store)
    await store.close()


# --- waits ---


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


@in_loop
async def test_events_live_as_long_as_the_link(house: House) -> None:
    """Pruned are old ones of which no identifier and no patient is left, but never the newest."""
    store, _ = await house.open()
    places = await receive(store, 4)
    gone, stays = mint(1, 11, place=places[0]), mint(2, 21, place=places[1])
    await fine(store, decided(places[0], MessageState.FILTERED, identity=[gone]))
    await fine(store, decided(places[1], MessageState.FILTERED, identity=[stays]))
    await fine(store, Identify(reverse(gone), place=places[1]))
    last = mint(3, 31, place=places[2])
    await fine(store, decided(places[2], MessageState.FILTERED, identity=[last]))
    await fine(store, Prune(1, 1, 2_500))
    assert [event.id for event in await store.queries.identity_events()] == [4, 3, 2]
    await fine(store, Identify(reverse(last), place=places[2]))
    await fine(store, Prune(1, 1, 9_000))
    assert [event.id for event in await store.queries.identity_events()] == [5, 2]
    assert await store.queries.identity_event(1) is None
    await balanced(store)
    await store.close()


# --- fences ---


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
async def test_the_next_patient_can_be_moved_forward_only(house: House) -> None:
    """After a restore of an older copy: numbers given since then aren't given twice."""
    store, _ = await house.open()
    await fine(store, Identify(None, next_patient=500))
    await fine(store, Identify(None, next_patient=400))
    assert (await store.identity_facts()).next_patient == 500
    await house.crash(store)
    store, _ = await house.open()
    assert (await store.identity_facts()).next_patient == 500
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


# --- all or nothing ---


@pytest.mark.parametrize("act", [False, True])
@in_loop
async def test_a_failure_at_any_statement_leaves_all_or_nothing(fallible_house: House, act: bool) -> None:
    """Events, rows, fences, releases, the message's own state: the whole decision, or none of it."""
    house = fallible_house
    step = 0
    failed = True
    while failed:
        house.move(f"{act}-{step}")
        store, _ = await house.open()
        places = await receive(store, 3)
        one = delivery(places[0], lanes=(1,))
        await fine(store, routed(places[0], one), waits(places[1], 11))
        failed = await _decide_with_a_fault(house, store, places, step, act=act)
        await house.crash(store)
        store, _ = await house.open()
        rows = await store.identities([11, 12], [1], [7])
        seen = [
            len(rows.identifiers), len(rows.patients), len(rows.alike), len(await store.queries.identity_events()),
            len(await store.queries.reviews()), len((await store.queue("dpi", 0, 9)).items) - 1,
            1 - (await store.identity_facts()).waiting, (await store.identity_facts()).next_patient - 1,
        ]  # fmt: skip
        assert seen == ([0] * 8 if failed else [2, 1, 1, 1, 1, 1 if act else 2, 1, 1]), f"step {step}"
        await balanced(store)
        await store.close()
        step += 1
    assert step > (10 if isinstance(house, SqliteHouse) else 2)


async def _decide_with_a_fault(house: House, store: object, places: list[int], step: int, *, act: bool) -> bool:
    counted = 0

    def fault(_name: str) -> None:
        nonlocal counted
        counted += 1
        if counted == step + 1:
            raise house.error()

    event = mint(1, 11, 12, place=places[2], traits=7)
    event.reviews[1, 2] = (None, review(1, 2))
    fences = [fence(places[2], 1, 2)]
    parts = {"identity": [event], "fences": fences, "releases": (11,)}
    act_of = Identify(event, fences, (11,), place=places[2])
    change = act_of if act else routed(places[2], delivery(places[2], lanes=(2,)), **parts)
    house.fault = fault
    outcome = await outcome_of(store, change, Urgency.NOW)
    house.fault = None
    if isinstance(outcome, StoreUnavailable):
        await works_again(store)
        return True
    assert isinstance(outcome, Receipt), outcome
    assert len(change.fences) == 1
    return False


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
