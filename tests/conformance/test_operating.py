"""Operators' acts and questions."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.changes import (
    Audit,
    Fulfil,
    Intend,
    Moments,
    Note,
    Receipt,
    Refuse,
    Reopen,
    Requeue,
    SetHold,
    Treat,
)
from engine.core.lifecycle import DELIVERY_TRANSITIONS, DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryFlag, DeliveryKind, Hold, Intention, PayloadKind, Refusal
from engine.core.ports import Queued
from engine.errors import ChangeRefused
from tests.conformance.stores import (
    House,
    balanced,
    commit,
    decided,
    delivery,
    receive,
    routed,
    settled,
    take,
)


def intention(verb: str = "retry", stage: str = "router") -> Intention:
    return Intention(stage, verb, {"delivery": 5, "ids": [1, 2]}, "alice", "because", 1_000)


def test_an_intention_waits_until_it_is_fulfilled(house: House) -> None:
    """It is announced with its id, read after a restart, and its outcome can be asked for."""

    async def run() -> None:
        store, _ = await house.open()
        heard: list[Intention] = []
        store.on_intentions("router", heard.append)
        mine = intention()
        (receipt,) = await commit(store, Intend(mine))
        assert heard == [mine]
        assert heard[0] is mine
        assert receipt.place == mine.id
        assert await store.queries.intention_outcome(mine.id) is None
        await house.crash(store)
        store, _ = await house.open()
        assert await store.intentions("router") == [mine]
        assert await store.intentions("delivery") == []
        outcomes = await commit(store, Fulfil(mine.id, accepted=False, outcome="stale"))
        outcomes += await commit(store, Fulfil(mine.id, accepted=True, outcome="again"))
        assert [type(outcome) for outcome in outcomes] == [Receipt, ChangeRefused]
        assert await store.intentions("router") == []
        assert await store.queries.intention_outcome(mine.id) == (False, "stale")
        await store.close()

    asyncio.run(run())


def test_all_waiting_intentions_are_found(house: House) -> None:
    """However many wait: what the start doesn't find would wait for the next one."""

    async def run() -> None:
        store, _ = await house.open()
        outcomes = await commit(store, *(Intend(intention()) for _ in range(1_001)))
        waiting = await store.intentions("router")
        assert [each.id for each in waiting] == [outcome.place for outcome in outcomes]
        await store.close()

    asyncio.run(run())


def test_fulfilling_is_all_or_nothing(house: House) -> None:
    """When one of the changes is wrong, none is made and the intention waits on."""

    async def run() -> None:
        store, _ = await house.open()
        one = await take(store)
        await commit(store, settled(one, DeliveryState.DEAD, queued=True))
        (receipt,) = await commit(store, Intend(intention("pass", "delivery")))
        right = Treat(one.id, "dpi", DeliveryState.DEAD, DeliveryState.DEAD)
        wrong = Treat(one.id, "dpi", DeliveryState.DISCARDED, DeliveryState.DEAD)
        (outcome,) = await commit(store, Fulfil(receipt.place, accepted=True, outcome="ok", changes=[right, wrong]))
        assert isinstance(outcome, ChangeRefused)
        assert (await store.delivery(one.id)).queued
        assert len(await store.intentions("delivery")) == 1
        hold = SetHold(Hold("lane", "7", 0, "alice", "because", 5))
        (outcome,) = await commit(store, Fulfil(receipt.place, accepted=True, outcome="ok", changes=[right, hold]))
        assert isinstance(outcome, Receipt)
        assert not (await store.delivery(one.id)).queued
        assert len(await store.holds()) == 1
        await balanced(store)
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("again", [False, True], ids=["as it was", "rendered again"])
def test_a_retry_keeps_the_doubt(house: House, again: bool) -> None:
    """A delivery that the receiver may have already goes back as a possible duplicate, rendered again or not."""

    async def run() -> None:
        store, _ = await house.open()
        one = await take(store)
        doubt = DeliveryFlag.POSSIBLE_DUPLICATE
        await commit(store, settled(one, DeliveryState.DEAD, flags=doubt))
        back = Delivery(one.id, "dpi", "r", one.lanes, flags=DeliveryFlag.RESULT if again else 0)
        (outcome,) = await commit(store, Requeue(back, rendered_again=again))
        assert isinstance(outcome, Receipt), outcome
        wanted = doubt | DeliveryFlag.RESULT if again else doubt
        assert (back.flags, (await store.delivery(one.id)).flags) == (wanted, wanted)
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("again", [False, True], ids=["same bytes", "rendered again"])
def test_a_dead_delivery_goes_back_to_its_place(house: House, again: bool) -> None:
    """Requeue: pending, nothing spent, attempts kept; the announced object is complete."""

    async def run() -> None:
        store, _ = await house.open()
        queued: list[Queued] = []
        one = await take(store, lanes=(4, 5), payload_kind=PayloadKind.FULL, payload=b"first", type="ADT^A01")
        later = await take(store, lanes=(5,))
        await commit(store, settled(one, DeliveryState.DEAD, spent=3, code="AE", reason="no", attempt=None))
        assert (await store.queue_of("dpi", 5, 0, 9))[0].id == later.id
        store.on_deliveries("dpi", queued.append)
        back = Delivery(one.id, "dpi", "other", (6, 7), payload_kind=PayloadKind.FULL, payload=b"second" * 500)
        if not again:
            back = Delivery(one.id, "dpi", "")
        (outcome,) = await commit(store, Requeue(back, rendered_again=again))
        assert isinstance(outcome, Receipt), outcome
        assert queued[0].deliveries[0] is back
        assert (queued[0].before, queued[0].high) == (later.id, later.id)
        found = await store.delivery(one.id)
        back.payload = None
        assert found == back
        assert (found.state, found.queued, found.attempts, found.spent, found.code) == (
            DeliveryState.PENDING, True, 1, 0, "",
        )  # fmt: skip
        assert found.lanes == ((6, 7) if again else (4, 5))
        assert [each.id for each in await store.queue_of("dpi", 5, 0, 9)] == ([] if again else [one.id]) + [later.id]
        assert [each.id for each in await store.queue_of("dpi", 7, 0, 9)] == ([one.id] if again else [])
        assert await store.payloads([one.id], 9_999) == {one.id: b"second" * 500 if again else b"first"}
        (outcome,) = await commit(store, Requeue(Delivery(one.id, "dpi", "")))
        assert isinstance(outcome, ChangeRefused)
        await balanced(store)
        await commit(store, settled(found))
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_a_delivery_without_bytes_is_rendered_or_refused(house: House) -> None:
    """What died in the router can't go back without bytes."""

    async def run() -> None:
        store, _ = await house.open()
        one = await take(store, kind=DeliveryKind.BODILESS, state=DeliveryState.DEAD, code="E-MAP-MISS")
        (outcome,) = await commit(store, Requeue(Delivery(one.id, "dpi", "")))
        assert isinstance(outcome, ChangeRefused)
        (outcome,) = await commit(store, Requeue(Delivery(one.id, "dpi", "r", one.lanes), rendered_again=True))
        assert isinstance(outcome, Receipt), outcome
        assert len(await store.payloads([one.id], 100)) == 1
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_treatments_follow_the_table_of_transitions(house: House) -> None:
    """Every pair of states: allowed as lifecycle says (pending only by Requeue), the balance holds."""

    async def run() -> None:
        store, _ = await house.open()
        for before in DeliveryState:
            for after in DeliveryState:
                one = await take(store, lanes=(1, 2))
                if before in (DeliveryState.DELIVERED, DeliveryState.DEAD):
                    await commit(store, settled(one, before))
                elif before == DeliveryState.CANCELLED:
                    await commit(store, Treat(one.id, "dpi", DeliveryState.PENDING, before))
                elif before == DeliveryState.DISCARDED:
                    await commit(store, settled(one, DeliveryState.DEAD))
                    await commit(store, Treat(one.id, "dpi", DeliveryState.DEAD, before))
                (outcome,) = await commit(store, Treat(one.id, "dpi", before, after, queued=True))
                allowed = after in DELIVERY_TRANSITIONS[before] and after != DeliveryState.PENDING
                if allowed and before == DeliveryState.PENDING and after == DeliveryState.DELIVERED:
                    allowed = True
                assert isinstance(outcome, Receipt) is allowed, (before, after, outcome)
                found = await store.delivery(one.id)
                assert found.state == (after if allowed else before)
                if allowed:
                    assert found.queued is (after == DeliveryState.DEAD)
                    assert bool(list(await store.queue_of("dpi", 2, one.id, 1))) is found.queued
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_a_message_is_reopened_or_discarded(house: House) -> None:
    """DEAD ⇄ DISCARDED, and back to RECEIVED, where the router finds it again."""

    async def run() -> None:
        store, _ = await house.open()
        (place,) = await receive(store)
        await commit(store, decided(place, MessageState.DEAD, code="E-SITE", reason="unknown site"))
        (row,) = await store.queries.dead_messages()
        assert (row["place"], row["code"], row["ending"]) == (place, "E-SITE", "dead")
        dead, discarded, received = MessageState.DEAD, MessageState.DISCARDED, MessageState.RECEIVED
        for before, after, allowed in (
            (dead, discarded, True),
            (dead, received, False),
            (discarded, received, False),
            (discarded, dead, True),
            (dead, MessageState.ROUTED, False),
            (dead, received, True),
        ):
            (outcome,) = await commit(store, Reopen(place, "main", before, after))
            assert isinstance(outcome, Receipt) is allowed, (before, after, outcome)
            await balanced(store)
        page = await store.unrouted("main", 0, 10, 1 << 20)
        assert [each.place for each in page.items] == [place]
        assert (await store.queries.message_row(place))["code"] == ""
        await commit(store, routed(place, delivery(place)))
        await balanced(store)
        assert isinstance((await commit(store, Reopen(99, "main", dead, received)))[0], ChangeRefused)
        await store.close()

    asyncio.run(run())


def test_holds_are_set_replaced_and_removed(house: House) -> None:
    """One hold of a kind and a name; it survives a restart."""

    async def run() -> None:
        store, _ = await house.open()
        await commit(store, SetHold(Hold("destination", "dpi", 0, "alice", "first", 5)))
        await commit(store, SetHold(Hold("destination", "dpi", 99, "bob", "second", 6)))
        await commit(store, SetHold(Hold("route", "dpi", 0, "bob", "third", 7)))
        await house.crash(store)
        store, _ = await house.open()
        assert [(each.kind, each.until_ms, each.who) for each in await store.holds()] == [
            ("destination", 99, "bob"),
            ("route", 0, "bob"),
        ]
        await commit(store, SetHold(Hold("destination", "dpi", -1, "bob", "", 8)))
        assert [each.kind for each in await store.holds()] == ["route"]
        await store.close()

    asyncio.run(run())


def test_refusals_are_bounded_and_cut(house: House) -> None:
    """The last 1,000 of each source, newest first, their bytes cut."""

    async def run() -> None:
        store, _ = await house.open()
        for start in range(0, 1_050, 150):
            moments = range(start, start + 150)
            rows = [Refusal("gam", "192.0.2.1", at, "E-NO-HEADER", "no header", 9, b"x") for at in moments]
            await commit(store, *(Refuse(row) for row in rows))
        await commit(store, Refuse(Refusal("lis", "192.0.2.2", 5, "E-TOO-LONG", "too long", 100_000, b"y" * 100_000)))
        assert len(await store.queries.refusals(source="gam", limit=5_000)) <= 1_000
        newest = await store.queries.refusals(source="gam", limit=2)
        assert [row["at_ms"] for row in newest] == [1_049, 1_048]
        (row,) = await store.queries.refusals(limit=1)
        assert (row["source"], row["size"], "raw" in row) == ("lis", 100_000, False)
        await store.close()

    asyncio.run(run())


def test_audit_and_notes(house: House) -> None:
    """The audit trail, newest first; counters of others are added up."""

    async def run() -> None:
        store, _ = await house.open()
        await commit(store, Audit(5, "alice", "reveal", "48211", "because"), Audit(6, "bob", "hold", "dpi", "why"))
        assert [row["who"] for row in await store.queries.actions()] == ["bob", "alice"]
        assert len(await store.queries.actions(limit=1)) == 1
        await commit(store, Note({("source", "gam", "noise"): 3}), Note({("source", "gam", "noise"): 4}))
        assert (await store.queries.counters())["source", "gam", "noise"] == 7
        await store.close()

    asyncio.run(run())


def test_find_messages(house: House) -> None:
    """By key, source, state or ending, control id, time, page; newest first."""

    async def run() -> None:
        store, _ = await house.open()
        a, b, c, d = await receive(store, 4)
        (other,) = await receive(store, source="lis")
        one, two = delivery(a), delivery(b)
        await commit(store, routed(a, one, keys=[11, 12]), routed(b, two, keys=[12]))
        await commit(store, decided(c, MessageState.FILTERED), decided(d, MessageState.DEAD))
        await commit(store, settled(one))

        async def places(**values: object) -> list[int]:
            return [row["place"] for row in await store.queries.find_messages(**values)]

        assert await places() == [other, d, c, b, a]
        assert await places(limit=2) == [other, d]
        assert await places(before=c) == [b, a]
        assert await places(keys=[12]) == [b, a]
        assert await places(keys=[11, 99]) == [a]
        assert await places(keys=[99]) == []
        assert await places(source="lis") == [other]
        assert await places(source="nobody") == []
        assert await places(state="delivered") == [a]
        assert await places(state="waiting") == [b]
        assert await places(state="routed") == [b, a]
        assert await places(state="dead") == [d]
        assert await places(state="received") == [other]
        assert await places(state="nonsense") == []
        assert await places(control_id="C2") == [b]
        assert await places(since_ms=1_003, source="gam") == [d, c]
        assert await places(until_ms=1_003, source="gam") == [b, a]
        row = await store.queries.message_row(a)
        assert (row["source"], row["site"], row["state"], row["ending"], row["body"], row["config"]) == (
            "gam", "ch1", "routed", "delivered", True, "c1",
        )  # fmt: skip
        assert await store.queries.message_row(999) is None
        await store.close()

    asyncio.run(run())


def test_dead_letters_and_queues_in_figures(house: House) -> None:
    """Dead deliveries page by id over all destinations; the summary counts what waits."""

    async def run() -> None:
        store, _ = await house.open()
        ones = [await take(store, destination=name, lanes=(n,)) for n, name in enumerate(["dpi", "lab"] * 3, 1)]
        for one in ones[:4]:
            await commit(store, settled(one, DeliveryState.DEAD, queued=one is ones[2], code="AE"))
        rows = await store.queries.dead(limit=3)
        assert [row["delivery"] for row in rows] == [one.id for one in ones[:3]]
        shown = [rows[0][key] for key in ("source", "site", "received_ms", "code")]
        assert shown == ["gam", "ch1", 1_001, "AE"]
        assert [row["delivery"] for row in await store.queries.dead(after=rows[2]["delivery"])] == [ones[3].id]
        assert len(await store.queries.dead(destination="lab")) == 2
        await commit(store, settled(ones[4], DeliveryState.PENDING, due_ms=10_000))
        assert await store.queries.queue_summary("dpi", now_ms=5_000) == {
            "destination": "dpi", "waiting": 1, "parked": 1, "due_later": 1, "oldest_ms": 1_001, "lanes": 2,
        }  # fmt: skip
        assert (await store.queries.queue_summary("nobody", now_ms=0))["waiting"] == 0
        await store.close()

    asyncio.run(run())


def test_facts_have_the_same_keys_everywhere(house: House) -> None:
    """What status reads is there, whatever the store."""

    async def run() -> None:
        store, _ = await house.open()
        await receive(store)
        facts = await store.queries.facts()
        assert set(facts) == {
            "store", "version", "path", "data_bytes", "wal_bytes", "free_bytes", "commit_p50_ms", "commit_p99_ms",
            "commits", "changes_waiting", "bytes_waiting", "highest_place", "started_ms", "stopped_ms", "trouble",
            "shortage", "disk_full",
        }  # fmt: skip
        assert (facts["highest_place"], facts["started_ms"], facts["trouble"]) == (1, 1_000, "")
        assert (facts["shortage"], facts["disk_full"]) == ("", False)
        assert len(store.reference_key) >= 16
        await store.close()

    asyncio.run(run())


def test_moments_outlive_a_run(house: House) -> None:
    """The last value of each counts, also after a crash; names may hold anything."""

    async def run() -> None:
        store, _ = await house.open()
        assert await store.queries.moments() == {}
        await commit(store, Moments({("received", "gam"): 3, ("outage", "a:b"): 4}))
        await commit(store, Moments({("received", "gam"): 5}))
        await house.crash(store)
        store, _ = await house.open()
        assert await store.queries.moments() == {("received", "gam"): 5, ("outage", "a:b"): 4}
        await store.close()

    asyncio.run(run())


def test_intentions_are_found_by_their_moment(house: House) -> None:
    """With what became of them; those of other moments are left out."""

    async def run() -> None:
        store, _ = await house.open()
        intents = [Intend(Intention("router", "retry", {}, "alice", f"because {at}", at)) for at in (7, 7, 8, 9)]
        await commit(store, *intents)
        one, two = intents[0].intention.id, intents[1].intention.id
        await commit(store, Fulfil(one, True, "done"), Fulfil(two, False, "not dead"))
        rows = await store.queries.intended_at([7, 8, 99])
        assert [(row["at_ms"], row["accepted"], row["outcome"]) for row in rows] == [
            (7, True, "done"), (7, False, "not dead"), (8, None, ""),
        ]  # fmt: skip
        assert (rows[0]["id"], rows[0]["who"], rows[0]["stage"], rows[0]["verb"], rows[0]["reason"]) == (
            one, "alice", "router", "retry", "because 7",
        )  # fmt: skip
        assert await store.queries.intended_at([]) == []
        await store.close()

    asyncio.run(run())
