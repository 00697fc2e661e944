"""The cross-reference: events and rows, in the commit of the decision that made them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.core.changes import Fulfil, Identify, Intend, Prune, Receipt, Requeue
from engine.core.identities import IdentifierKind, IdentityEvent, Pairs, ReviewState, Wait
from engine.core.lifecycle import MessageState
from engine.core.messages import Intention
from engine.core.ports import Urgency
from engine.errors import ChangeRefused
from tests.conformance.identities import attach, fence, identifier, mint, patient, reverse, review, said, waits
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
)


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
    assert await store.queries.reviews(Pairs(state=None)) == []
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
