"""Fences: what keeps messages of one person in order when his reference changes (ARCHITECTURE.md, Order)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from engine.core.messages import ORDINAL_BITS, Delivery, DeliveryKind

if TYPE_CHECKING:
    from engine.core.ports import Place
    from engine.routes.configuration import Configuration


def fences(
    changed: Iterable[tuple[int, int]],
    configuration: Configuration,
    places: Iterable[Place],
    *,
    place: Place,
    deliveries: Collection[Delivery] = (),
) -> list[Delivery]:
    """
    Propose fences for references that a decision changed: one for each destination ordered by patient.

    A message that carries these keys into a destination is its own fence there.

    Args:
        changed: (before, after).
        configuration: Destinations, and how they are ordered.
        places: Up to where each other routing group has decided: each has its own order, so each gets a fence.
        place: Of the message; for an act of an operator, the last one decided before it.
        deliveries: Of the message.

    Returns:
        Proposals: the store keeps those that something waits for.
    """
    keys = tuple(dict.fromkeys(key for pair in changed for key in pair))
    if not keys:
        return []
    made: list[Delivery] = []
    for destination in configuration.by_patient:
        own = any(one.destination == destination and _holds(one, keys) for one in deliveries)
        for at in dict.fromkeys((place, *places)):
            if at and not (own and at == place):
                fence = Delivery(at << ORDINAL_BITS, destination, "", lanes=keys, config=configuration.hash)
                fence.kind = DeliveryKind.FENCE
                made.append(fence)
    return made


def _holds(delivery: Delivery, keys: tuple[int, ...]) -> bool:
    """Whether a delivery takes its place in all these lanes."""
    return delivery.queued and set(delivery.lanes).issuperset(keys)
