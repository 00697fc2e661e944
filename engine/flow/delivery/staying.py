"""Which deliveries stay first in their lanes for now: parked, not due, held, to be made anew (for core.lanes)."""

from __future__ import annotations

from engine.core.lanes import Lanes
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag
from engine.core.ports import Runtime
from engine.flow.delivery.deadlines import Deadlines, Moment
from engine.flow.delivery.holds import Holds
from engine.flow.delivery.outage import Outage
from engine.flow.delivery.parking import Parking


class Staying:
    """The predicate of one destination, and the memory of why each one stays."""

    def __init__(
        self, runtime: Runtime, deadlines: Deadlines, parking: Parking, outage: Outage, holds: Holds, longest: float
    ) -> None:
        """
        Begin with none.

        Args:
            runtime: Clock.
            deadlines: The destination's timer.
            parking: Notes the dead ones.
            outage: Notes those that wait for their next attempt.
            holds: Operators' holds.
            longest: The longest delay between attempts, seconds.
        """
        self._runtime = runtime
        self._deadlines = deadlines
        self._parking = parking
        self._outage = outage
        self._holds = holds
        self._longest = longest
        self._held: set[int] = set()

    def __call__(self, delivery: Delivery) -> bool:
        """Whether a delivery stays; the reason is noted, so that it is freed in time."""
        if delivery.state is DeliveryState.DEAD:
            self._parking.park(delivery)
            return True
        if delivery.flags & DeliveryFlag.PARTED:
            return True  # its Remake is announced, and puts another one in its place
        if delivery.due_ms and not self._is_due(delivery):
            return True
        if self._holds.active and self._holds.meets(delivery) is not None:
            self._held.add(delivery.id)
            return True
        return False

    def _is_due(self, delivery: Delivery) -> bool:
        id_ = delivery.id
        left = (delivery.due_ms - self._runtime.now_ms()) / 1000
        if self._outage.takes_amnesty(id_) or left <= 0:
            delivery.due_ms = 0
            return True
        if self._deadlines.get(Moment.DUE, id_) is None:
            self.until_due(delivery)
        self._outage.retrying.add(id_)
        return False

    def until_due(self, delivery: Delivery) -> None:
        """Wait for a delivery's next attempt."""
        # Wall time on disk, monotonic here: a clock that is set back makes nobody wait longer than the longest delay.
        left = (delivery.due_ms - self._runtime.now_ms()) / 1000
        self._outage.retrying.add(delivery.id)
        self._deadlines.set(Moment.DUE, delivery.id, self._runtime.monotonic() + min(max(0.0, left), self._longest))

    def due(self, id_: int, lanes: Lanes) -> None:
        """The time of the next attempt has come."""
        self._outage.retrying.discard(id_)
        known = lanes.get(id_)
        if known is not None and known.state is DeliveryState.PENDING:
            known.due_ms = 0
            self._outage.free(id_, lanes)

    def free_held(self, lanes: Lanes) -> None:
        """Ask again for those that a hold kept."""
        held, self._held = self._held, set()
        for id_ in held:
            lanes.unblock(id_)

    def forget(self, id_: int) -> None:
        """Forget why a delivery stayed."""
        self._held.discard(id_)
        self._deadlines.drop(Moment.DUE, id_)

    def clear(self) -> None:
        """Forget all."""
        self._held.clear()
