"""
The store in memory: same meaning as SQLite's, for tests and simulations.

A commit happens in the loop's next turn, or when the test calls `commit()`. What is committed lives in a
`MemoryDisk`; a new store on the same disk is a restart, with `crash()` before it a restart after `kill -9`.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from engine.core import splices
from engine.core.changes import (
    Change,
    Receipt,
    Route,
)
from engine.core.identities import IdentityEvent, IdentityFacts, IdentityRows
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import (
    WHOLE,
    Arrival,
    Delivery,
    DeliveryFlag,
    DeliveryKind,
    Fate,
    Hold,
    Intention,
    PayloadKind,
    StoredMessage,
    place_of,
)
from engine.core.ports import Done, Page, Queued, Received, Recovery, Urgency
from engine.errors import ChangeRefused, StoreError, StoreUnavailable
from engine.store import memory_identities, rules
from engine.store.announcing import Announcer, Outcome, Submitted
from engine.store.backlog import load_of, newly_unrouted, sent_in, size_of
from engine.store.bases import BaseOf, default_base_of
from engine.store.counting import COUNTED_KINDS, CounterKey
from engine.store.identity_rules import Views
from engine.store.memory_changes import MemoryChanges
from engine.store.memory_queries import MemoryQueries
from engine.store.memory_rows import MemoryDisk, Undo
from engine.store.recount import recount_rows


class MemoryStore:
    """Keep everything in dictionaries."""

    def __init__(
        self,
        disk: MemoryDisk | None = None,
        *,
        base_of: BaseOf | None = None,
        automatic: bool = True,
        call_soon: Callable[[Callable[[], None]], object] | None = None,
        fault: Callable[[str], None] | None = None,
    ) -> None:
        """
        Keep the parts; nothing is read before `open`.

        Args:
            disk: What earlier stores left; a new one by default.
            base_of: Gives the base of splices (parsers.base_of).
            automatic: Commit in the loop's next turn; else only when `commit()` is called.
            call_soon: The loop's, or that of a simulated Runtime; the running loop's by default.
            fault: Test only: called with the name of each group of statements; what it raises fails the commit.
        """
        self.disk = MemoryDisk() if disk is None else disk
        self.load = 0.0
        self.queries = MemoryQueries(self.disk, lambda: len(self._pending))
        self.reference_key = self.disk.key
        self._base_of = base_of or default_base_of
        self._automatic = automatic
        self._call_soon = call_soon
        self._fault = fault or (lambda _name: None)
        self._changes = MemoryChanges(self.disk)
        self._views = Views()
        self._sent: dict[int, tuple[int, int]] = {}
        self._pending: list[Submitted] = []
        self._bytes_held = 0
        self._unrouted = self._aside = 0
        self._scheduled = False
        self._opened = False
        self._in_trouble = False
        self._announcer = Announcer()
        self.on_received: Callable[[str, Callable[[Received], None]], None] = self._announcer.on_received
        self.on_deliveries: Callable[[str, Callable[[Queued], None]], None] = self._announcer.on_deliveries
        self.on_routed: Callable[[str, Callable[[Sequence[Route]], None]], None] = self._announcer.on_routed
        self.on_intentions: Callable[[str, Callable[[Intention], None]], None] = self._announcer.on_intentions
        self.on_trouble: Callable[[Callable[[StoreError | None], None]], None] = self._announcer.on_trouble

    # --- life ---

    async def open(self, *, now_ms: int) -> Recovery:
        """Read what the disk holds; say what was in flight when the previous run died."""
        disk = self.disk
        disk.acquire(self)
        recovery = Recovery(clean=disk.clean)
        for delivery, attempt in sorted(disk.slots.values()):
            row = disk.deliveries.get(delivery)
            if row is not None and row.delivery.state == DeliveryState.PENDING and row.delivery.attempts < attempt:
                recovery.maybe_sent.setdefault(row.delivery.destination, []).append(delivery)
                flagged = replace(row.delivery, flags=row.delivery.flags | DeliveryFlag.POSSIBLE_DUPLICATE)
                disk.deliveries[delivery] = replace(row, delivery=flagged)
        disk.slots = {
            -1 - index: (delivery, attempt)
            for index, (delivery, attempt) in enumerate(disk.slots.values())
            if delivery in recovery.maybe_sent.get(self._destination(delivery), ())
        }
        self._announcer.first_high = max(disk.messages, default=0)
        for key, row in disk.deliveries.items():
            if row.delivery.queued:
                highs = self._announcer.high_deliveries
                highs[row.delivery.destination] = max(highs.get(row.delivery.destination, 0), key)
        disk.clean = False
        disk.started_ms = now_ms
        self._opened = True
        return recovery

    def _destination(self, delivery: int) -> str:
        row = self.disk.deliveries.get(delivery)
        return row.delivery.destination if row is not None else ""

    async def close(self) -> None:
        """Commit what was submitted, mark a clean stop, unlock."""
        if not self._opened:
            return
        while self._pending:
            self.commit()
        self._opened = False
        self.disk.clean = True
        self.disk.stopped_ms = self.disk.started_ms
        self.disk.release(self)

    def crash(self) -> None:
        """Die at once: what was not committed is lost, nobody is told."""
        self._opened = False
        self._pending.clear()
        self.disk.release(self)

    # --- writing ---

    def submit(self, change: Change, urgency: Urgency, done: Done | None = None) -> None:  # noqa: ARG002
        """Queue a change; it is committed in the loop's next turn, whatever its urgency."""
        self._pending.append((change, done))
        self._bytes_held += size_of(change)
        self._weigh()
        if self._automatic and not self._scheduled:
            self._scheduled = True
            (self._call_soon or asyncio.get_running_loop().call_soon)(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self.commit()

    def commit(self) -> None:
        """Commit what was submitted so far, and announce it."""
        batch, self._pending = self._pending, []
        self._bytes_held = 0
        self.load = 0.0
        if batch:
            outcomes = self._apply_all(batch)
            self._unrouted = max(0, self._unrouted + newly_unrouted(outcomes))
            self._weigh()
            self._announcer.tell(outcomes)

    def set_aside(self, count: int) -> None:
        """Leave so many more messages out of the load (negative: fewer)."""
        self._aside += count
        self._weigh()

    def _weigh(self) -> None:
        self.load = load_of(len(self._pending), self._bytes_held, self._unrouted - self._aside)

    def meanwhile(self, work: Callable[[], None]) -> None:
        """Call in the loop's next turn: nothing here takes time."""
        (self._call_soon or asyncio.get_running_loop().call_soon)(work)

    def sending(self, delivery: int, attempt: int, slot: int) -> None:
        """Note what is about to leave."""
        self.disk.slots[slot] = self._sent[slot] = (delivery, attempt)

    def sent(self) -> Mapping[int, int]:
        """Deliveries of this run that left, or are about to, with the attempt."""
        return sent_in(self._sent)

    def _apply_all(self, batch: list[Submitted]) -> list[Outcome]:
        if not self._opened:
            closed = StoreUnavailable("the store is closed")
            return [(change, done, closed) for change, done in batch]
        undo = Undo(self.disk)
        outcomes: list[Outcome] = []
        try:
            for change, done in batch:
                mark = undo.mark()
                try:
                    self._views.check((change,))
                    outcomes.append((change, done, self._apply(change, undo)))
                except ChangeRefused as refusal:
                    self._views.refused(change)
                    undo.back_to(mark)
                    outcomes.append((change, done, refusal))
            self._fault("commit")
        except Exception as error:
            undo.back_to(0)
            self._views.lost(change for change, _ in batch)
            unavailable = StoreUnavailable(f"nothing can be stored at the moment: {error}")
            self._in_trouble = True
            self._announcer.trouble(unavailable)
            return [(change, done, unavailable) for change, done in batch]
        if self._in_trouble:
            self._in_trouble = False
            self._announcer.trouble(None)
        return outcomes

    def _apply(self, change: Change, undo: Undo) -> Receipt:
        self._fault(type(change).__name__.lower())
        return self._changes.apply(change, undo)

    # --- reading ---

    async def unrouted(self, group: str, after: int, limit: int, max_bytes: int) -> Page[StoredMessage]:
        """Messages in state RECEIVED after a place, in order."""
        items: list[StoredMessage] = []
        size = 0
        places = self.disk.places
        for place in islice(places, bisect_right(places, after), None):
            message = self.disk.messages[place].message
            if message.group != group or message.state != MessageState.RECEIVED:
                continue
            whole = self._with_body(message)
            size += whole.held_bytes
            if items and (len(items) >= limit or size > max_bytes):
                return Page(items, items[-1].place)
            items.append(whole)
        return Page(items, max(after, self._announcer.high_place(group), items[-1].place if items else 0))

    def _with_body(self, message: StoredMessage) -> StoredMessage:
        place = message.place
        return replace(
            message, raw=self.disk.bodies[place], attachments=self.disk.attachments.get(place, ()),
            alone=self.disk.messages[place].linked_to == place,
        )  # fmt: skip

    async def last_queued(self, group: str) -> int:
        """The highest place of a routing group of which a delivery is queued."""
        rows = self.disk.deliveries.values()
        places = (row.delivery.place for row in rows if row.delivery.queued)
        messages = self.disk.messages
        return max((one for one in places if one in messages and messages[one].message.group == group), default=0)

    async def message(self, place: int) -> StoredMessage | None:
        """One message with its bytes (None: never existed, or pruned)."""
        row = self.disk.messages.get(place)
        return self._with_body(row.message) if row is not None and place in self.disk.bodies else None

    async def fate(self, place: int) -> Fate | None:
        """What became of one message so far (None: never existed, or pruned)."""
        row = self.disk.messages.get(place)
        if row is not None and row.message.state is MessageState.JOINED:
            place = row.linked_to
            row = self.disk.messages.get(place)
        if row is None:
            return None
        copies = [self.disk.deliveries[each].delivery for each in self.disk.siblings(place)]
        return Fate(row.message.state, row.code, [copy.state for copy in copies if copy.kind in COUNTED_KINDS])

    async def recent(self, source: str, since_ms: int, limit: int) -> list[Arrival]:
        """The last arrivals of a source that were routed, oldest first, by control id or name."""
        arrivals = []
        for place in reversed(self.disk.places):
            row = self.disk.messages[place]
            message = row.message
            if message.source != source or message.received_ms < since_ms or message.state in rules.NOT_ROUTED:
                continue
            copies = [self.disk.deliveries[each].delivery for each in self.disk.siblings(place)]
            copies = [copy for copy in copies if copy.kind in COUNTED_KINDS]
            lanes = frozenset(key for copy in copies for key in copy.lanes)
            live = any(copy.state in rules.LIVE for copy in copies)
            if rules.is_part(message.state, row.code):
                lanes, live = frozenset((message.digest,)), True
            identity = message.control_id or message.name
            arrivals.append(Arrival(place, identity, message.digest, message.received_ms, lanes, live))
            if len(arrivals) == limit:
                break
        return arrivals[::-1]

    def _queued(self, destination: str, after: int) -> Iterator[Delivery]:
        ids = self.disk.queued.get(destination, [])
        return (self.disk.deliveries[key].delivery for key in ids[bisect_right(ids, after) :])

    async def queue(self, destination: str, after: int, limit: int) -> Page[Delivery]:
        """Queued deliveries with an id above `after`, in order, without payloads."""
        items = [replace(row, payload=None) for row in islice(self._queued(destination, after), limit)]
        if len(items) == limit:
            return Page(items, items[-1].id)
        high = self._announcer.high_deliveries.get(destination, 0)
        return Page(items, max(after, high, items[-1].id if items else 0))

    async def queue_of(self, destination: str, lane: int, since: int, limit: int) -> list[Delivery]:
        """Queued deliveries that hold a lane key, id >= since, in order, without payloads."""
        rows = (row for row in self._queued(destination, since - 1) if lane in row.lanes)
        return [replace(row, payload=None) for row in islice(rows, limit)]

    async def parted(self, destination: str, after: int, limit: int) -> list[Delivery]:
        """Pending deliveries that are marked PARTED, in order, without payloads."""
        rows = self._queued(destination, after)
        marked = (row for row in rows if row.flags & DeliveryFlag.PARTED and row.state == DeliveryState.PENDING)
        return [replace(row, payload=None) for row in islice(marked, limit)]

    async def delivery(self, delivery: int) -> Delivery | None:
        """One delivery, without its payload."""
        row = self.disk.deliveries.get(delivery)
        return replace(row.delivery, payload=None) if row is not None else None

    async def payloads(self, ids: Collection[int], max_bytes: int) -> Mapping[int, bytes]:
        """The bytes to send, in the order asked; at least one if any exists."""
        found: dict[int, bytes] = {}
        size = 0
        for key in ids:
            data = self._bytes_of(key)
            if data is None:
                continue
            size += len(data)
            if found and size > max_bytes:
                break
            found[key] = data
        return found

    def _bytes_of(self, key: int) -> bytes | None:
        row = self.disk.deliveries.get(key)
        if row is None or row.delivery.kind != DeliveryKind.BYTES:
            return None
        delivery = row.delivery
        if delivery.payload_kind in WHOLE:
            return delivery.payload
        raw = self.disk.bodies.get(place_of(key))
        if raw is None or delivery.payload_kind == PayloadKind.RAW:
            return raw
        return None if delivery.payload is None else splices.apply(raw, delivery.payload, self._base_of)

    async def holds(self) -> list[Hold]:
        """Every hold in force."""
        return [replace(hold) for hold in self.disk.holds.values()]

    async def intentions(self, stage: str) -> list[Intention]:
        """Intentions not yet fulfilled, oldest first."""
        return [
            replace(row.intention)
            for row in self.disk.intentions.values()
            if row.accepted is None and row.intention.stage == stage
        ]

    async def identities(
        self, identifiers: Collection[int], patients: Collection[int] = (), traits: Collection[int] = ()
    ) -> IdentityRows:
        """What is known of some identifiers, patients and strict traits."""
        return memory_identities.identities(self.disk, identifiers, patients, traits)

    async def waiting_until(self, now_ms: int, limit: int) -> list[int]:
        """Messages in state WAITING whose wait is over, those first whose wait ended first."""
        return memory_identities.waiting_until(self.disk, now_ms, limit)

    async def waiting_for(self, hashes: Collection[int], *, linked: bool = False) -> dict[int, tuple[int, ...]]:
        """Messages in state WAITING that wait for one of these hashes, each with all of its own."""
        return (memory_identities.linked if linked else memory_identities.waiting_for)(self.disk, hashes)

    async def identity_facts(self) -> IdentityFacts:
        """The next patient, when the next wait ends, and counts."""
        return memory_identities.identity_facts(self.disk)

    async def identity_event(self, event: int) -> IdentityEvent | None:
        """One identity event, as it was given to the store."""
        return await self.queries.identity_event(event)

    async def recount(self) -> dict[CounterKey, int]:
        """Count again by scanning: what the counters must say."""
        messages = [(place, row.message.source, row.message.state) for place, row in self.disk.messages.items()]
        deliveries = [
            (row.delivery.place, row.delivery.destination, row.delivery.kind, row.delivery.state)
            for row in self.disk.deliveries.values()
        ]
        return recount_rows(messages, deliveries, self.disk.counters) | memory_identities.recount(self.disk)
