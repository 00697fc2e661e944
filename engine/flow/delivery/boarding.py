"""
From the lanes to the door: what was taken from its lanes and hasn't left yet.

A delivery that may leave is first without its bytes (`Reader.fetching`), then with them (`_loaded`), then sent.
Until then it can be recalled: a hold, an outage, or one that comes back to an earlier place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from engine.core.circuit import Circuit
from engine.core.lanes import Lanes
from engine.core.messages import Delivery, DeliveryFlag
from engine.core.ports import Runtime
from engine.flow.delivery.deadlines import Deadlines, Moment
from engine.flow.delivery.holds import Holds
from engine.flow.delivery.outage import Outage
from engine.flow.delivery.passing import Passing
from engine.flow.delivery.reading import Reader

_PREFETCH: Final = 32


class Boarding:
    """Deliveries of one destination that are about to leave."""

    def __init__(
        self,
        runtime: Runtime,
        lanes: Callable[[], Lanes],
        reader: Reader,
        circuit: Circuit,
        outage: Outage,
        holds: Holds,
        passing: Passing,
        deadlines: Deadlines,
    ) -> None:
        """
        Begin empty.

        Args:
            runtime: Clock.
            lanes: Gives the destination's lanes of the moment.
            reader: Fetches bytes, and sources for holds.
            circuit: Whether only a probe is wanted.
            outage: Who was probed.
            holds: Who must stay.
            passing: Results that leave apart.
            deadlines: The destination's timer.
        """
        self._runtime = runtime
        self._lanes = lanes
        self._reader = reader
        self._circuit = circuit
        self._outage = outage
        self._holds = holds
        self._passing = passing
        self._deadlines = deadlines
        self._loaded: dict[int, Delivery] = {}
        reader.tell(self._arrived, self._passes)

    def __contains__(self, delivery: object) -> bool:
        return delivery in self._loaded

    def next(self, room: int) -> Delivery | None:
        """Give a delivery whose bytes are here; ask for those of some more."""
        while self._loaded:
            delivery = self._loaded.pop(next(iter(self._loaded)))
            if not self._holds.active or self._holds.meets(delivery) is None:
                return delivery
            self.recall_one(delivery)
        fetching = self._reader.fetching
        ahead = room + (0 if self._circuit.is_open else _PREFETCH)
        while len(fetching) + len(self._reader.asking) < ahead:
            taken = self._take()
            if taken is None:
                return None
            if self._holds.active and self._holds.is_unknown(taken):
                self._reader.asking[taken.id] = taken
            elif taken.rendered is not None:
                return taken
            else:
                fetching[taken.id] = taken
        return None

    def _take(self) -> Delivery | None:
        lanes = self._lanes()
        if not self._circuit.is_open:
            return lanes.take_startable()
        outage = self._outage
        probed = outage.probed
        taken = outage.take_untried(lanes) or lanes.take_startable(lambda delivery: delivery.id in probed)
        if taken is None and probed and not self._reader.fetching:
            probed.clear()  # all were probed: from the first again
            taken = lanes.take_startable()
        return taken

    def has_untried(self) -> bool:
        """Whether something may leave of which no lane was refused."""
        is_marked = self._outage.refusals.is_marked
        about_to = (*self._loaded.values(), *self._reader.fetching.values())
        return self._lanes().has_startable(is_marked) or not all(map(is_marked, about_to))

    def _arrived(self, delivery: Delivery) -> None:
        """What was asked for is known: its bytes, or only its source."""
        if delivery.rendered is None:
            self.recall_one(delivery)
        else:
            self._loaded[delivery.id] = delivery

    def _passes(self, result: Delivery) -> None:
        """A result leaves apart from its lane."""
        if result.rendered is None:
            self._reader.fetching[result.id] = result
        else:
            self._loaded[result.id] = result

    def recall(self) -> None:
        """Put back into the lanes what hasn't left."""
        fetching, asking = self._reader.fetching, self._reader.asking
        if not (self._loaded or fetching or asking):
            return
        taken = [*self._loaded.values(), *fetching.values(), *asking.values()]
        self.clear()
        for delivery in taken:
            self.recall_one(delivery)

    def recall_one(self, delivery: Delivery) -> None:
        """Put one back."""
        if delivery.id in self._passing.apart:
            self.rejoin(delivery)
        else:
            self._lanes().back(delivery.id)

    def marked(self, ids: Collection[int], elsewhere: Iterable[Delivery]) -> None:
        """
        Rows were marked PARTED of which memory knows nothing: they stay, and nobody else waits for that.

        Args:
            ids: Theirs.
            elsewhere: What is under way, which goes on and knows it when it fails; and what came with the same commit.
        """
        self.recall()
        for delivery in elsewhere:
            if delivery.id in ids:
                delivery.flags |= DeliveryFlag.PARTED
        for id_ in ids:
            self._passing.close(id_)  # results passed it as it was
        self._lanes().changed(ids)

    def rejoin(self, delivery: Delivery) -> None:
        """Put a result that was to leave apart back into its lanes; it is looked at again when it is due."""
        head = self._passing.apart.pop(delivery.id)
        self._lanes().rejoin(delivery)
        left = (delivery.due_ms - self._runtime.now_ms()) / 1000
        if left > 0:
            self._deadlines.set(Moment.RESULTS, head, self._runtime.monotonic() + left)
        else:
            self._passing.look_again(head)

    def clear(self) -> None:
        """Forget all."""
        self._loaded.clear()
        self._reader.fetching.clear()
        self._reader.asking.clear()
