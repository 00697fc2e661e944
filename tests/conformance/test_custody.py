"""Commit, announce, crash: what makes an acknowledgement true."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from engine.core.changes import Note, Receipt, Receive, Refuse
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryKind, Refusal
from engine.core.ports import Queued, Received, Urgency
from engine.errors import ChangeRefused, StoreLocked, StoreUnavailable
from tests.conformance.stores import (
    House,
    balanced,
    commit,
    decided,
    delivery,
    message,
    outcome_of,
    receive,
    routed,
    settled,
    take,
    works_again,
)


def test_places_increase_and_done_comes_in_order_of_submission(house: House) -> None:
    """Places follow the order of submission, and so do the calls of `done`."""

    async def run() -> None:
        store, _ = await house.open()
        order: list[int] = []
        for number in range(300):
            store.submit(Receive(message(number)), Urgency.NOW, lambda receipt: order.append(receipt.place))
            if number % 37 == 0:
                await asyncio.sleep(0)
        await receive(store)
        assert order == sorted(order)
        assert len(set(order)) == 300
        await store.close()

    asyncio.run(run())


def test_who_waits_for_an_answer_is_told_first(house: House) -> None:
    """A commit's receptions before its routes and what these set going: their senders wait."""

    async def run() -> None:
        store, _ = await house.open()
        await receive(store)
        order: list[str] = []
        store.on_routed("main", lambda _: order.append("listener"))
        store.submit(routed(1, delivery(1)), Urgency.SOON, lambda _: order.append("route"))
        store.submit(Receive(message(2)), Urgency.NOW, lambda _: order.append("first"))
        store.submit(Receive(message(3)), Urgency.NOW, lambda _: order.append("second"))
        await outcome_of(store, Note({}))
        await store.close()
        assert order == ["first", "second", "route", "listener"]

    asyncio.run(run())


def test_announced_marks_chain_and_objects_are_the_submitted_ones(house: House) -> None:
    """`before` of an announcement is `high` of the one before it; nothing is copied."""

    async def run() -> None:
        store, _ = await house.open()
        heard: list[Received] = []
        queued: list[Queued] = []
        decisions: list[object] = []
        order: list[str] = []
        store.on_received("main", heard.append)
        store.on_deliveries("dpi", queued.append)
        store.on_routed("main", decisions.extend)
        store.on_deliveries("dpi", lambda _queued: order.append("announced"))
        sent = [message(number) for number in range(40)]
        for chunk in (sent[:1], sent[1:25], sent[25:]):
            await commit(store, *(Receive(each) for each in chunk))
        await receive(store, group="other")
        assert [each for one in heard for each in one.messages] == sent
        flat = [each for one in heard for each in one.messages]
        assert all(each is other for each, other in zip(flat, sent, strict=True))
        for before, after in itertools.pairwise(heard):
            assert after.before == before.high == before.messages[-1].place
        deliveries = [delivery(each.place) for each in sent]
        decision = routed(sent[0].place, deliveries[0])
        store.submit(decision, Urgency.NOW, lambda _receipt: order.append("done"))
        await commit(store, *(routed(one.place, one) for one in deliveries[1:]))
        assert order[:2] == ["done", "announced"]
        assert decisions[0] is decision
        announced = [each for one in queued for each in one.deliveries]
        assert all(each is other for each, other in zip(announced, deliveries, strict=True))
        assert queued[0].before == 0
        for before, after in itertools.pairwise(queued):
            assert after.before == before.high
        await store.close()

    asyncio.run(run())


def test_dead_without_a_place_is_not_announced(house: House) -> None:
    """A delivery that died with the policy `pass` takes no place: lanes never hear of it; a parked one is heard of."""

    async def run() -> None:
        store, _ = await house.open()
        queued: list[Queued] = []
        store.on_deliveries("dpi", queued.append)
        (place,) = await receive(store)
        values = {"kind": DeliveryKind.BODILESS, "state": DeliveryState.DEAD}
        parked = delivery(place, 1, **values)
        await commit(store, routed(place, delivery(place, 0, queued=False, **values), parked))
        assert [each.id for one in queued for each in one.deliveries] == [parked.id]
        assert [one.id for one in (await store.queue("dpi", 0, 10)).items] == [parked.id]
        await balanced(store)
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("clean", [True, False], ids=["stopped", "crashed"])
def test_what_done_said_is_there_after_a_restart(house: House, clean: bool) -> None:
    """Everything whose `done` was called survives; `open` says how the last run ended."""

    async def run() -> None:
        store, first = await house.open()
        assert first.clean
        assert not first.maybe_sent
        places = await receive(store, 20)
        deliveries = [delivery(place, lanes=(1, 2, 3)) for place in places[:15]]
        await commit(store, *(routed(one.place, one, keys=[one.place]) for one in deliveries))
        await commit(store, *(settled(one) for one in deliveries[:10]))
        kept = await balanced(store)
        await (store.close() if clean else house.crash(store))
        again, recovery = await house.open()
        assert recovery.clean is clean
        assert await balanced(again) == kept
        page = await again.unrouted("main", 0, 100, 1 << 20)
        assert [each.place for each in page.items] == places[15:]
        assert page.high == places[-1]
        queue = await again.queue("dpi", 0, 100)
        assert [each.id for each in queue.items] == [one.id for one in deliveries[10:]]
        assert queue.high == deliveries[-1].id
        assert queue.items[0].lanes == (1, 2, 3)
        assert (await again.queries.find_messages(keys=[places[3]]))[0]["place"] == places[3]
        assert (await receive(again))[0] > places[-1]
        await again.close()

    asyncio.run(run())


def test_what_was_not_committed_is_there_whole_or_not_at_all(house: House) -> None:
    """A crash while changes wait leaves each of them whole or absent."""

    async def run() -> None:
        store, _ = await house.open()
        places = await receive(store, 30)
        for place in places:
            store.submit(routed(place, delivery(place, 0), delivery(place, 1, "archive")), Urgency.SOON)
        for number in range(50):
            store.submit(Receive(message(number)), Urgency.NOW)
        await asyncio.sleep(0)
        await house.crash(store)
        again, _ = await house.open()
        await balanced(again)
        for place in places:
            row = await again.queries.message_row(place)
            assert len(await again.queries.deliveries_of(place)) == (2 if row["state"] == "routed" else 0)
        await again.close()

    asyncio.run(run())


def test_close_commits_what_was_submitted_and_refuses_the_rest(house: House) -> None:
    """A clean stop loses nothing, lazy changes included; afterwards `done` says that the store is closed."""

    async def run() -> None:
        store, _ = await house.open()
        lazy = [outcome_of(store, Receive(message(number)), Urgency.LAZY) for number in range(5)]
        await store.close()
        assert [outcome.result().place for outcome in lazy] == [1, 2, 3, 4, 5]
        assert isinstance(await outcome_of(store, Note({})), StoreUnavailable)
        again, _ = await house.open()
        assert (await again.queries.counters())["received", "gam", "total"] == 5
        await again.close()

    asyncio.run(run())


def test_soon_and_lazy_changes_are_committed_without_company(house: House) -> None:
    """Nothing waits for a NOW change that never comes."""

    async def run() -> None:
        store, _ = await house.open()
        for place, urgency in enumerate((Urgency.SOON, Urgency.LAZY), 1):
            outcome = await asyncio.wait_for(outcome_of(store, Receive(message()), urgency), 5)
            assert isinstance(outcome, Receipt)
            assert outcome.place == place
        await store.close()

    asyncio.run(run())


def test_one_owner(house: House) -> None:
    """A second store on the same place is told who holds it."""

    async def run() -> None:
        store, _ = await house.open()
        with pytest.raises(StoreLocked, match="held by"):
            await house.open()
        await store.close()
        again, _ = await house.open()
        await again.close()

    asyncio.run(run())


def test_only_the_culprit_fails(house: House) -> None:
    """Wrong changes among right ones fail alone, with a sentence; their neighbours are stored."""

    async def run() -> None:
        store, _ = await house.open()
        one, two, three = await receive(store, 3)
        first, second = delivery(one), delivery(two)
        stranger = delivery(99)
        outcomes = await commit(
            store,
            routed(one, first),
            routed(two, second),
            routed(two, delivery(two, 5)),
            routed(77, delivery(77)),
            Receive(message()),
            decided(three, MessageState.ROUTED),
            decided(three, MessageState.DISCARDED),
            settled(stranger),
            decided(three, MessageState.FILTERED),
        )
        wrong = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, ChangeRefused)]
        assert wrong == [2, 3, 5, 6, 7]
        assert all(isinstance(outcomes[index], Receipt) for index in (0, 1, 4, 8))
        (refused,) = await commit(store, settled(delivery(one, attempts=4)))
        assert isinstance(refused, ChangeRefused)
        assert "pending after 0" in str(refused)
        twice = await commit(store, settled(first), settled(first))
        assert [type(outcome) for outcome in twice] == [Receipt, ChangeRefused]
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_a_failure_at_any_statement_leaves_all_or_nothing(fallible_house: House) -> None:
    """Whatever statement fails: every change of the commit fails, nothing of it is stored, and all works again."""

    async def scenario(store: object, places: list[int], old: object) -> list[object]:
        large = delivery(places[1], 0, payload_kind=1, payload=b"x" * 5_000, lanes=(1, 2))
        return await commit(
            store,
            Receive(message(9, source="lis")),
            routed(places[0], delivery(places[0], 0, code="E-NEW"), delivery(places[0], 1, "archive"), keys=[5, 6]),
            routed(places[1], large),
            settled(old, flags=1),
        )

    house = fallible_house

    async def run() -> None:
        names: list[str] = []
        failed = index = 0
        while failed or index == 0:
            failed = 0
            store, _ = await house.open()
            places = await receive(store, 2)
            old = await take(store, lanes=(1, 2))
            before = await balanced(store)
            trouble: list[object] = []
            store.on_trouble(trouble.append)
            calls = 0

            def fault(name: str, at: int = index) -> None:
                nonlocal calls, failed
                names.append(name)
                calls += 1
                if calls == at + 1:
                    failed += 1
                    raise house.error()

            house.fault = fault
            outcomes = await scenario(store, places, old)
            house.fault = None
            if failed:
                assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes), (index, names[-1], outcomes)
                await works_again(store)
                assert await balanced(store) == before
                assert [each.place for each in (await store.unrouted("main", 0, 9, 1 << 20)).items][-2:] == places
                assert isinstance(trouble[0], StoreUnavailable)
                assert trouble[-1] is None
                outcomes = await scenario(store, places, old)
            assert all(isinstance(outcome, Receipt) for outcome in outcomes), (index, outcomes)
            await balanced(store)
            await store.close()
            house.move(f"n{index}")
            index += 1
        assert index > 5

    asyncio.run(run())


def test_a_read_never_shows_what_was_not_announced(house: House) -> None:
    """Pages and announcements have one order: a page holds nothing that is announced after it."""

    async def run() -> None:
        store, _ = await house.open()
        announced = 0

        def hear(received: Received) -> None:
            nonlocal announced
            announced = received.high

        store.on_received("main", hear)
        waiting = []
        for number in range(400):
            waiting.append(outcome_of(store, Receive(message(number))))
            if number % 10 == 0:
                page = await store.unrouted("main", max(0, announced - 5), 1_000, 1 << 20)
                assert page.high <= announced
                assert [each.place for each in page.items] == sorted(each.place for each in page.items)
        await asyncio.gather(*waiting)
        page = await store.unrouted("main", 0, 1_000, 1 << 20)
        assert page.high == announced == 400
        await store.close()

    asyncio.run(run())


def test_in_flight_is_reported_until_settled(house: House) -> None:
    """After a crash the deliveries that were leaving are named, also after a second one; settled ones are not."""

    async def run() -> None:
        store, _ = await house.open()
        one, two, three = [await take(store), await take(store), await take(store, destination="archive")]
        for slot, each in enumerate((one, two, three)):
            store.sending(each.id, 1, slot)
        await commit(store, settled(two))
        await house.crash(store)
        for _ in range(2):
            store, recovery = await house.open()
            assert recovery.maybe_sent == {"dpi": [one.id], "archive": [three.id]}
            assert (await store.delivery(one.id)).flags & 1
            await house.crash(store)
        store, recovery = await house.open()
        await commit(store, settled(one), settled(three))
        store.sending(one.id, 1, 4)
        await house.crash(store)
        store, recovery = await house.open()
        assert recovery.maybe_sent == {}
        await store.close()

    asyncio.run(run())


def test_load_rises_with_the_backlog(house: House) -> None:
    """`load` tells how much waits to be committed, then to be routed, and falls to 0."""

    async def run() -> None:
        store, _ = await house.open()
        for number in range(4_000):
            store.submit(Receive(message(number)), Urgency.LAZY)
        assert 0.4 < store.load <= 1.0
        await receive(store)
        assert store.load == 1.0
        decisions = [decided(place, MessageState.UNROUTED) for place in range(1, 4_002)]
        await commit(store, *decisions[:-24])
        assert 0.1 < store.load < 0.3
        await commit(store, *decisions[-24:])
        assert store.load == 0.0
        await store.close()

    asyncio.run(run())


def test_bytes_of_refusals_count_in_the_load(house: House) -> None:
    """64 KB refused weigh as much as 64 KB received."""

    async def run() -> None:
        store, _ = await house.open()
        for number in range(300):
            refusal = Refusal("gam", "192.0.2.7", number, "E-NO-HEADER", "no header", 65_536, b"x" * 65_536)
            store.submit(Refuse(refusal), Urgency.LAZY)
        assert 0.5 < store.load <= 1.0
        await receive(store)
        assert store.load < 0.01
        await store.close()

    asyncio.run(run())


def test_refusals_are_counted_for_good(house: House) -> None:
    """Over a restart, and beyond the number of those that are kept; a change that fails counts nothing."""

    async def run() -> None:
        store, _ = await house.open()
        for number in range(1_005):
            store.submit(Refuse(Refusal("gam", "192.0.2.7", number, "E-NO-HEADER", "no header", 9)), Urgency.SOON)
        await commit(store, Refuse(Refusal("gam", "192.0.2.7", 9, "E-EMPTY", "empty", 0)))
        await store.close()
        store, _ = await house.open()
        counters = await store.queries.counters()
        assert counters["refused", "gam", "E-NO-HEADER"] == 1_005
        assert counters["refused", "gam", "E-EMPTY"] == 1
        assert len(await store.queries.refusals(source="gam", limit=2_000)) == 1_000
        await store.close()

    asyncio.run(run())
