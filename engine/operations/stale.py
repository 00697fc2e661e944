"""
Would a retry go back in time?

A dead delivery whose lane went on (policy or act `pass`) is stale when a later message of that lane and of
the same type was delivered to that destination: what it would change was changed again since.

Later ones are found by search keys. The lane of a patient whom the group knows is none: there the numbers are asked
that are his.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryKind, place_of
from engine.operations.desk import Desk
from engine.operations.rows import place_in, word

_PAGE: Final = 100
_BEHIND: Final = 1000
_NUMBERS_MAX: Final = 200
"""Of the patients of a message."""
_CLOCK_MS: Final = 3_600_000
"""How far the clock may have been set back between two messages."""

Lane = tuple[str, str, tuple[int, ...]]
"""Destination, type of the message, lane keys and the numbers of its patients."""


class Staleness:
    """Looks for what was delivered later; remembers it, for several dead letters of one lane."""

    def __init__(self, desk: Desk) -> None:
        """Say where to look."""
        self._desk = desk
        self._seen: dict[Lane, tuple[int, int]] = {}
        """Lane -> looked at down to this place, newest place delivered (0: none)."""

    async def why(self, number: int) -> str:
        """
        Say why the retry of a delivery is stale.

        Args:
            number: Id of the delivery.

        Returns:
            A sentence that names the later message; empty when nothing overtook it, or it has no lane.

        Raises:
            OperationRefused: The search took too long.
        """
        delivery = await self._desk.store.delivery(number)
        row = await self._desk.queries.message_row(place_of(number))
        if delivery is None or not delivery.lanes or row is None:
            return ""
        place, type_ = place_in(row), str(row["type"])
        lane = (delivery.destination, type_, await self._keys(delivery))
        low, newest = self._seen.get(lane, (place + 1, 0))
        if newest <= place < low:
            newest = await self._newest(lane, place, int(row["received_ms"]))
            self._seen[lane] = (place, newest)
        if newest <= place:
            return ""
        return (
            f"stale: message {newest} of the same lane ({type_}) was delivered to {delivery.destination} since; "
            "--stale sends this one all the same"
        )

    async def is_late(self, number: int) -> bool:
        """
        Tell whether any later message of the lane of a delivery, of whatever type, was delivered to its destination.

        Args:
            number: Id of the delivery.
        """
        delivery = await self._desk.store.delivery(number)
        row = await self._desk.queries.message_row(place_of(number))
        if delivery is None or not delivery.lanes or row is None:
            return False
        lane = (delivery.destination, "", await self._keys(delivery))
        return await self._newest(lane, place_in(row), int(row["received_ms"])) > 0

    async def _keys(self, delivery: Delivery) -> tuple[int, ...]:
        """Return what a later message of its lanes is found by."""
        from engine.operations.identities.naming import all_numbers_of

        stored = await self._desk.store.message(delivery.place)
        numbers = [] if stored is None else await all_numbers_of(self._desk, stored)
        return tuple(dict.fromkeys((*delivery.lanes, *numbers[:_NUMBERS_MAX])))

    async def _newest(self, lane: Lane, place: int, received_ms: int) -> int:
        """Return the newest message behind `place` that the destination got, 0 for none."""
        destination, type_, keys = lane
        before = 0
        while True:
            page = await self._desk.queries.find_messages(
                keys=keys, since_ms=max(0, received_ms - _CLOCK_MS), before=before, limit=_PAGE
            )
            for row in page:
                if place_in(row) <= place:
                    return 0
                if type_ in ("", row["type"]) and await self._was_delivered(place_in(row), destination):
                    return place_in(row)
            if len(page) < _PAGE:
                return 0
            before = place_in(page[-1])

    async def _was_delivered(self, place: int, destination: str) -> bool:
        delivered = DeliveryState.DELIVERED.name.lower()
        return any(
            row["destination"] == destination and word(DeliveryState, row["state"]) == delivered
            for row in await self._desk.queries.deliveries_of(place)
        )


async def behind(desk: Desk, numbers: Sequence[int]) -> int:
    """
    Count what leaves when dead deliveries no longer keep their lanes (of the first hundred).

    What another dead delivery of its lanes keeps back goes on waiting, and isn't counted.

    Args:
        desk: Where.
        numbers: Ids of the deliveries; 0 for what is none.
    """
    chosen = [one for one in numbers if one][:_PAGE]
    freed: set[int] = set()
    kept: set[int] = set()
    for number in chosen:
        delivery = await desk.store.delivery(number)
        if delivery is None:
            continue
        for lane in delivery.lanes:
            queue = await desk.store.queue_of(delivery.destination, lane, 0, _BEHIND)
            if any(one.id == number for one in queue):
                _sort(queue, chosen, freed, kept)
    return len(freed - kept)


def _sort(queue: Sequence[Delivery], chosen: Sequence[int], freed: set[int], kept: set[int]) -> None:
    """Add what waits in one lane to what one of the chosen alone keeps back, and to what another keeps back too."""
    behind_chosen = behind_other = False
    for one in queue:
        if one.state is DeliveryState.DEAD:
            behind_chosen |= one.id in chosen
            behind_other |= one.id not in chosen
        elif one.state is DeliveryState.PENDING and one.kind is not DeliveryKind.FENCE:
            if behind_other:
                kept.add(one.id)
            elif behind_chosen:
                freed.add(one.id)
