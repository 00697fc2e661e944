"""A configuration takes over: files, log, queues."""

from __future__ import annotations

import asyncio
from typing import Any

from engine.core.changes import Configure, Prune, Receipt
from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryKind, Takeover, delivery_id
from engine.core.ports import Queued
from engine.errors import ChangeRefused
from engine.flow.delivery.flight import passive_settle
from tests.conformance.stores import House, balanced, commit, delivery, receive, routed, settled


def takeover(hash_: str = "c2", before: str = "c1", **values: Any) -> Takeover:
    return Takeover(**({"verb": "apply", "hash": hash_, "before": before, "at_ms": 5_000, "who": "alice",
                        "reason": "because"} | values))  # fmt: skip


async def three(store: Any, destination: str = "dpi") -> list[int]:
    """Three routed messages with a delivery each for one destination."""
    places = []
    for place in await receive(store, 3):
        (outcome,) = await commit(store, routed(place, delivery(place, destination=destination)))
        assert isinstance(outcome, Receipt)
        places.append(place)
    return places


async def kinds(store: Any, destination: str) -> list[tuple[int, DeliveryKind]]:
    page = await store.queue(destination, 0, 100)
    return [(one.id, one.kind) for one in page.items]


def test_files_and_log_outlive_a_crash(house: House) -> None:
    """Texts are kept by hash, once; the log is read newest first."""

    async def run() -> None:
        store, _ = await house.open()
        await commit(store, Configure(takeover(), files={"routes.yaml": b"version: 1\n", "t.csv": b"\xff\x00"}))
        await commit(store, Configure(takeover("c1", "c2", verb="rollback", until_ms=9), files={}))
        await house.crash(store)
        store, _ = await house.open()
        rows = await store.queries.takeovers(limit=5)
        assert [(row["verb"], row["hash"], row["before"], row["until_ms"]) for row in rows] == [
            ("rollback", "c1", "c2", 9), ("apply", "c2", "c1", 0),
        ]  # fmt: skip
        assert rows[1] == {"id": rows[1]["id"], "at_ms": 5_000, "who": "alice", "verb": "apply", "hash": "c2",
                           "before": "c1", "until_ms": 0, "reason": "because"}  # fmt: skip
        assert rows[0]["id"] > rows[1]["id"]
        assert await store.queries.configuration_files("c2") == {"routes.yaml": b"version: 1\n", "t.csv": b"\xff\x00"}
        assert await store.queries.configuration_files("c1") is None
        await store.close()

    asyncio.run(run())


def test_a_destination_with_waiting_deliveries_stays(house: House) -> None:
    """The whole change is refused with the number; nothing of it is kept; empty, it may go."""

    async def run() -> None:
        store, _ = await house.open()
        places = await three(store)
        (refused,) = await commit(store, Configure(takeover(), {"routes.yaml": b""}, removed=("dpi", "archive")))
        assert isinstance(refused, ChangeRefused)
        assert "3 deliveries wait for dpi" in str(refused)
        assert "renamed_from: dpi" in str(refused)
        assert await store.queries.takeovers() == []
        assert await store.queries.configuration_files("c2") is None
        await commit(store, *(settled(delivery(place)) for place in places))
        (receipt,) = await commit(store, Configure(takeover(), removed=("dpi", "archive")))
        assert isinstance(receipt, Receipt)
        await store.close()

    asyncio.run(run())


def test_what_waits_follows_a_new_name(house: House) -> None:
    """Queue, lanes and dead letters go along, and the counters agree."""

    async def run() -> None:
        store, _ = await house.open()
        places = await three(store)
        (two_lanes,) = await receive(store)
        await commit(store, routed(two_lanes, delivery(two_lanes, lanes=(77, 78))))
        dead = settled(delivery(places[0]), DeliveryState.DEAD)
        done = settled(delivery(places[1]))
        await commit(store, dead, done)
        await commit(store, Configure(takeover(), moved={"dpi": "record"}))
        assert await kinds(store, "dpi") == []
        assert [key for key, _ in await kinds(store, "record")] == [delivery_id(p, 0) for p in (places[2], two_lanes)]
        assert [one.id for one in await store.queue_of("record", 78, 0, 5)] == [delivery_id(two_lanes, 0)]
        assert [row["delivery"] for row in await store.queries.dead(destination="record")] == [
            delivery_id(places[0], 0)
        ]
        counters = await store.queries.counters()
        found = {key[1:]: count for key, count in counters.items() if key[0] == "delivery" and count}
        assert found == {("record", "pending"): 2, ("record", "dead"): 1, ("dpi", "delivered"): 1}
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_a_wall_stands_behind_what_waits(house: House) -> None:
    """It has an id of its own behind the last one, is no copy of its message, and ends like a fence."""

    async def run() -> None:
        store, _ = await house.open()
        places = await three(store)
        last = delivery_id(places[1], 0)
        change = Configure(takeover(), walls={"dpi": (delivery_id(places[1], 9),), "archive": (last,)})
        await commit(store, change)
        await commit(store, change)  # twice without a message between: one wall
        found = await kinds(store, "dpi")
        assert [kind.name for _, kind in found] == ["BYTES", "BYTES", "WALL", "BYTES"]
        assert found[2][0] >> 16 == places[1]
        assert await kinds(store, "archive") == []
        await balanced(store)
        wall = await store.delivery(found[2][0])
        assert wall is not None
        await commit(store, *(settled(delivery(place)) for place in places[:2]))
        (ended,) = await commit(store, passive_settle(wall, 6_000))
        assert isinstance(ended, Receipt)
        assert [kind.name for _, kind in await kinds(store, "dpi")] == ["BYTES"]
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_two_destinations_have_each_its_wall(house: House) -> None:
    """Behind copies of one message too."""

    async def run() -> None:
        store, _ = await house.open()
        (place,) = await receive(store)
        await commit(store, routed(place, delivery(place), delivery(place, 1, "archive")))
        both = (delivery_id(place, 65_535),)
        await commit(store, Configure(takeover(), walls={"dpi": both, "archive": both}))
        assert [kind.name for _, kind in await kinds(store, "dpi")] == ["BYTES", "WALL"]
        assert [kind.name for _, kind in await kinds(store, "archive")] == ["BYTES", "WALL"]
        await store.close()

    asyncio.run(run())


def test_the_marks_of_queues_follow(house: House) -> None:
    """What came without being announced lies before the mark of the next announcement: lanes read it first."""

    async def run() -> None:
        store, _ = await house.open()
        places = await three(store)
        heard: list[Queued] = []
        store.on_deliveries("record", heard.append)
        wall = delivery_id(places[-1], 65_535)
        await commit(store, Configure(takeover(), moved={"dpi": "record"}, walls={"record": (wall,)}))
        (place,) = await receive(store)
        await commit(store, routed(place, delivery(place, destination="record")))
        assert [(one.before, one.high) for one in heard] == [(wall, delivery_id(place, 0))]
        await store.close()

    asyncio.run(run())


def test_the_log_is_pruned_with_its_files(house: House) -> None:
    """The last hundred lines stay whatever their age, with the files that they name."""

    async def run() -> None:
        store, _ = await house.open()
        hashes = [f"h{number}" for number in range(103)]
        for before, hash_ in zip(["", *hashes], hashes, strict=False):
            await commit(store, Configure(takeover(hash_, before), files={"routes.yaml": hash_.encode()}))
        await commit(store, Prune(bodies_before_ms=9_000, dead_before_ms=9_000, rows_before_ms=9_000))
        rows = await store.queries.takeovers(limit=200)
        assert [row["hash"] for row in rows] == hashes[:2:-1]
        assert await store.queries.configuration_files("h1") is None
        assert await store.queries.configuration_files("h2") == {"routes.yaml": b"h2"}  # the line of h3 names it
        await store.close()

    asyncio.run(run())
