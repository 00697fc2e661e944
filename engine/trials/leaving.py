"""In which order the deliveries of a destination leave, as its lanes will have it; without sending anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from engine.core.lanes import Lanes
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery


def leaving(deliveries: Iterable[Delivery], unended: Collection[int] = ()) -> list[int]:
    """
    Let the deliveries of one destination leave, each accepted before the next is looked at.

    Args:
        deliveries: In order of id.
        unended: Ids of deliveries that don't end: what waits for them stays.

    Returns:
        The ids of those that leave, in order. Dead ones that park their lane, and what waits behind them, stay.
    """
    queued = [delivery for delivery in deliveries if delivery.queued]
    size = len(queued) + 1
    lanes = Lanes(
        lambda delivery: delivery.state is not DeliveryState.PENDING or delivery.id in unended,
        window=size, lane_length=size,
    )  # fmt: skip
    lanes.live(queued, -1, queued[-1].id if queued else 0)
    left: list[int] = []
    while (delivery := lanes.take_startable()) is not None:
        left.append(delivery.id)
        lanes.done(delivery.id)
    return left
