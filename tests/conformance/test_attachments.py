"""Files that came with a message: kept, given back, weighed and removed with its bytes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.core.changes import Prune, Receipt, Receive, Refuse
from engine.core.lifecycle import MessageState
from engine.core.messages import Attachment, Refusal
from engine.errors import StoreUnavailable
from tests.conformance.stores import House, balanced, commit, decided, message, receive, works_again

PDF = Attachment("res/é.pdf", "PDF", b"%PDF" * 100_000, 7)
TEXT = Attachment("a.txt", "TXT", b"", 8)
ABSENT = Attachment("b\udce9.txt", "TXT", None)
STORED = (PDF, TEXT, replace(ABSENT, name="b\\udce9.txt"))


def test_a_message_comes_back_with_its_attachments(house: House) -> None:
    """In order, after a restart too; a file that didn't come is told apart from an empty one."""

    async def run() -> None:
        store, _ = await house.open()
        one, other = message(1), message(2)
        one.attachments = (PDF, TEXT, ABSENT)
        outcomes = await commit(store, Receive(one), Receive(other))
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)
        await house.crash(store)
        store, _ = await house.open()
        page = await store.unrouted("main", 0, 10, 10_000_000)
        assert [(item.place, item.attachments) for item in page.items] in (
            [(one.place, STORED), (other.place, ())], [(one.place, (PDF, TEXT, ABSENT)), (other.place, ())],
        )  # fmt: skip
        stored = await store.message(one.place)
        assert stored.raw == one.raw
        assert stored.attachments == page.items[0].attachments
        assert stored.held_bytes == len(one.raw) + 400_000
        assert [(await store.queries.message_row(each.place))["attachments"] for each in (one, other)] == [3, 0]
        await balanced(store)
        await store.close()

    asyncio.run(run())


def test_what_is_announced_is_what_was_submitted(house: House) -> None:
    """The very object, attachments included: nothing is read again."""

    async def run() -> None:
        store, _ = await house.open()
        heard: list[object] = []
        store.on_received("main", lambda batch: heard.extend(batch.messages))
        one = message(1)
        one.attachments = (PDF,)
        await commit(store, Receive(one))
        assert heard == [one]
        assert heard[0] is one
        await store.close()

    asyncio.run(run())


def test_a_page_of_bytes_counts_attachments(house: House) -> None:
    """Memory is bounded by them too; one message comes whatever its size."""

    async def run() -> None:
        store, _ = await house.open()
        for number in range(3):
            one = message(number)
            one.attachments = (PDF,)
            await commit(store, Receive(one))
        assert len((await store.unrouted("main", 0, 10, 10)).items) == 1
        assert len((await store.unrouted("main", 0, 10, 900_000)).items) == 2
        await store.close()

    asyncio.run(run())


def test_attachments_go_with_the_bytes(house: House) -> None:
    """When their retention ends; the message's row stays."""

    async def run() -> None:
        store, _ = await house.open()
        one = message(1)
        one.attachments = (PDF,)
        await commit(store, Receive(one))
        await receive(store)
        await commit(store, decided(one.place, MessageState.FILTERED))
        await commit(store, Prune(bodies_before_ms=10**12, dead_before_ms=10**12, rows_before_ms=0))
        assert await store.message(one.place) is None
        assert (await store.queries.message_row(one.place))["body"] is False
        await store.close()

    asyncio.run(run())


def test_a_disk_that_fails_keeps_nothing_of_it(fallible_house: House) -> None:
    """Neither the message nor its attachments; what is sent again is stored once."""

    async def run() -> None:
        house = fallible_house
        store, _ = await house.open()
        failing = {"receive", "attachments"}

        def fail(name: str) -> None:
            if name in failing:
                raise house.error()

        house.fault = fail
        one = message(1)
        one.attachments = (PDF,)
        (outcome,) = await commit(store, Receive(one))
        assert isinstance(outcome, StoreUnavailable)
        failing.clear()
        await works_again(store)
        await commit(store, Refuse(Refusal("gam", "", 0, "E", "", 0)), Receive(one))
        page = await store.unrouted("main", 0, 10, 10_000_000)
        assert [item.attachments for item in page.items] == [(PDF,)]
        await store.close()

    asyncio.run(run())
