"""
The stores under test, each behind the same few verbs; another database joins by one more class here.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, Protocol

from engine.core.changes import Change, Note, Receipt, Receive, Route, Settle
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, StoredMessage, delivery_id
from engine.core.ports import Recovery, Urgency
from engine.errors import StoreError, StoreUnavailable
from engine.store.counting import RECOUNTED
from engine.store.memory import MemoryStore
from engine.store.memory_rows import MemoryDisk
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.driver import sqlite3


def reversed_base(raw: bytes, flag: int) -> bytes:
    """A base that is recognised: the flag decides nothing but that it is called."""
    return raw[::-1] if flag == 7 else raw


class House(Protocol):
    """Where stores of one kind live."""

    fault: Callable[[str], None] | None

    async def open(self) -> tuple[Any, Recovery]:
        """Open a store on what is there."""

    async def crash(self, store: Any) -> None:
        """Die at once: what was committed stays."""

    def move(self, name: str) -> None:
        """Leave everything behind: the next store is a new one."""

    def error(self) -> Exception:
        """What this store's disk raises when it fails."""


class MemoryHouse:
    """Stores in memory."""

    def __init__(self, _directory: Path) -> None:
        self.fault: Callable[[str], None] | None = None
        self.disk = MemoryDisk()

    async def open(self) -> tuple[Any, Recovery]:
        store = MemoryStore(self.disk, base_of=reversed_base, fault=self._fault)
        return store, await store.open(now_ms=1_000)

    def _fault(self, name: str) -> None:
        if self.fault is not None:
            self.fault(name)

    async def crash(self, store: Any) -> None:
        store.crash()

    def move(self, _name: str) -> None:
        self.disk = MemoryDisk()

    def error(self) -> Exception:
        return OSError("disk I/O error")


class SqliteHouse:
    """Stores in directories; a crash is a copy of the directory as it is at that moment."""

    def __init__(self, directory: Path) -> None:
        self.fault: Callable[[str], None] | None = None
        self.directory = directory
        self.number = 0

    @property
    def path(self) -> Path:
        return self.directory / str(self.number)

    async def open(self) -> tuple[Any, Recovery]:
        store = SqliteStore(self.path, base_of=reversed_base, min_free=0, fault=self._fault)
        return store, await store.open(now_ms=1_000)

    def _fault(self, name: str) -> None:
        if self.fault is not None:
            self.fault(name)

    async def crash(self, store: Any) -> None:
        before = self.path
        self.number += 1
        shutil.copytree(before, self.path)
        await store.abandon()

    def move(self, name: str) -> None:
        self.directory = self.directory / name

    def error(self) -> Exception:
        return sqlite3.OperationalError("disk I/O error")


class ApartHouse(SqliteHouse):
    """The same with the writer in a process of its own, as in the engine; nothing can be made to fail there."""

    async def open(self) -> tuple[Any, Recovery]:
        store = SqliteStore(self.path, base_of=reversed_base, min_free=0, apart=True)
        return store, await store.open(now_ms=1_000)


HOUSES = {"memory": MemoryHouse, "sqlite": SqliteHouse, "sqlite-apart": ApartHouse}
FALLIBLE = ("memory", "sqlite")
"""Those whose disk a test can make fail."""


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Let a test be a coroutine."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


def outcome_of(store: Any, change: Change, urgency: Urgency = Urgency.NOW) -> asyncio.Future[Receipt | StoreError]:
    """Submit; the future gets the outcome."""
    future: asyncio.Future[Receipt | StoreError] = asyncio.get_running_loop().create_future()
    store.submit(change, urgency, future.set_result)
    return future


async def commit(store: Any, *changes: Change) -> list[Receipt | StoreError]:
    """
    Submit all for one commit and wait for all outcomes.

    Only the last is NOW: the first of several would wake the writer, which may be done with it alone before the
    others are submitted.
    """
    urgencies = [Urgency.SOON] * (len(changes) - 1) + [Urgency.NOW]
    return list(await asyncio.gather(*map(outcome_of, [store] * len(changes), changes, urgencies)))


async def works_again(store: Any) -> None:
    """Wait until the store takes changes again after a trouble."""
    while isinstance((await commit(store, Note({})))[0], StoreUnavailable):
        pass


def message(number: int = 1, *, source: str = "gam", group: str = "main", raw: bytes = b"") -> StoredMessage:
    """A message of synthetic bytes."""
    return StoredMessage(
        source, group, raw or b"MSH|^~\\&|synthetic %d" % number, 1_000 + number, peer="192.0.2.7",
        control_id=f"C{number}", type="ADT^A01", digest=number,
    )  # fmt: skip


def delivery(place: int, ordinal: int = 0, destination: str = "dpi", **values: Any) -> Delivery:
    """A delivery of the message at a place."""
    return Delivery(delivery_id(place, ordinal), destination, "admissions", **({"lanes": (place % 5 + 1,)} | values))


def routed(place: int, *deliveries: Delivery, source: str = "gam", group: str = "main", **values: Any) -> Route:
    """The decision that a message is routed."""
    expected = values.pop("expected", MessageState.RECEIVED)
    return Route(
        place, group, source, expected, MessageState.ROUTED, site="ch1", config="c1", deliveries=list(deliveries),
        **values,
    )  # fmt: skip


def decided(place: int, state: MessageState, **values: Any) -> Route:
    """A decision without deliveries."""
    return Route(place, "main", "gam", values.pop("expected", MessageState.RECEIVED), state, **values)


def settled(one: Delivery, state: DeliveryState = DeliveryState.DELIVERED, **values: Any) -> Settle:
    """The outcome of the next attempt of a delivery."""
    usual = {"queued": state == DeliveryState.PENDING, "begin_ms": 2_000, "end_ms": 2_010, "copies": one.copies}
    return Settle(one.id, one.destination, one.attempts, state, **(usual | values))


async def receive(store: Any, count: int = 1, **values: Any) -> list[int]:
    """Take messages; return their places."""
    outcomes = await commit(store, *(Receive(message(number + 1, **values)) for number in range(count)))
    return [outcome.place for outcome in outcomes if isinstance(outcome, Receipt)]


async def take(store: Any, **values: Any) -> Delivery:
    """Receive and route one message; return its delivery."""
    (place,) = await receive(store)
    one = delivery(place, **values)
    (outcome,) = await commit(store, routed(place, one))
    assert isinstance(outcome, Receipt), outcome
    return one


async def balanced(store: Any) -> dict[tuple[str, str, str], int]:
    """Check that the counters are what a scan finds, and that each received message counts once."""
    counters = await store.queries.counters()
    kept = {key: n for key, n in counters.items() if n and key[0] in RECOUNTED}
    found = await store.recount()
    differing = {key: (kept.get(key, 0), found.get(key, 0)) for key in kept | found if kept.get(key) != found.get(key)}
    assert not differing, f"counters (kept, found): {differing}"
    for (kind, source, _), total in kept.items():
        if kind == "received":
            assert total == sum(n for key, n in kept.items() if key[:2] == ("message", source))
    return kept


async def fine(store: object, *changes: object) -> None:
    """Commit changes, all of which must be taken."""
    for outcome in await commit(store, *changes):  # type: ignore[arg-type]
        assert isinstance(outcome, Receipt), outcome
