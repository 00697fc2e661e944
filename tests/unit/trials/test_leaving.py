"""The order in which deliveries leave."""

from __future__ import annotations

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery
from engine.trials.leaving import leaving


def queue(*lanes: tuple[int, ...]) -> list[Delivery]:
    return [Delivery(number, "dpi", "r", lanes=keys) for number, keys in enumerate(lanes, 1)]


def test_all_leave_in_order():
    """Of one lane and of several."""
    assert leaving(queue((1,), (2,), (1, 2), (3,), ())) == [1, 2, 3, 4, 5]
    assert leaving([]) == []


def test_what_does_not_end_holds_its_lanes():
    """A merge that waits holds both patients; others go on."""
    assert leaving(queue((1,), (2,), (1, 2), (2,), (3,)), {1}) == [2, 5]


def test_dead_ones():
    """One that parks its lane holds it, one that passes doesn't."""
    deliveries = queue((1,), (1,), (2,), (2,))
    deliveries[0].state = deliveries[2].state = DeliveryState.DEAD
    deliveries[2].queued = False
    assert leaving(deliveries) == [4]
