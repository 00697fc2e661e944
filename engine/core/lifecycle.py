"""
States of messages and deliveries, as data.

A pair that is not in the table raises and changes nothing. The numbers are stored: never reuse one.
`in flight`, `held` and `parked` are not states: the first is memory (and a slot on disk), the others
are predicates and policies.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from engine.errors import ChangeRefused


class MessageState(IntEnum):
    """Where a received message stands."""

    RECEIVED = 0
    ROUTED = 1
    FILTERED = 2
    UNROUTED = 3
    DUPLICATE = 4
    WAITING = 5
    DEAD = 6
    REJECTED = 7
    DISCARDED = 8
    JOINED = 9


FRAGMENT: Final = "E-FRAGMENT"
"""A part of a longer message, whose other parts didn't come with it, or in time, or can't be told."""
FRAGMENT_WAITING: Final = "E-FRAGMENT-WAITING"
"""Code of a message that is WAITING for the other parts of a longer one."""
JOINED: Final = "E-JOINED"
"""Code of a message that is JOINED: a part of another one now."""


class DeliveryState(IntEnum):
    """Where one copy of a message, for one destination, stands."""

    PENDING = 0
    DELIVERED = 1
    DEAD = 2
    DISCARDED = 3
    CANCELLED = 4


MESSAGE_TRANSITIONS: Final[dict[MessageState, frozenset[MessageState]]] = {
    MessageState.RECEIVED: frozenset(
        {
            MessageState.ROUTED,
            MessageState.FILTERED,
            MessageState.UNROUTED,
            MessageState.DUPLICATE,
            MessageState.WAITING,
            MessageState.DEAD,
            MessageState.REJECTED,
            MessageState.JOINED,
        }
    ),
    MessageState.WAITING: frozenset(
        {
            MessageState.RECEIVED,
            MessageState.ROUTED,
            MessageState.FILTERED,
            MessageState.UNROUTED,
            MessageState.WAITING,
            MessageState.DEAD,
            MessageState.JOINED,
        }
    ),
    MessageState.DEAD: frozenset({MessageState.RECEIVED, MessageState.DISCARDED}),
    MessageState.DISCARDED: frozenset({MessageState.DEAD}),
    MessageState.FILTERED: frozenset({MessageState.RECEIVED}),
    MessageState.UNROUTED: frozenset({MessageState.RECEIVED}),
    MessageState.ROUTED: frozenset(),
    MessageState.DUPLICATE: frozenset(),
    MessageState.REJECTED: frozenset(),
    MessageState.JOINED: frozenset(),
}

DELIVERY_TRANSITIONS: Final[dict[DeliveryState, frozenset[DeliveryState]]] = {
    DeliveryState.PENDING: frozenset(
        {DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.CANCELLED}
    ),
    DeliveryState.DEAD: frozenset({DeliveryState.PENDING, DeliveryState.DISCARDED, DeliveryState.DEAD}),
    DeliveryState.DISCARDED: frozenset({DeliveryState.DEAD}),
    DeliveryState.DELIVERED: frozenset(),
    DeliveryState.CANCELLED: frozenset(),
}


def require_message_transition(before: MessageState, after: MessageState) -> None:
    """
    Check one transition of a message.

    Raises:
        ChangeRefused: The pair is not in the table.
    """
    if after not in MESSAGE_TRANSITIONS[before]:
        raise ChangeRefused(f"a message that is {before.name.lower()} can't become {after.name.lower()}")


def require_delivery_transition(before: DeliveryState, after: DeliveryState) -> None:
    """
    Check one transition of a delivery. `DEAD -> DEAD` is `dead pass`: the lane goes on, the state stays.

    Raises:
        ChangeRefused: The pair is not in the table.
    """
    if after not in DELIVERY_TRANSITIONS[before]:
        raise ChangeRefused(f"a delivery that is {before.name.lower()} can't become {after.name.lower()}")


def message_ending(states: list[DeliveryState]) -> str:
    """
    Name the ending of a routed message for the balance line, from the states of all its deliveries.

    One message counts once: as `waiting` while a copy waits, else `dead` if one is dead, else
    `delivered`, else `discarded`, else `cancelled`. No delivery at all (only fences) is `delivered`.
    """
    for state, name in (
        (DeliveryState.PENDING, "waiting"),
        (DeliveryState.DEAD, "dead"),
        (DeliveryState.DELIVERED, "delivered"),
        (DeliveryState.DISCARDED, "discarded"),
        (DeliveryState.CANCELLED, "cancelled"),
    ):
        if state in states:
            return name
    return "delivered"
