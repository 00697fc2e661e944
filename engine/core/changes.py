"""
The closed set of changes that a store commits.

A commit holds whole changes, in any grouping by table: a change depends only on changes whose `done`
was called. A change that breaks an expectation fails alone (`ChangeRefused`), its neighbours are stored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.identities import IdentityEvent, Wait
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Attempt, Delivery, Hold, Intention, Refusal, StoredMessage, Takeover


@dataclass(slots=True)
class Receive:
    """Take custody: the store fills `message.place`; `done` gets a `Receipt` with it."""

    message: StoredMessage


@dataclass(slots=True)
class Refuse:
    """Keep a refusal (the last 1,000 of its source)."""

    refusal: Refusal


@dataclass(slots=True)
class Route:
    """
    The router's decision on one message: its state, its deliveries and search keys, and what it decided on identities.

    `expected` is RECEIVED or WAITING. With state ROUTED there is at least one delivery; with any other
    state there is none. For a retry of one route (`Requeue`) no Route is used.

    Unlike other changes it may build on identity events submitted before it and not yet told, and on waits of the
    fragments that it joins or ends: they are applied in the order of submission, and an event whose rows before are not
    those of the store is refused. With a change that has events everything is refused that was decided on the same
    view, or an earlier one, and comes behind it: it may name patients who don't exist, and would come before what must
    be decided again.
    """

    place: int
    group: str
    source: str
    expected: MessageState
    state: MessageState
    site: str = ""
    type: str = ""
    code: str = ""
    field: str = ""
    reason: str = ""
    config: str = ""
    linked_to: int = 0
    """DUPLICATE: the place of the first arrival. Its own place: a fragment that goes on alone (StoredMessage.alone)."""
    deliveries: list[Delivery] = dataclasses.field(default_factory=list)
    keys: list[int] = dataclasses.field(default_factory=list)
    """Search keys (core.references), written lazily."""
    identity: list[IdentityEvent] = dataclasses.field(default_factory=list)
    """In order; the store gives their ids. What waits or dies decides nothing: at most entries of the review list."""
    fences: list[Delivery] = dataclasses.field(default_factory=list)
    """
    Proposed, of kind FENCE, with the id `place << 16` of the message, or of the last one that another group decided.

    When the change is on disk the list holds those that the store kept, with the ids that it gave: where an unfinished
    delivery with a lower id of that destination holds one of the fence's lanes.
    """
    releases: tuple[int, ...] = ()
    """Hashes of identifiers that became known: messages that wait for one of them are RECEIVED again."""
    released: list[int] = dataclasses.field(default_factory=list)
    """Filled by the store: the places of those messages, in order."""
    wait: Wait | None = None
    """With state WAITING, and only then: for which identifiers, and until when."""
    view: int = 0
    """
    Number of the view on patients on which it was decided; 0: of no matter.

    When the store can't store one of a view, it refuses what comes of it later: its sender hadn't heard yet.
    """
    joins: tuple[int, ...] = ()
    """
    Fragments of one message, RECEIVED or WAITING: they become JOINED, linked to this one, whose bytes are `whole` from
    then on. What it was when it came is kept beside.
    """
    whole: bytes = b""
    ends: tuple[int, ...] = ()
    """
    With state DEAD or WAITING: fragments that wait and can't be told from this one. They are DEAD for its reason.

    One that is WAITING bars what comes under their pointers (flow.joining).
    """
    parted: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Filled by the store: by destination, deliveries of patients whom its events part (DeliveryFlag.PARTED)."""


@dataclass(slots=True)
class Settle:
    """
    The outcome of one attempt.

    `delivery` still holds the values before; the store applies the new ones below. `expected_attempt` is
    the number of attempts made before this one: a settle that comes twice is refused.
    """

    delivery: int
    destination: str
    expected_attempt: int
    state: DeliveryState
    queued: bool
    begin_ms: int
    end_ms: int
    spent: int = 0
    due_ms: int = 0
    code: str = ""
    field: str = ""
    reason: str = ""
    flags: int = 0
    attempt: Attempt | None = None
    copies: int = 1


@dataclass(slots=True)
class Requeue:
    """
    A dead delivery goes back to its place (retry, or given back after a storm): DEAD -> PENDING.

    `delivery` carries id, destination and, when `rendered_again`, new lanes, payload, target, control_id,
    type, flags, route, config. `spent` goes back to 0; `attempts` stay (they number the history). What is marked
    PARTED goes back only when it was rendered again.
    """

    delivery: Delivery
    rendered_again: bool = False
    view: int = 0
    """As of `Route`."""
    keys: tuple[int, ...] = ()
    """Further search keys of its message: numbers with which it leaves now."""


@dataclass(slots=True)
class Remake:
    """
    What becomes of a pending delivery that is marked PARTED: it stays as it was made, is made anew, or is dead.

    `delivery` carries id, destination, lanes and flags; state PENDING, without the mark; or DEAD (it keeps its place,
    its bytes and its mark), with due_ms, code, field and reason. When it was made anew, also what `Requeue` says.
    Attempts, and what was spent, stay.
    """

    delivery: Delivery
    expected_attempt: int
    """Attempts made so far: one more, and somebody sent it meanwhile."""
    rendered_again: bool = False
    view: int = 0
    """As of `Route`."""
    keys: tuple[int, ...] = ()
    """As of `Requeue`."""


@dataclass(slots=True)
class Treat:
    """An operator's treatment of one delivery: pass (DEAD, queued off), discard, restore, cancel."""

    delivery: int
    destination: str
    expected: DeliveryState
    state: DeliveryState
    queued: bool = False


@dataclass(slots=True)
class Reopen:
    """A message goes back to RECEIVED (retry), or DEAD <-> DISCARDED."""

    place: int
    group: str
    expected: MessageState
    state: MessageState


@dataclass(slots=True)
class SetHold:
    """Set a hold (replaces one of the same kind and name), or remove it (`hold.until_ms` < 0)."""

    hold: Hold


@dataclass(slots=True)
class Intend:
    """Record an operator's act; `done` gets a `Receipt` whose place is the intention's id."""

    intention: Intention


@dataclass(slots=True)
class Identify:
    """
    An operator's act on the cross-reference: an event with its fences and releases, as in `Route`.

    Fences stand at the last place decided before the act; where that message is no more, the store puts them behind
    the last one before it.
    """

    event: IdentityEvent | None
    fences: list[Delivery] = dataclasses.field(default_factory=list)
    releases: tuple[int, ...] = ()
    released: list[int] = dataclasses.field(default_factory=list)
    place: int = 0
    """The last place decided before it."""
    also: list[IdentityEvent] = dataclasses.field(default_factory=list)
    """Further events of the same act, behind `event`: an import makes one a patient."""
    next_patient: int = 0
    """No patient gets an id below this from now on; 0: as before. It never goes back."""
    view: int = 0
    """As of `Route`."""
    parted: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """As of `Route`."""


@dataclass(slots=True)
class Fulfil:
    """An intention was executed: its outcome and the changes that it made, all or nothing."""

    intention: int
    accepted: bool
    outcome: str
    changes: list[Requeue | Treat | Reopen | SetHold | Identify] = dataclasses.field(default_factory=list)


@dataclass(slots=True)
class Audit:
    """Who saw or did what, when, why. Never a patient value."""

    at_ms: int
    who: str
    verb: str
    subject: str
    reason: str


@dataclass(slots=True)
class Note:
    """Add to counters: (kind, name, what) -> how many."""

    counts: dict[tuple[str, str, str], int]


@dataclass(slots=True)
class Moments:
    """
    Remember when something happened last: (what, name) -> milliseconds since 1970 UTC.

    What: `received` (by source: its last message), `accepted` (by destination: its last acceptance), `outage` (by
    destination: since when it accepts nothing; 0: it does). They outlive a run, so that ages go on after it.
    """

    at_ms: dict[tuple[str, str], int]


@dataclass(slots=True)
class Prune:
    """
    Remove what is older than its retention, at most `limit` messages; never what is unfinished.

    `done` gets a `Receipt` whose place is the number of messages removed.
    """

    bodies_before_ms: int
    dead_before_ms: int
    rows_before_ms: int
    limit: int = 500


@dataclass(slots=True)
class Configure:
    """
    A configuration takes over: texts, queues and the log of configurations, all or nothing.

    Submitted while no routing decision is under way, so that what waits was made by the previous one.
    """

    takeover: Takeover
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    """Its files by name; empty: they were kept already, or there are none to keep."""
    moved: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Former name of a destination -> its new one: what waits or is dead goes along."""
    removed: tuple[str, ...] = ()
    """Destinations that are no more: refused while something waits for one of them."""
    walls: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    """Destination -> ids of deliveries: a wall is put behind what waits up to each of them."""


Change = (
    Receive | Refuse | Route | Settle | Requeue | Treat | Reopen | SetHold | Intend | Fulfil | Audit | Note | Moments
    | Prune | Configure | Identify | Remake
)  # fmt: skip


def events_of(change: Route | Identify) -> list[IdentityEvent]:
    """Return the identity events of a change, in order."""
    if isinstance(change, Route):
        return change.identity
    return [*([] if change.event is None else [change.event]), *change.also]


@dataclass(slots=True)
class Receipt:
    """A change is on disk."""

    place: int = 0
    """Receive: the message's place. Intend: the intention's id. Otherwise as the change says, or 0."""
