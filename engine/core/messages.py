"""
What is kept: a received message, its deliveries, attempts, refusals; each field explained here.

Records are mutable slots dataclasses on purpose: a frozen one costs six times more to build, and these
are built for each message. Only the store fills `StoredMessage.place`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from engine.core.lifecycle import DeliveryState, MessageState

ORDINAL_BITS: Final = 16
"""A delivery's id is `place << 16 | ordinal`: unique, and in order of place, split child and route."""

STAMP_CHARACTERS: Final = 6
"""Of the time in the id under which a delivery leaves (core.own_ids)."""

KEY_BUCKET_BITS: Final = 12
"""Search keys are clustered by runs of 4,096 messages, so that adding some touches few pages."""


def delivery_id(place: int, ordinal: int) -> int:
    """Return the id of the `ordinal`-th delivery (from 0) of the message at `place`."""
    return place << ORDINAL_BITS | ordinal


DELIVERIES_MAX: Final = 1 << ORDINAL_BITS - 1
"""Deliveries of one message; from this ordinal on, the store numbers fences, and from the end back, walls."""

_PART_SHIFT: Final = 16
_PART_MASK: Final = (1 << 16) - 1


def part_flags(rank: int, count: int) -> int:
    """Return the bits of `Delivery.flags` that say which of how many messages made of one a delivery carries."""
    return rank << _PART_SHIFT | count << 2 * _PART_SHIFT


def part_of(flags: int) -> tuple[int, int]:
    """Return the rank, from 1, and the number of the messages made of one; (0, 0) where one was made."""
    return flags >> _PART_SHIFT & _PART_MASK, flags >> 2 * _PART_SHIFT & _PART_MASK


def place_of(delivery: int) -> int:
    """Return the place of the message to which a delivery id belongs."""
    return delivery >> ORDINAL_BITS


def show_lane(lane: int) -> str:
    """Write a lane key, a signed 64-bit hash, as 16 hexadecimal digits."""
    return f"{lane & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def show_delivery_id(delivery: int) -> str:
    """Return a delivery id as people read and write it: `48211-0` (message 48211, first copy)."""
    return f"{delivery >> ORDINAL_BITS}-{delivery & (1 << ORDINAL_BITS) - 1}"


def read_delivery_id(text: str) -> int:
    """
    Read `48211-0` back, or `48211-0-TDBRW4`, under which it left (core.own_ids).

    Raises:
        ValueError: The text has another form.
    """
    place, dash, rest = text.partition("-")
    ordinal, _, made = rest.partition("-")
    if made and len(made) != STAMP_CHARACTERS:
        raise ValueError(text)
    if not (dash and place.isdecimal() and ordinal.isdecimal()) or int(ordinal) >> ORDINAL_BITS:
        raise ValueError(text)
    return delivery_id(int(place), int(ordinal))


class DeliveryKind(IntEnum):
    """What a place in a destination's queue holds."""

    BYTES = 0
    """A message to send."""
    FENCE = 1
    """Nothing to send: keeps order between two references of one patient (ARCHITECTURE.md, Order)."""
    WALL = 2
    """Nothing to send: what is behind leaves when all before has ended."""
    BODILESS = 3
    """Died in the router: takes its place in the lane, has no bytes until a retry renders them."""


class DeliveryFlag(IntEnum):
    """The low bits of `Delivery.flags`; those above say which part of a message that was split it is (part_flags)."""

    POSSIBLE_DUPLICATE = 1
    """Sent again after an attempt whose outcome is unknown: the receiver may have it twice."""
    PASSED_FAULT = 2
    """A result that passed an administrative fault of its lane (`results_wait`)."""
    IDENTITY_EVENT = 4
    """An identity event (A40, A41, A44, A47…): nothing of its lane ever passes it."""
    DERIVED = 16
    """An A40 that follows from the message: it joined two patients of the group (`on_merge: emit`)."""
    RESULT = 8
    """A result or order (ORU, ORM, MDM…), which may pass an administrative fault."""
    PARTED = 32
    """
    Patients whose numbers it may carry were parted after it was made: pending, it doesn't leave as it is.

    It is looked at again, and made anew where it has to be (core.changes.Remake). Who marks it is the store, in the
    commit that parts them. On a delivery that was delivered: it was in flight then, and left as it was made.
    """
    ANOTHER_SENT = 64
    """Made anew since its patients were parted, when an attempt as it was made before may have arrived."""


class PayloadKind(IntEnum):
    """How the bytes of a delivery are stored."""

    RAW = 0
    """As received; nothing more is stored."""
    FULL = 1
    """All bytes."""
    SPLICES = 2
    """The difference to the received bytes (core.splices)."""
    BUNDLE = 3
    """All bytes, with those of the files that go beside them (core.bundle): to a folder."""


WHOLE: Final = frozenset({PayloadKind.FULL, PayloadKind.BUNDLE})
"""Kinds of which the stored payload needs nothing of the received bytes."""


@dataclass(slots=True)
class Attachment:
    """A file beside a message, which one of its results names (HPRIM OBX-2 FIC)."""

    name: str
    """As the message names it: `folder/name`, or the name alone. It may hold a patient's."""
    type: str
    """`PDF`, `TXT`…"""
    data: bytes | None
    """None: it didn't come in time."""
    digest: int = 0
    """Signed 64-bit BLAKE2b of `data`; 0 without."""


@dataclass(slots=True)
class StoredMessage:
    """A message in custody, with its bytes."""

    source: str
    """Name of the source, as in routes.yaml."""
    group: str
    """Routing group: one router and one order of places."""
    raw: bytes
    """The bytes received, without the framing of the transport."""
    received_ms: int
    """Wall clock at reception, milliseconds since 1970 UTC."""
    peer: str = ""
    """Address of the sender, without its port; empty for files."""
    name: str = ""
    """File name, for a directory source; else empty."""
    format: str = "hl7v2"
    """`hl7v2`, `hprim-sante`, `hprim-medecin` (parsers.sniff)."""
    control_id: str = ""
    """MSH-10, or H-2 for HPRIM; empty when absent. Not a patient value."""
    type: str = ""
    """`ADT^A01`, or the HPRIM context."""
    charset: str = ""
    """MSH-18 as received, ASCII only; empty when absent."""
    digest: int = 0
    """Signed 64-bit BLAKE2b of `raw`, for retransmissions."""
    site: str = ""
    """Name of the site; known to the router at the latest."""
    place: int = 0
    """Rank in the routing group's total order; given by the store at the commit."""
    state: MessageState = MessageState.RECEIVED
    attachments: tuple[Attachment, ...] = ()
    """Files that came with it, in the order in which it names them."""
    joins: tuple[int, ...] = ()
    """Until it is decided on: places of the other messages whose fragments `raw` holds too (core.changes.Route)."""
    alone: bool = False
    """A fragment whose others didn't come: it goes as it is. Kept from the first decision on it, until one joins it."""

    @property
    def held_bytes(self) -> int:
        """About how much memory it holds: its bytes, and those of its attachments."""
        if not self.attachments:
            return len(self.raw)
        return len(self.raw) + sum(len(one.data) for one in self.attachments if one.data is not None)


@dataclass(slots=True)
class Delivery:
    """One copy of a message for one destination."""

    id: int
    destination: str
    route: str
    lanes: tuple[int, ...] = ()
    """Lane keys, 64-bit hashes; empty for `order_by: none`."""
    kind: DeliveryKind = DeliveryKind.BYTES
    type: str = ""
    """`ADT^A01`, for display and policies."""
    payload_kind: PayloadKind = PayloadKind.RAW
    payload: bytes | None = None
    """What is stored: nothing (RAW), all (FULL), splices; not loaded when a queue is read."""
    rendered: bytes | None = None
    """The bytes to send, when they are in memory; never stored from here."""
    target: str = ""
    """MQTT topic or file name, where the destination needs one."""
    control_id: str = ""
    """MSH-10 as sent: what MSA-2 of the answer must hold; empty for other formats."""
    state: DeliveryState = DeliveryState.PENDING
    queued: bool = True
    """Takes its place in its lanes: pending, or dead with the policy `park`."""
    attempts: int = 0
    """Attempts made."""
    spent: int = 0
    """Attempts that count against the limit (core.retry)."""
    due_ms: int = 0
    """Not before, wall clock; 0: at once."""
    code: str = ""
    """Code of the failure (`E-MAP-MISS`, `AE 207`…)."""
    field: str = ""
    reason: str = ""
    flags: int = 0
    config: str = ""
    """Hash of the configuration that made it."""
    copies: int = 1
    """Deliveries of the same message at its routing: 1 spares the store a look at the others."""
    replay_of: int = 0

    @property
    def place(self) -> int:
        """Place of its message."""
        return self.id >> ORDINAL_BITS

    @property
    def part(self) -> tuple[int, int]:
        """Rank, from 1, and number of the messages that its route made of one; (0, 0) where it made one only."""
        return part_of(self.flags)


@dataclass(slots=True)
class Attempt:
    """An attempt that was not `the first, plain AA`; those live in the delivery's row."""

    delivery: int
    number: int
    """From 1."""
    begin_ms: int
    end_ms: int
    outcome: str
    """Class of core.judgment: ok, connect, unknown, protocol, busy, refused."""
    code: str = ""
    answer: bytes = b""
    """The answer's bytes, at most 4 KB."""


@dataclass(slots=True)
class Refusal:
    """What was not taken: no message, or too long. The last 1,000 a source are kept."""

    source: str
    peer: str
    at_ms: int
    code: str
    """`E-NO-HEADER`, `E-TOO-LONG`, `E-NO-CONTROL-ID`, `E-IDLE`…"""
    reason: str
    size: int
    raw: bytes = b""
    """At most the first 64 KB."""


@dataclass(slots=True)
class Arrival:
    """What the router remembers of a message to recognise its retransmission."""

    place: int
    control_id: str
    digest: int
    received_ms: int
    lanes: frozenset[int] = field(default_factory=frozenset)
    live: bool = True
    """A copy of it was sent, or will be, as it was decided; what became of it since tells a Fate."""


@dataclass(slots=True)
class Fate:
    """What became of a message so far."""

    state: MessageState
    code: str = ""
    """Of its ending."""
    copies: list[DeliveryState] = field(default_factory=list)
    """States of its deliveries; fences and walls are none."""


@dataclass(slots=True)
class Intention:
    """An operator's act, executed by the stage concerned in its own order."""

    stage: str
    """`router` or `delivery`."""
    verb: str
    """retry, pass, discard, restore, hold, release, resume."""
    arguments: dict[str, str | int | bool | list[int]]
    who: str
    reason: str
    at_ms: int
    id: int = 0
    """Given by the store."""


@dataclass(slots=True)
class Hold:
    """A predicate on deliveries: those it meets keep their place and don't leave."""

    kind: str
    """`destination`, `source`, `route` or `lane`."""
    name: str
    until_ms: int
    """0: until released."""
    who: str
    reason: str
    at_ms: int


@dataclass(slots=True)
class Takeover:
    """One line of the log of configurations: which runs from then on, who wanted it, and why."""

    verb: str
    """`start`, `apply`, `confirm`, `rollback`, `return` (not confirmed in time) or `refuse` (nothing changed)."""
    hash: str
    """The configuration that runs from then on; of `refuse`, the one that was refused, where it has one."""
    before: str
    """The one that ran until then; empty at the first start."""
    at_ms: int
    who: str
    reason: str
    until_ms: int = 0
    """Not confirmed by then, it goes back to `before`; 0: needs no confirmation."""
    id: int = 0
    """Given by the store."""
