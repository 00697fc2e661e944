"""
Counters: kept by the writer as things happen, never by scanning.

    ("received", source, "total")       messages taken into custody
    ("message", source, ending)         where each of them stands; the sum over endings is always the total
    ("refused", source, code)           what was not taken; more than the rows that are kept of it
    ("delivery", destination, state)    deliveries with something to send (fences and walls are not counted)
    ("pruned", source, ending), ("pruned_delivery", destination, state)
                                        rows removed after their retention: what a scan no longer finds
    ("identity", "patient", "total"), ("identity", "identifier", kind), ("identity", "event", rule),
    ("identity", "review", state)       rows of the cross-reference
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.core.lifecycle import DeliveryState, MessageState, message_ending
from engine.core.messages import DeliveryKind

CounterKey = tuple[str, str, str]

IDENTITY: Final = "identity"
RECOUNTED: Final = ("received", "message", "delivery", IDENTITY)
"""Kinds that a scan can find again."""

MESSAGE_STATE_NAMES: Final[dict[int, str]] = {state.value: state.name.lower() for state in MessageState}
DELIVERY_STATE_NAMES: Final[dict[int, str]] = {state.value: state.name.lower() for state in DeliveryState}
SINGLE_ENDINGS: Final[dict[int, str]] = {state.value: message_ending([state]) for state in DeliveryState}
"""Ending of a message with one delivery, by that delivery's state."""
COUNTED_KINDS: Final = frozenset({DeliveryKind.BYTES, DeliveryKind.BODILESS})


class Tally:
    """The differences that one transaction makes; folded into the counters when it is on disk."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        self.changes: dict[CounterKey, int] = {}

    def add(self, key: CounterKey, count: int = 1) -> None:
        """Add to one counter."""
        self.changes[key] = self.changes.get(key, 0) + count

    def received(self, source: str) -> None:
        """Count a message just taken."""
        self.add(("received", source, "total"))
        self.add(("message", source, "received"))

    def refused(self, source: str, code: str) -> None:
        """Count what was not taken."""
        self.add(("refused", source, code))

    def message(self, source: str, before: str, after: str) -> None:
        """Move one message from an ending to another."""
        if before != after:
            self.add(("message", source, before), -1)
            self.add(("message", source, after))

    def delivery(self, destination: str, before: int | None, after: int) -> None:
        """Move one delivery from a state to another (None: it is new)."""
        if before != after:
            if before is not None:
                self.add(("delivery", destination, DELIVERY_STATE_NAMES[before]), -1)
            self.add(("delivery", destination, DELIVERY_STATE_NAMES[after]))


def ending_of(state: int, deliveries: Iterable[tuple[int, int]]) -> str:
    """
    Return under which name a message counts.

    Args:
        state: Of the message.
        deliveries: (kind, state) of each of its deliveries.
    """
    if state != MessageState.ROUTED:
        return MESSAGE_STATE_NAMES[state]
    return message_ending([DeliveryState(other) for kind, other in deliveries if kind in COUNTED_KINDS])


def without_zeros(counters: Mapping[CounterKey, int]) -> dict[CounterKey, int]:
    """Return the counters that are not 0, to compare a recount with what was kept."""
    return {key: count for key, count in counters.items() if count}
