"""
What the stages ask of a store, of the doors and of the world.

The stages (flow) meet only here: intake submits `Receive`, the router hears `on_received`; the router
submits `Route`, delivery hears `on_deliveries`. Each announcement comes after the transaction is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, Final, Generic, Protocol, TypeVar

from engine.core.changes import Change, Receipt, Route
from engine.core.identities import (
    OPEN_PAIRS,
    IdentifierRow,
    IdentityEvent,
    IdentityFacts,
    IdentityRows,
    Pairs,
    PatientRow,
)
from engine.core.messages import Arrival, Attachment, Delivery, Fate, Hold, Intention, StoredMessage
from engine.errors import StoreError

Place = int
Done = Callable[[Receipt | StoreError], None]
"""
Called in the loop, once per change, after the commit (or its failure): of a commit's receptions first, whose senders
wait, then of all others; each in the order of submission.
"""

Item = TypeVar("Item")


class Urgency(IntEnum):
    """When a change must be committed."""

    NOW = 0
    """Somebody waits for an acknowledgement: at once."""
    SOON = 1
    """Rides with the next NOW, at the latest 5 ms alone."""
    LAZY = 2
    """200 ms, in small slices."""


@dataclass(slots=True)
class Page(Generic[Item]):
    """Some items, in order, and how far the read saw."""

    items: list[Item]
    high: Place
    """Everything up to and including this was seen (delivery id or place, as the read says)."""


@dataclass(slots=True)
class Recovery:
    """What `open` found."""

    clean: bool
    """The previous run closed the store."""
    maybe_sent: dict[str, list[int]] = field(default_factory=dict)
    """By destination: deliveries that were in flight when the previous run died, still pending."""


@dataclass(slots=True)
class Received:
    """Messages of one routing group that became durable in one commit, in order of place."""

    messages: list[StoredMessage]
    before: Place
    """The group's highest place before this commit."""
    high: Place
    """The group's highest place now."""


@dataclass(slots=True)
class Queued:
    """
    Deliveries of one destination that became durable in one commit, in order of id.

    They carry `rendered` when the router left it. Deliveries with an id lower than ones announced before
    are possible (another routing group, a retry): lanes insert them.
    """

    deliveries: list[Delivery]
    before: int
    """The highest delivery id of the destination ever announced or seen before this commit."""
    high: int
    parted: frozenset[int] = frozenset()
    """Deliveries that were marked (DeliveryFlag.PARTED): what is in memory of them isn't so any more."""


class Store(Protocol):
    """One port, one conformance suite (tests/conformance): SQLite, memory, later PostgreSQL."""

    @property
    def load(self) -> float:
        """0..1: how much waits to be committed, or to be routed. Intake pauses reading at 0.8, resumes at 0.5."""

    def set_aside(self, count: int) -> None:
        """
        Leave so many more messages out of the load (negative: fewer), though they are received and not yet routed.

        They are routed in turn with what comes: nobody who sends must wait for them.
        """

    async def open(self, *, now_ms: int) -> Recovery:
        """
        Migrate, lock, recover.

        Raises:
            StoreLocked: Another process owns the data directory; the sentence says which.
            StoreUnavailable: The directory or the database can't be used.
        """

    async def close(self) -> None:
        """Commit what was submitted, mark a clean stop, unlock."""

    def submit(self, change: Change, urgency: Urgency, done: Done | None = None) -> None:
        """Queue a change; never blocks. Changes are applied in the order of submission."""

    def meanwhile(self, work: Callable[[], None]) -> None:
        """
        Call soon, and best while a commit is under way: what waits for the disk then loses no time by it.

        For work that takes time in the loop and that nobody waits for, such as to route what was just committed.
        """

    def sending(self, delivery: int, attempt: int, slot: int) -> None:
        """
        Note that a delivery is about to leave (attempt from 1) in an in-flight slot of its own.

        Survives kill -9 (not a power cut): until a later attempt is settled, `open` reports it.
        """

    def sent(self) -> Mapping[int, int]:
        """
        Deliveries of this run that left, or are about to, with the attempt; `sending` noted it.

        In flight are those whose row has fewer attempts; others may be left over.
        """

    def on_received(self, group: str, listener: Callable[[Received], None]) -> None:
        """Announce each commit's messages of a routing group."""

    def on_deliveries(self, destination: str, listener: Callable[[Queued], None]) -> None:
        """Announce each commit's new or requeued deliveries of a destination."""

    def on_routed(self, group: str, listener: Callable[[Sequence[Route]], None]) -> None:
        """Announce each commit's routing decisions of a group (`ack: after_route` waits for them)."""

    def on_intentions(self, stage: str, listener: Callable[[Intention], None]) -> None:
        """Announce each new intention for a stage."""

    def on_trouble(self, listener: Callable[[StoreError | None], None]) -> None:
        """Announce that the store became unavailable, and (None) that it works again; StoreBroken is for good."""

    async def unrouted(self, group: str, after: Place, limit: int, max_bytes: int) -> Page[StoredMessage]:
        """Messages in state RECEIVED after a place, in order; `high`: the group's highest place seen."""

    async def last_queued(self, group: str) -> Place:
        """The highest place of a routing group of which a delivery is queued; 0: there is none."""

    async def message(self, place: Place) -> StoredMessage | None:
        """One message with its bytes (None: never existed, or pruned)."""

    async def fate(self, place: Place) -> Fate | None:
        """
        What became of one message so far (None: never existed, or pruned).

        Of one that is JOINED, what became of the message with which it went on.
        """

    async def recent(self, source: str, since_ms: int, limit: int) -> list[Arrival]:
        """
        The last arrivals of a source that were routed, oldest first, for retransmissions at start.

        Each by its control id, or by its name (of a file) where it has none. A part of a longer message has no
        lanes but its own digest: nothing comes between.
        """

    async def queue(self, destination: str, after: int, limit: int) -> Page[Delivery]:
        """Queued deliveries with an id above `after`, in order, without payloads; fences and walls too."""

    async def queue_of(self, destination: str, lane: int, since: int, limit: int) -> list[Delivery]:
        """Queued deliveries that hold a lane key, id >= since, in order, without payloads."""

    async def parted(self, destination: str, after: int, limit: int) -> list[Delivery]:
        """Pending deliveries with an id above `after` that are marked PARTED, in order, without payloads."""

    async def delivery(self, delivery: int) -> Delivery | None:
        """One delivery, without its payload."""

    async def payloads(self, ids: Collection[int], max_bytes: int) -> Mapping[int, bytes]:
        """The bytes to send; as many as fit (at least one); a missing id no longer exists."""

    async def holds(self) -> list[Hold]:
        """Every hold in force."""

    async def intentions(self, stage: str) -> list[Intention]:
        """All intentions not yet fulfilled, oldest first."""

    async def identities(
        self, identifiers: Collection[int], patients: Collection[int] = (), traits: Collection[int] = ()
    ) -> IdentityRows:
        """
        What is known of some identifiers (by hash), patients (by id) and strict traits (by hash).

        The number under which a stay was given comes along, so do the patients of the identifiers and of the traits,
        and the review rows of the pairs among all patients returned, or asked for: one of a pair may have been joined
        since. Who asks bounds how much he asks at once.
        """

    async def waiting_until(self, now_ms: int, limit: int) -> list[Place]:
        """Messages in state WAITING whose wait is over, those first whose wait ended first."""

    async def waiting_for(self, hashes: Collection[int], *, linked: bool = False) -> dict[Place, tuple[int, ...]]:
        """
        Messages in state WAITING that wait for one of these hashes (at most 1,000), each with all of its own.

        `linked`: also those that hang together by pointers: that wait for the other end of one (it differs in the
        lowest bit), or are linked in the same way to such; in the order of places.
        """

    async def identity_facts(self) -> IdentityFacts:
        """The next patient, when the next wait ends, and counts."""

    async def identity_event(self, event: int) -> IdentityEvent | None:
        """One identity event, as it was given to the store."""


class StoreQueries(Protocol):
    """
    Questions of operators (operations/); apart, so that the stages can't use them.

    Every one is bounded; lists page by key: pass the last id seen. Rows are plain dicts whose keys are
    documented in store/README.md, so that they go to a table or to JSON as they are.
    """

    async def counters(self) -> dict[tuple[str, str, str], int]:
        """Counters: (kind, name, what) -> n. Kinds: `message` by source, `delivery` by destination."""

    async def find_messages(
        self,
        *,
        keys: Collection[int] = (),
        source: str = "",
        state: str = "",
        control_id: str = "",
        since_ms: int = 0,
        until_ms: int = 0,
        before: Place = 0,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """Messages, newest first; `keys`: search key hashes, any of them."""

    async def message_row(self, place: Place) -> dict[str, Any] | None:
        """One message's row with its site, state, reason; no bytes."""

    async def own_part(self, place: Place) -> bytes | None:
        """Of a message that holds the fragments of others, the bytes that it was itself; None: it holds none."""

    async def deliveries_of(self, place: Place) -> list[dict[str, Any]]:
        """The deliveries of one message, in order of id, with their attempts under `history`."""

    async def dead(self, *, destination: str = "", after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Dead deliveries, oldest first."""

    async def dead_messages(self, *, source: str = "", after: Place = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Messages that died before any delivery, oldest first."""

    async def queue_summary(self, destination: str, *, now_ms: int) -> dict[str, Any]:
        """waiting, parked, due later, oldest unsent (received_ms), lanes waiting (at most 1,000 counted)."""

    async def refusals(self, *, source: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """The last refusals, newest first, without bytes."""

    async def actions(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The audit trail, newest first."""

    async def intention_outcome(self, intention: int) -> tuple[bool, str] | None:
        """Whether an intention was accepted and its outcome; None while it waits."""

    async def intended_at(self, at_ms: Collection[int]) -> list[dict[str, Any]]:
        """The intentions of some moments, with their outcomes; `accepted` is None while one waits."""

    async def moments(self) -> dict[tuple[str, str], int]:
        """When something happened last: (what, name) -> milliseconds (core.changes.Moments)."""

    async def groups(self) -> list[str]:
        """Routing groups of the messages in state RECEIVED, sorted."""

    async def takeovers(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The log of configurations, newest first."""

    async def configuration_files(self, hash_: str) -> dict[str, bytes] | None:
        """The files of a configuration that ran, by name; None when it isn't known."""

    async def facts(self) -> dict[str, Any]:
        """Sizes, WAL, commit durations, last clean stop, highest place: for status and doctor."""

    async def identity_events(
        self, *, patient: int = 0, identifier: int = 0, before: int = 0, limit: int = 50
    ) -> list[IdentityEvent]:
        """
        Identity events, newest first: those that touched a patient or an identifier (its hash), else all.

        Args:
            patient: Id of a patient; 0: any.
            identifier: Hash of an identifier; 0: any.
            before: Only events with a lower id; 0: all.
            limit: At most so many.
        """

    async def identity_event(self, event: int) -> IdentityEvent | None:
        """One identity event, as it was given to the store."""

    async def reviews(self, which: Pairs = OPEN_PAIRS, *, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Pairs on the review list, in the order in which they came onto it, by id above `after`."""

    async def review_counts(self, which: Pairs = OPEN_PAIRS) -> dict[str, int]:
        """Pairs on the review list: by rule, how many."""

    async def identity_stats(self) -> dict[str, Any]:
        """
        Counts of patients, identifiers by kind, events by rule, reviews by state, and messages that wait.

        Also when the first of these waits is over: `waiting_until_ms`, `parts_until_ms`; 0: none waits.
        """

    async def wait_end(self, place: Place) -> int:
        """Until when a message waits, for its patient or for the other parts of a longer one; 0: it doesn't wait."""

    async def identity_rows(self, *, after: int = 0, limit: int = 500) -> list[tuple[PatientRow, list[IdentifierRow]]]:
        """Patients with their identifiers (stays excepted), by id above `after`: pages of an export."""

    async def carriers(self, hashes: Collection[int], *, before: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """
        Deliveries of the messages that carried an identifier, newest first, with their times: who received it.

        Args:
            hashes: Search keys of the identifiers, any of them.
            before: Only deliveries with a lower id; 0: all.
            limit: At most so many.
        """


# --- doors -----------------------------------------------------------------------------------------------


UNSENT: Final = b"\x18"
"""An answer of its own (ASCII CAN) before another one: a door that writes answers into files writes none of both."""


class Reply(Protocol):
    """Where the answers to one block go; a door sends the answers of one connection in their order."""

    def answer(self, data: bytes, *, last: bool = True) -> None:
        """
        Send these bytes (empty: nothing is sent).

        Called once with `last`; before it, at most once without (the commit answer of enhanced mode, when
        the application answer comes later).
        """


class Accept(Protocol):
    """Intake's door for bytes; called by source doors, never blocks."""

    def __call__(
        self, raw: bytes, peer: str, reply: Reply, name: str = "", attachments: tuple[Attachment, ...] = ()
    ) -> None:
        """Take one block: a file has a name, and may have files beside it."""


class RefuseBytes(Protocol):
    """Intake's door for what is no block: too long, never ended."""

    def __call__(self, code: str, reason: str, head: bytes, size: int, peer: str, reply: Reply) -> None:
        """Count and keep a refusal; answer AR where an MSH was read."""


class SourceDoor(Protocol):
    """The source side of a transport."""

    async def open(self) -> None:
        """
        Begin to listen or to watch.

        Raises:
            DoorFailed: The address is in use, the directory can't be read.
        """

    def pause(self) -> None:
        """Stop reading; senders keep what they have."""

    def resume(self) -> None:
        """Read again."""

    async def close(self) -> None:
        """Stop; answers already due are sent."""

    def facts(self) -> dict[str, Any]:
        """Connections, last block, noise, refusals by cause: for status."""


class SendResult(Enum):
    """What a destination door can tell, without judging."""

    ACCEPTED = "accepted"
    """The door itself knows that it is there (file renamed, PUBACK)."""
    ANSWERED = "answered"
    """An answer came; its bytes are to be judged."""
    NOT_SENT = "connect"
    """Not one byte of it left."""
    NO_ANSWER = "unknown"
    """It left, wholly or in part, and no answer came."""


@dataclass(slots=True)
class SendOutcome:
    """The end of one attempt, as a door sees it."""

    result: SendResult
    data: bytes = b""
    reason: str = ""
    """A sentence for operators; no value of the message."""


class DestinationDoor(Protocol):
    """The destination side of a transport: bytes only, one callback per send."""

    capacity: int
    """How many sends may be under way at once."""

    async def open(self) -> None:
        """Prepare; a receiver that is away is no error here."""

    def send(self, delivery: Delivery, data: bytes, done: Callable[[Delivery, SendOutcome], None]) -> None:
        """Send; at most `capacity` at once. `done` is called exactly once, in the loop, never from within."""

    async def close(self) -> None:
        """Stop; sends under way end with NO_ANSWER or NOT_SENT."""

    def facts(self) -> dict[str, Any]:
        """Connections up, last answer, last error: for status."""

    async def probe(self) -> list[tuple[str, bool, str]]:
        """Name, route, connection, TLS, without sending a message: (what, fine, sentence) in order."""


# --- the world -------------------------------------------------------------------------------------------


class Timer(Protocol):
    """A call that was asked for later."""

    def cancel(self) -> None:
        """Don't call; no effect when it was called."""


class Runtime(Protocol):
    """The only way of the stages to time, chance, tasks and timers: a simulation can replace it."""

    def now_ms(self) -> int:
        """Wall clock, milliseconds since 1970 UTC."""

    def utc_offset_seconds(self) -> int:
        """How far local time is ahead of UTC by that clock: another figure in summer."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call in the loop after `delay` seconds."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call in the loop's next turn."""

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a coroutine; an exception of it stops the engine with a report."""

    def random(self) -> float:
        """0 <= x < 1, for jitter."""
