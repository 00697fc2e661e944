"""Reads of the stages: bounded, in order, as the port says."""

from __future__ import annotations

import asyncio

from engine.core import splices
from engine.core.changes import Prune, Receipt, Receive
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Attempt, DeliveryFlag, DeliveryKind, Fate, PayloadKind, part_flags
from tests.conformance.stores import (
    House,
    balanced,
    commit,
    decided,
    delivery,
    message,
    receive,
    routed,
    settled,
    take,
)


def test_unrouted_is_bounded_by_number_and_bytes(house: House) -> None:
    """A page holds at most `limit` messages or `max_bytes`, and at least one message."""

    async def run() -> None:
        store, _ = await house.open()
        await commit(store, *(Receive(message(n, raw=b"x" * 100)) for n in range(10)))
        await commit(store, Receive(message(11, group="other")))
        page = await store.unrouted("main", 0, 4, 1 << 20)
        assert ([each.place for each in page.items], page.high) == ([1, 2, 3, 4], 4)
        page = await store.unrouted("main", 4, 100, 250)
        assert ([each.place for each in page.items], page.high) == ([5, 6], 6)
        page = await store.unrouted("main", 6, 100, 1)
        assert ([each.place for each in page.items], page.high) == ([7], 7)
        page = await store.unrouted("main", 9, 100, 1 << 20)
        assert ([each.place for each in page.items], page.high) == ([10], 10)
        assert page.items[0].raw == b"x" * 100
        assert (await store.unrouted("nobody", 0, 10, 10)).items == []
        await store.close()

    asyncio.run(run())


def test_a_message_comes_back_as_it_was_given(house: House) -> None:
    """Every field of a message survives; the router's site and type are added."""

    async def run() -> None:
        store, _ = await house.open()
        given = message(5, raw=bytes(range(256)))
        given.name, given.charset, given.format, given.digest = "étage 1.hl7", "8859/1", "hprim-sante", -(1 << 63)
        await commit(store, Receive(given))
        found = await store.message(given.place)
        assert found == given
        assert found is not given
        one = delivery(given.place)
        route = routed(given.place, one)
        route.type = "ORU^R01"
        await commit(store, route)
        found = await store.message(given.place)
        assert (found.site, found.type, found.state) == ("ch1", "ORU^R01", MessageState.ROUTED)
        assert await store.message(99) is None
        await store.close()

    asyncio.run(run())


def test_a_delivery_comes_back_as_it_was_given(house: House) -> None:
    """Every field of a delivery survives, but its payload, which a queue doesn't carry."""

    async def run() -> None:
        store, _ = await house.open()
        (place,) = await receive(store)
        given = delivery(
            place, 3, "archive", lanes=(-(1 << 63), (1 << 63) - 1, 5), type="ORU^R01", payload_kind=PayloadKind.FULL,
            payload=b"bytes", target="topic/a", control_id="P1", due_ms=77, code="E-X", field="PID-3", reason="why",
            flags=int(DeliveryFlag.RESULT) | part_flags(65_535, 65_535), config="abc", replay_of=12,
        )  # fmt: skip
        await commit(store, routed(place, given))
        found = await store.delivery(given.id)
        given.payload = None
        assert found == given
        assert (await store.queue("archive", 0, 5)).items == [given]
        assert await store.queue_of("archive", 5, 0, 5) == [given]
        assert await store.delivery(1) is None
        await store.close()

    asyncio.run(run())


def test_queue_is_paged_in_order_of_id(house: House) -> None:
    """Queued deliveries of one destination, after an id, at most `limit`; `high` covers what was seen."""

    async def run() -> None:
        store, _ = await house.open()
        places = await receive(store, 12)
        ones = [delivery(place) for place in places]
        await commit(store, *(routed(one.place, one, delivery(one.place, 1, "archive")) for one in ones))
        await commit(store, settled(ones[0]), settled(ones[11]))
        page = await store.queue("dpi", 0, 4)
        assert ([each.id for each in page.items], page.high) == ([one.id for one in ones[1:5]], ones[4].id)
        page = await store.queue("dpi", page.high, 100)
        assert [each.id for each in page.items] == [one.id for one in ones[5:11]]
        assert page.high == ones[11].id
        assert (await store.queue("dpi", page.high, 100)).items == []
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_queue_of_finds_every_key_until_the_delivery_ends(house: House) -> None:
    """A delivery is found by its first key and by the others, from an id on, while it takes its place."""

    async def run() -> None:
        store, _ = await house.open()
        places = await receive(store, 4)
        a, b, c, d = (
            delivery(place, lanes=lanes)
            for place, lanes in zip(places, [(10,), (20, 10, 10), (30, 10, 40), (20, 20)], strict=True)
        )
        await commit(store, *(routed(one.place, one) for one in (a, b, c, d)))

        async def ids(lane: int, since: int = 0, limit: int = 10) -> list[int]:
            return [each.id for each in await store.queue_of("dpi", lane, since, limit)]

        assert await ids(10) == [a.id, b.id, c.id]
        assert await ids(10, b.id, 1) == [b.id]
        assert await ids(20) == [b.id, d.id]
        await commit(store, settled(b, DeliveryState.PENDING, due_ms=9))
        assert await ids(10) == [a.id, b.id, c.id]
        b.attempts = 1
        await commit(store, settled(b), settled(c, DeliveryState.DEAD, queued=True))
        assert await ids(10) == [a.id, c.id]
        assert await ids(40) == [c.id]
        assert await ids(20) == [d.id]
        await store.close()

    asyncio.run(run())


def test_payloads_of_every_kind(house: House) -> None:
    """As received, all bytes (small and large), splices with and without a base; fences have none."""

    async def run() -> None:
        store, _ = await house.open()
        raw = b"MSH|abcdef"
        await commit(store, *(Receive(message(n, raw=raw)) for n in range(7)))
        packed = splices.pack([(4, 3, b"XY")])
        ones = [
            delivery(1),
            delivery(2, payload_kind=PayloadKind.FULL, payload=b"full"),
            delivery(3, payload_kind=PayloadKind.FULL, payload=b"z" * 9_000),
            delivery(4, payload_kind=PayloadKind.SPLICES, payload=packed),
            delivery(5, payload_kind=PayloadKind.SPLICES, payload=splices.pack([(0, 1, b"")], 7)),
            delivery(6, kind=DeliveryKind.FENCE),
        ]
        await commit(store, *(routed(one.place, one) for one in ones))
        ids = [one.id for one in ones]
        expected = [raw, b"full", b"z" * 9_000, b"MSH|XYdef", raw[::-1][1:]]
        assert list((await store.payloads([*ids, 12345], 1 << 20)).items()) == list(zip(ids, expected, strict=False))
        assert list(await store.payloads(ids[1:4], 10)) == ids[1:2]
        assert list(await store.payloads([ids[2], ids[0]], 10)) == [ids[2]]
        assert await store.payloads([ids[5], 12345], 10) == {}
        await store.close()

    asyncio.run(run())


def test_recent_arrivals_for_retransmissions(house: House) -> None:
    """
    The last arrivals of a source that were decided on, oldest first, with the keys of all their deliveries.

    What was rejected or repeats another is none; live is what has a copy that was sent, or will be.
    """

    async def run() -> None:
        store, _ = await house.open()
        places = await receive(store, 6)
        await receive(store, source="lis")
        first = [delivery(places[0], 0, lanes=(1, 2)), delivery(places[0], 1, "archive", lanes=(3,))]
        await commit(store, routed(places[0], *first))
        await commit(store, decided(places[1], MessageState.FILTERED), decided(places[2], MessageState.REJECTED))
        await commit(store, decided(places[3], MessageState.DUPLICATE, linked_to=places[0]))
        died = delivery(places[4])
        died.state, died.queued, died.kind = DeliveryState.DEAD, False, DeliveryKind.BODILESS
        await commit(store, routed(places[4], died))
        arrivals = await store.recent("gam", 0, 10)
        assert [each.place for each in arrivals] == [places[0], places[1], places[4]]
        assert [each.live for each in arrivals] == [True, False, False]
        assert arrivals[0].lanes == {1, 2, 3}
        assert (arrivals[1].control_id, arrivals[1].digest, arrivals[1].lanes) == ("C2", 2, frozenset())
        assert [each.place for each in await store.recent("gam", 0, 1)] == [places[4]]
        assert [each.place for each in await store.recent("gam", 1_002, 10)] == [places[1], places[4]]
        assert await store.recent("nobody", 0, 5) == []
        await store.close()

    asyncio.run(run())


def test_fate_of_a_message(house: House) -> None:
    """Its state, the code of its ending, and the states of what was to be sent; nothing of a message that isn't."""

    async def run() -> None:
        store, _ = await house.open()
        one, two = await receive(store, 2)
        assert await store.fate(one) == Fate(MessageState.RECEIVED)
        copies = [delivery(one, 0), delivery(one, 1, "archive"), delivery(one, 2)]
        copies[2].kind = DeliveryKind.FENCE
        await commit(store, routed(one, *copies), decided(two, MessageState.DEAD, code="E-REJECTED"))
        copies[0].copies = 3
        await commit(store, settled(copies[0], DeliveryState.DEAD))
        assert await store.fate(one) == Fate(MessageState.ROUTED, "", [DeliveryState.DEAD, DeliveryState.PENDING])
        assert await store.fate(two) == Fate(MessageState.DEAD, "E-REJECTED")
        assert await store.fate(99) is None
        await store.close()

    asyncio.run(run())


def test_a_recent_file_without_a_control_id_is_known_by_its_name(house: House) -> None:
    """What a retransmission is compared with is the control id, or the name of a file that has none."""

    async def run() -> None:
        store, _ = await house.open()
        named, numbered = message(1), message(2)
        named.control_id, named.name, numbered.name = "", "lot-7.hpr#2", "lot-8.hl7"
        await commit(store, Receive(named), Receive(numbered))
        await commit(store, *(decided(one.place, MessageState.FILTERED) for one in (named, numbered)))
        assert [each.control_id for each in await store.recent("gam", 0, 10)] == ["lot-7.hpr#2", "C2"]
        await store.close()

    asyncio.run(run())


def test_groups_with_messages_to_route(house: House) -> None:
    """Every routing group that has a message in state RECEIVED, whatever the configuration says today."""

    async def run() -> None:
        store, _ = await house.open()
        assert await store.queries.groups() == []
        places = await receive(store, 3)
        await commit(store, *(Receive(message(n, group=group)) for n, group in enumerate("bab")))
        assert await store.queries.groups() == ["a", "b", "main"]
        await commit(store, *(decided(place, MessageState.FILTERED) for place in places))
        assert await store.queries.groups() == ["a", "b"]
        await store.close()

    asyncio.run(run())


def test_history_of_a_delivery(house: House) -> None:
    """Attempts come in order; the last one, answered by a plain AA, is told though it has no row."""

    async def run() -> None:
        store, _ = await house.open()
        one = await take(store)
        attempt = Attempt(one.id, 1, 2_000, 2_010, "busy", "AE 207", b"ANSWER" * 1_000)
        await commit(store, settled(one, DeliveryState.PENDING, due_ms=9_000, spent=1, code="AE 207", attempt=attempt))
        (row,) = await store.queries.deliveries_of(one.place)
        assert (row["state"], row["attempts"], row["spent"], row["due_ms"], row["code"]) == (
            "pending", 1, 1, 9_000, "AE 207",
        )  # fmt: skip
        one.attempts = 1
        await commit(store, settled(one, begin_ms=9_000, end_ms=9_100))
        (row,) = await store.queries.deliveries_of(one.place)
        assert [(each["number"], each["outcome"]) for each in row["history"]] == [(1, "busy"), (2, "ok")]
        assert len(row["history"][0]["answer"]) == 4_096
        assert (row["state"], row["first_ms"], row["end_ms"], row["queued"]) == ("delivered", 2_000, 9_100, False)
        await store.close()

    asyncio.run(run())


def test_pruning_touches_only_what_is_finished_and_old(house: House) -> None:
    """Bytes, then rows, go after their retention; what waits, is parked or undecided stays; the balance holds."""

    async def run() -> None:
        store, _ = await house.open()
        places = await receive(store, 8)
        ones = [delivery(place, payload_kind=1, payload=b"p" * 2_000, lanes=(1, 2)) for place in places[:5]]
        await commit(store, *(routed(one.place, one, keys=[one.place + 500]) for one in ones))
        await commit(store, decided(places[5], MessageState.FILTERED), decided(places[6], MessageState.DEAD))
        delivered, waiting, parked, passed, late = ones
        await commit(
            store,
            settled(delivered),
            settled(parked, DeliveryState.DEAD, queued=True),
            settled(passed, DeliveryState.DEAD),
            settled(late, end_ms=90_000),
        )

        async def prune(bodies: int, dead: int, rows: int, limit: int = 500) -> int:
            (outcome,) = await commit(store, Prune(bodies, dead, rows, limit))
            assert isinstance(outcome, Receipt), outcome
            await balanced(store)
            return outcome.place

        async def bodies() -> list[int]:
            return [place for place in places if await store.message(place) is not None]

        assert await prune(1, 1, 1) == 0
        assert await prune(50_000, 1, 1, limit=1) == 1
        assert await prune(50_000, 1, 1) == 1
        assert await bodies() == [place for place in places if place not in (delivered.place, places[5])]
        assert await store.payloads([delivered.id], 100) == {}
        assert await prune(50_000, 50_000, 1) == 2
        assert await bodies() == [waiting.place, parked.place, late.place, places[7]]
        kept = await balanced(store)
        assert await prune(50_000, 50_000, 50_000) == 4
        assert await balanced(store) == kept
        assert await store.queries.message_row(delivered.place) is None
        assert await store.queries.deliveries_of(passed.place) == []
        assert await store.queries.find_messages(keys=[delivered.place + 500]) == []
        assert await store.payloads([waiting.id], 9_000) == {waiting.id: b"p" * 2_000}
        await store.close()
        again, _ = await house.open()
        assert (await receive(again))[0] > places[-1]
        await again.close()

    asyncio.run(run())
