"""The allowed transitions, restated from ARCHITECTURE.md, States; every other pair is refused."""

from __future__ import annotations

from itertools import product

import pytest

from engine.core.lifecycle import (
    DeliveryState,
    MessageState,
    message_ending,
    require_delivery_transition,
    require_message_transition,
)
from engine.errors import ChangeRefused

MESSAGES = """
received: routed filtered unrouted duplicate waiting dead rejected joined
waiting: received routed filtered unrouted waiting dead joined
dead: received discarded
discarded: dead
filtered: received
unrouted: received
"""
DELIVERIES = """
pending: pending delivered dead cancelled
dead: pending discarded dead
discarded: dead
"""


def pairs(text: str) -> set[tuple[str, str]]:
    return {
        (before, after)
        for line in text.strip().splitlines()
        for before, _, afters in [line.partition(": ")]
        for after in afters.split()
    }


@pytest.mark.parametrize(("before", "after"), list(product(MessageState, MessageState)))
def test_messages(before: MessageState, after: MessageState) -> None:
    """A message changes state only along the arrows."""
    if (before.name.lower(), after.name.lower()) in pairs(MESSAGES):
        require_message_transition(before, after)
    else:
        with pytest.raises(ChangeRefused):
            require_message_transition(before, after)


@pytest.mark.parametrize(("before", "after"), list(product(DeliveryState, DeliveryState)))
def test_deliveries(before: DeliveryState, after: DeliveryState) -> None:
    """A delivery changes state only along the arrows."""
    if (before.name.lower(), after.name.lower()) in pairs(DELIVERIES):
        require_delivery_transition(before, after)
    else:
        with pytest.raises(ChangeRefused):
            require_delivery_transition(before, after)


@pytest.mark.parametrize(
    ("states", "ending"),
    [
        ("PENDING DEAD DELIVERED", "waiting"),
        ("DEAD DELIVERED", "dead"),
        ("DELIVERED CANCELLED", "delivered"),
        ("DISCARDED CANCELLED", "discarded"),
        ("CANCELLED", "cancelled"),
        ("", "delivered"),
    ],
)
def test_a_message_counts_once(states: str, ending: str) -> None:
    """The ending of a message with several copies is the one that needs most attention."""
    assert message_ending([DeliveryState[name] for name in states.split()]) == ending
