"""Retries that would go back in time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.changes import Receive, Route, Settle
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, PayloadKind, StoredMessage, delivery_id
from engine.operations.desk import Desk
from engine.operations.service import Operations
from engine.operations.stale import Staleness, behind
from engine.store.memory import MemoryStore
from tests.support.custody import DESTINATION, NOW_MS, delivery, obey, opened, overtake, receive, settle, submitted
from tests.support.officers import Office, at_office

CHA, CHB = "1.2.250.1.999.10.1|PI", "1.2.250.1.999.20.1|PI"
RAW, RECEIVED = PayloadKind.RAW, MessageState.RECEIVED
SENTENCE = "stale: message 7 of the same lane (ADT^A01) was delivered to dpi since; --stale sends this one all the same"


async def overtaken(state: DeliveryState = DeliveryState.DELIVERED, lane: int = 77) -> tuple[Desk, MemoryStore]:
    """Return a history where message 7 came after the dead letters 3 and 4."""
    desk, store = await opened()
    await overtake(store, state, lane)
    return desk, store


async def ask(desk: Desk, **arguments: Any) -> dict[str, Any]:
    return await Operations(desk).call("dead_retry", arguments, who="nurse")


def test_a_retry_that_goes_back_in_time_is_refused() -> None:
    """The sentence names the later message; the dry run says it before; nothing reaches the router."""

    async def run() -> None:
        desk, store = await overtaken()
        seen = obey(store)
        counted = await ask(desk, destination="dpi", dry=True)
        assert (counted["count"], [row["outcome"] for row in counted["stale"]]) == (2, [SENTENCE] * 2)
        answer = await ask(desk, destination="dpi", expect=2, reason="fixed")
        assert (answer["count"], answer["accepted"], answer["refused"]) == (2, 0, 2)
        assert [row["outcome"] for row in answer["rows"]] == [SENTENCE] * 2
        assert seen == []
        await store.close()

    asyncio.run(run())


def test_stale_sends_it_all_the_same() -> None:
    """Who asks for it gets it."""

    async def run() -> None:
        desk, store = await overtaken()
        seen = obey(store)
        assert (await ask(desk, ids=["3-0"], dry=True, stale=True))["stale"] == []
        answer = await ask(desk, ids=["3-0"], reason="fixed", stale=True)
        assert (answer["accepted"], answer["refused"], len(seen)) == (1, 0, 1)
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("state", "lane"), [(DeliveryState.PENDING, 77), (DeliveryState.DEAD, 77), (DeliveryState.DELIVERED, 78)]
)
def test_what_was_not_overtaken_is_retried(state: DeliveryState, lane: int) -> None:
    """The later message waits, died, or is another patient's; earlier ones don't count."""

    async def run() -> None:
        desk, store = await overtaken(state, lane)
        obey(store)
        assert (await ask(desk, ids=["3-0", "4-0"], reason="fixed"))["accepted"] == 2
        await store.close()

    asyncio.run(run())


def test_another_type_does_not_count() -> None:
    """An admission that was delivered later says nothing about this movement."""

    async def run() -> None:
        desk, store = await overtaken()
        for row in store.disk.messages.values():
            if row.message.place == 3:
                row.message.type = "ADT^A02"
        obey(store)
        answer = await ask(desk, ids=["3-0", "4-0"], reason="fixed")
        assert [(row["id"], row["accepted"]) for row in answer["rows"]] == [("3-0", True), ("4-0", False)]
        await store.close()

    asyncio.run(run())


def test_what_waits_behind_a_dead_delivery_is_counted_once() -> None:
    """Only behind one that keeps its lane; what is before it, or of another lane, is not."""

    async def run() -> None:
        desk, store = await opened()
        place = await receive(store, 8, deliveries=[delivery()])
        keeps = delivery_id(place, 0)
        await submitted(store, Settle(
            delivery=keeps, destination=DESTINATION, expected_attempt=0, state=DeliveryState.DEAD, queued=True,
            begin_ms=NOW_MS, end_ms=NOW_MS,
        ))  # fmt: skip
        for lane in (77, 78):
            await overtake(store, DeliveryState.PENDING, lane)
        assert await behind(desk, [keeps, keeps, 0]) == 1
        assert await behind(desk, [delivery_id(3, 0)]) == 0
        await store.close()

    asyncio.run(run())


def test_what_another_dead_delivery_keeps_back_does_not_leave() -> None:
    """Of two in one lane each frees what is between them, and both together all."""

    async def run() -> None:
        desk, store = await opened()
        dead = []
        for number in (8, 10):
            place = await receive(store, number, deliveries=[delivery()])
            dead.append(delivery_id(place, 0))
            await submitted(store, Settle(
                delivery=dead[-1], destination=DESTINATION, expected_attempt=0, state=DeliveryState.DEAD, queued=True,
                begin_ms=NOW_MS, end_ms=NOW_MS,
            ))  # fmt: skip
            await receive(store, number + 1, deliveries=[delivery()])
        assert [await behind(desk, [one]) for one in dead] == [1, 0]
        assert await behind(desk, dead) == 2
        await store.close()

    asyncio.run(run())


def test_a_delivery_is_late_when_anything_of_its_lane_was_delivered_since() -> None:
    """Before that it is not, nor for another lane."""

    async def run() -> None:
        desk, store = await opened()
        assert not await Staleness(desk).is_late(delivery_id(3, 0))
        await overtake(store, lane=78)
        assert not await Staleness(desk).is_late(delivery_id(3, 0))
        await overtake(store)
        assert await Staleness(desk).is_late(delivery_id(3, 0))
        await store.close()

    asyncio.run(run())


@pytest.mark.parametrize(("number", "authority"), [("900202", CHB), ("900303", CHA)])
def test_the_lane_of_a_known_patient_is_no_search_key(tmp_path: Path, number: str, authority: str) -> None:
    """It is a hash of the patient: what came later is found by his numbers, and another patient's isn't it."""

    async def work(office: Office) -> None:
        hash_ = office.desk.references.hash
        for place, value, oid in ((1, "900202", CHB), (2, number, authority)):
            raw = f"MSH|^~\\&|GAM|CHB|X|Y|20260301||ADT^A31|{place}|P|2.5\rPID|||{value}^^^&{oid[:-3]}&ISO^PI\r"
            source = "gam_chb" if oid == CHB else "gam_cha"
            message = StoredMessage(source, "main", raw.encode(), NOW_MS, control_id=str(place), type="ADT^A31")
            await submitted(office.store, Receive(message))
            row = Delivery(delivery_id(place, 0), "dpi", "adt", lanes=(77,), type="ADT^A31", payload_kind=RAW)
            keys = [hash_("patient", oid, value)]
            await submitted(
                office.store,
                Route(
                    place, "main", source, RECEIVED, MessageState.ROUTED, type="ADT^A31", deliveries=[row], keys=keys
                ),
            )
            await settle(office.store, place, DeliveryState.DEAD if place == 1 else DeliveryState.DELIVERED)
        counted = await office.ask("dead_retry", ids=["1-0"], dry=True)
        assert [row["outcome"].split(" (")[0] for row in counted["stale"]] == (
            ["stale: message 2 of the same lane"] if number == "900202" else []
        )

    at_office(tmp_path, work)
