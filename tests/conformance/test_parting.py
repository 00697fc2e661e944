"""What waits of patients who are parted: marked in the commit that parts them, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.changes import Change, Fulfil, Identify, Intend, Receipt, Remake, Requeue, Settle, Treat
from engine.core.identities import IdentityEvent
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryFlag, DeliveryKind, Intention, PayloadKind
from engine.core.ports import Queued
from engine.errors import ChangeRefused
from tests.conformance.identities import attach, identifier, mint, patient, reverse, said
from tests.conformance.stores import (
    House,
    balanced,
    commit,
    decided,
    delivery,
    in_loop,
    message,
    receive,
    routed,
    settled,
)

PARTED = DeliveryFlag.PARTED


def parted(event: IdentityEvent, hash_: int, owner: int, *, place: int = 1) -> IdentityEvent:
    """A number of a patient gets a patient of its own."""
    (before,) = [row for _, row in event.patients.values() if row is not None]
    left = replace(before, identifiers=tuple(one for one in before.identifiers if one != hash_))
    after = patient(owner, said(), identifiers=(hash_,))
    return IdentityEvent(
        "unlink", place, 3_000, "alice", "two people",
        identifiers={hash_: (identifier(hash_, before.id), identifier(hash_, owner))},
        patients={before.id: (before, left), owner: (None, after)},
    )  # fmt: skip


async def fine(store: object, *changes: Change) -> None:
    """Commit changes, all of which must be taken."""
    for outcome in await commit(store, *changes):
        assert isinstance(outcome, Receipt), outcome


async def marked(store: object, destination: str = "dpi") -> list[int]:
    """The pending deliveries of a destination that are marked."""
    return [one.id for one in await store.parted(destination, 0, 99)]  # type: ignore[attr-defined]


async def waits(
    store: object, place: int, *keys: int, first: IdentityEvent | None = None, **values: object
) -> Delivery:
    """Route a message that carries some numbers."""
    one = delivery(place, **values)  # type: ignore[arg-type]
    await fine(store, routed(place, one, keys=list(keys), identity=[] if first is None else [first]))
    return one


@in_loop
async def test_what_carries_a_number_of_who_is_parted_is_marked(house: House) -> None:
    """Waiting or dead, with bytes; nothing that has left, nor another's; it is told, and is so after a crash."""
    store, _ = await house.open()
    told: list[Queued] = []
    store.on_deliveries("dpi", told.append)
    places = await receive(store, 7)
    one = mint(1, 11, 12)
    first = await waits(store, places[0], 11, first=one)
    moved = await waits(store, places[1], 12)
    other = await waits(store, places[2], 99)
    gone = await waits(store, places[3], 12)
    dead = await waits(store, places[4], 12)
    bodiless = delivery(places[5], kind=DeliveryKind.BODILESS, state=DeliveryState.DEAD)
    await fine(store, routed(places[5], bodiless, keys=[12]))
    await fine(store, settled(gone), settled(dead, DeliveryState.DEAD))
    told.clear()
    act = Identify(parted(one, 12, 2), place=places[6])
    await fine(store, act)
    assert [(name, sorted(ids)) for name, ids in act.parted] == [("dpi", [first.id, moved.id, dead.id])]
    assert [sorted(queued.parted) for queued in told] == [[first.id, moved.id, dead.id]]
    for _ in range(2):
        assert await marked(store) == [first.id, moved.id]
        rows = {key.id: (await store.delivery(key.id)).flags for key in (other, gone, dead, bodiless)}
        assert rows == {other.id: 0, gone.id: 0, dead.id: PARTED, bodiless.id: 0}
        assert await store.parted("dpi", first.id, 1) == [await store.delivery(moved.id)]
        assert await store.parted("elsewhere", 0, 9) == []
        await balanced(store)
        await house.crash(store)
        store, _ = await house.open()
    await store.close()


@in_loop
async def test_who_is_joined_marks_nothing(house: House) -> None:
    """Nor does a number that comes, or that is written anew: only who loses one to somebody else, or to nobody."""
    store, _ = await house.open()
    places = await receive(store, 4)
    one, two = mint(1, 11), mint(2, 12)
    await waits(store, places[0], 11, first=one)
    await waits(store, places[1], 12, first=two)
    (first,) = [row for _, row in one.patients.values()]
    (second,) = [row for _, row in two.patients.values()]
    assert first is not None
    assert second is not None
    whole = replace(first, identifiers=(11, 12))
    link = IdentityEvent(
        "link", places[2], 2_500, "alice", "one person",
        identifiers={12: (identifier(12, 2), identifier(12, 1))}, patients={1: (first, whole), 2: (second, None)},
    )  # fmt: skip
    more = attach(whole, 13)
    for event in (link, more):
        act = Identify(event, place=places[2])
        await fine(store, act)
        assert act.parted == ()
    assert await marked(store) == []
    undone = Identify(reverse(more), place=places[2])
    await fine(store, undone, Identify(reverse(link), place=places[2]))
    assert [name for name, _ in undone.parted] == ["dpi"]
    assert [one >> 16 for one in await marked(store)] == places[:2]
    await store.close()


@in_loop
async def test_a_message_marks_what_was_before_it(house: House) -> None:
    """Not its own deliveries; those of a message in the same commit that was decided before it."""
    store, _ = await house.open()
    places = await receive(store, 4)
    one = mint(1, 11, 12)
    await waits(store, places[0], 11, first=one)
    before, own, behind = (delivery(place) for place in places[1:])
    route = routed(places[2], own, keys=[11, 12], identity=[parted(one, 12, 2, place=places[2])])
    await fine(store, routed(places[1], before, keys=[12]), route, routed(places[3], behind, keys=[99]))
    assert [name for name, _ in route.parted] == ["dpi"]
    assert [key >> 16 for key in await marked(store)] == places[:2]
    await store.close()


@in_loop
async def test_many_messages_of_many_destinations(house: House) -> None:
    """Whatever waits, however many numbers are parted at once."""
    store, _ = await house.open()
    places = await receive(store, 1_500)
    one = mint(1, *range(11, 31))
    routes = [
        routed(place, delivery(place, destination=f"d{place % 3}"), keys=[11 + place % 20], identity=[] if n else [one])
        for n, place in enumerate(places)
    ]
    await fine(store, *routes[:1_200])
    act = Identify(parted(one, 30, 2), place=places[-1])
    await fine(store, *routes[1_200:], act)
    assert sorted(name for name, _ in act.parted) == ["d0", "d1", "d2"]
    found = [one.id >> 16 for name, _ in act.parted for one in await store.parted(name, 0, 999)]
    assert sorted(found) == places
    await store.close()


async def one_marked(store: object, **values: object) -> Delivery:
    """Let one delivery wait that is marked; return it as it is stored."""
    (place,) = await receive(store)
    one = mint(1, 11, 12, place=place)
    key = (await waits(store, place, 12, first=one, **values)).id
    await fine(store, Identify(parted(one, 12, 2), place=place))
    row: Delivery = await store.delivery(key)  # type: ignore[attr-defined]
    assert row.flags & PARTED
    return row


@in_loop
async def test_what_is_right_leaves_as_it_was_made(house: House) -> None:
    """The mark goes, nothing else; lanes hear of it."""
    store, _ = await house.open()
    row = await one_marked(store, lanes=(5, 6), payload_kind=PayloadKind.FULL, payload=b"as it was")
    told: list[Queued] = []
    store.on_deliveries("dpi", told.append)
    await fine(store, Remake(replace(row, flags=row.flags & ~PARTED), row.attempts))
    after = await store.delivery(row.id)
    assert after == replace(row, flags=0)
    assert [[one.id for one in queued.deliveries] for queued in told] == [[row.id]]
    assert (await store.payloads([row.id], 99))[row.id] == b"as it was"
    assert [one.id for one in await store.queue_of("dpi", 6, 0, 9)] == [row.id]
    assert await marked(store) == []
    await balanced(store)
    await store.close()


@in_loop
async def test_what_is_made_anew_takes_its_place(house: House) -> None:
    """Other bytes and more lanes, the same id; attempts stay; it is found by the numbers with which it leaves now."""
    store, _ = await house.open()
    row = await one_marked(store, lanes=(5,), payload_kind=PayloadKind.FULL, payload=b"as it was")
    await fine(store, settled(row, DeliveryState.PENDING, due_ms=7_000, spent=1, flags=DeliveryFlag.POSSIBLE_DUPLICATE))
    row = await store.delivery(row.id)
    assert row.flags == PARTED | DeliveryFlag.POSSIBLE_DUPLICATE
    again = Delivery(
        row.id, "dpi", "admissions", (5, 8), type="ADT^A31", payload_kind=PayloadKind.FULL, payload=b"made anew" * 200,
        rendered=b"made anew" * 200, control_id="C9", config="c2",
    )  # fmt: skip
    await fine(store, Remake(again, row.attempts, rendered_again=True, keys=(77,)))
    assert again.rendered
    after = await store.delivery(row.id)
    assert after == replace(again, payload=None, rendered=None)
    assert (after.attempts, after.spent, after.due_ms, after.copies) == (1, 1, 7_000, 1)
    assert after.flags == DeliveryFlag.POSSIBLE_DUPLICATE
    assert (await store.payloads([row.id], 9_999))[row.id] == b"made anew" * 200
    for lane in (5, 8):
        assert [one.id for one in await store.queue_of("dpi", lane, 0, 9)] == [row.id]
    found = await store.queries.carriers([77])
    assert [one["delivery"] for one in found] == [row.id]
    await fine(store, settled(after))
    assert await store.queue_of("dpi", 8, 0, 9) == []
    await balanced(store)
    await store.close()


@in_loop
async def test_what_cannot_be_made_anew_is_dead(house: House) -> None:
    """It keeps its place, bytes and mark; counted; a retry makes it anew, and nothing brings it back as it was."""
    store, _ = await house.open()
    row = await one_marked(store, lanes=(5,), payload_kind=PayloadKind.FULL, payload=b"as it was")
    given = replace(
        row, lanes=(5, 8), state=DeliveryState.DEAD, code="E-ID-PARTED", field="PID-3", reason="two people", due_ms=9,
        flags=row.flags | DeliveryFlag.IDENTITY_EVENT,
    )  # fmt: skip
    await fine(store, Remake(given, row.attempts))
    dead = await store.delivery(row.id)
    assert dead == replace(given, payload=None)
    assert [one.id for one in await store.queue_of("dpi", 8, 0, 9)] == [row.id]
    assert await marked(store) == []
    counters = await balanced(store)
    assert (counters["delivery", "dpi", "dead"], counters["message", "gam", "dead"]) == (1, 1)
    (refused,) = await commit(store, Requeue(replace(dead)))
    assert isinstance(refused, ChangeRefused)
    assert "its route must run again" in str(refused)
    again = delivery(row.place, payload_kind=PayloadKind.FULL, payload=b"made anew", lanes=(8,))
    await fine(store, Requeue(again, rendered_again=True, keys=(77,)))
    after = await store.delivery(row.id)
    assert (after.flags, after.state, after.code) == (0, DeliveryState.PENDING, "")
    assert [one["delivery"] for one in await store.queries.carriers([77])] == [row.id]
    await balanced(store)
    await store.close()


@in_loop
async def test_what_was_sent_meanwhile_stays(house: House) -> None:
    """An attempt more, or a mark less: refused, and nothing is changed; delivered, it says that it left as it was."""
    store, _ = await house.open()
    row = await one_marked(store)
    store.sending(row.id, 1, 3)
    assert store.sent()[row.id] == 1
    fresh = replace(row, flags=0)
    early = Remake(replace(fresh), row.attempts + 1)
    wrong = Remake(replace(fresh, state=DeliveryState.DELIVERED), row.attempts)
    still = Remake(replace(row), row.attempts)
    for change in (early, wrong, still):
        (outcome,) = await commit(store, change)
        assert isinstance(outcome, ChangeRefused)
    await fine(store, settled(row, flags=0))
    assert (await store.delivery(row.id)).flags == PARTED
    (outcome,) = await commit(store, Remake(replace(fresh), row.attempts))
    assert isinstance(outcome, ChangeRefused)
    store.sending(row.id, 0, 3)
    assert store.sent()[row.id] == 0
    await balanced(store)
    await house.crash(store)
    store, _ = await house.open()
    assert store.sent() == {}
    await store.close()


@in_loop
async def test_who_parts_in_the_same_commit_is_the_last(house: House) -> None:
    """A delivery made anew before the same patients are parted once more is marked again, whatever is written first."""
    store, _ = await house.open()
    (other,) = await receive(store)
    row = await one_marked(store)
    event = await store.queries.identity_event(2)
    (after,) = [one for key, (_, one) in event.patients.items() if key == 2]
    assert after is not None
    again = IdentityEvent(
        "unlink", other, 4_000, identifiers={12: (identifier(12, 2), None)}, patients={2: (after, None)}
    )  # fmt: skip
    remake = Remake(replace(row, flags=0), row.attempts)
    outcomes = await commit(store, remake, decided(other, MessageState.FILTERED, identity=[again]))
    assert isinstance(outcomes[1], Receipt)
    assert await marked(store) == [row.id]
    await balanced(store)
    await store.close()


@in_loop
async def test_the_act_and_its_marks_are_on_disk_together(house: House) -> None:
    """Refused, nothing is marked; fulfilled, its change says where."""
    store, _ = await house.open()
    (place,) = await receive(store)
    one = mint(1, 11, 12, place=place)
    await waits(store, place, 12, first=one)
    intention = Intention("router", "identity-unlink", {}, "alice", "two people", 2_000)
    await fine(store, Intend(intention))
    stale = parted(one, 12, 2)
    stale.patients[1] = (patient(1), stale.patients[1][1])
    (outcome,) = await commit(store, Fulfil(intention.id, True, "done", [Identify(stale, place=place)]))
    assert isinstance(outcome, ChangeRefused)
    assert await marked(store) == []
    act = Identify(parted(one, 12, 2), place=place)
    await fine(store, Fulfil(intention.id, True, "done", [act]))
    assert [name for name, _ in act.parted] == ["dpi"]
    assert len(await marked(store)) == 1
    await store.close()


@pytest.mark.parametrize("verb", ["discard", "pass"])
@in_loop
async def test_an_operator_treats_it_as_any_other(house: House, verb: str) -> None:
    """A dead one that is marked is passed over, or discarded and brought back: still marked."""
    store, _ = await house.open()
    row = await one_marked(store)
    assert message().source == "gam"
    await fine(store, Settle(row.id, "dpi", 0, DeliveryState.DEAD, queued=True, begin_ms=1, end_ms=2))
    state = DeliveryState.DISCARDED if verb == "discard" else DeliveryState.DEAD
    await fine(store, Treat(row.id, "dpi", DeliveryState.DEAD, state))
    if verb == "discard":
        await fine(store, Treat(row.id, "dpi", DeliveryState.DISCARDED, DeliveryState.DEAD))
    assert (await store.delivery(row.id)).flags == PARTED
    await balanced(store)
    await store.close()
