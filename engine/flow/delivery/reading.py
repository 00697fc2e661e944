"""
What a queue reads from the store: pages of the queue, lanes, bytes; one read at a time.

Reads are coroutines of the store; everything else of delivery is callbacks. One task runs while there is
something to read, and none otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.core.lanes import Lanes, Refill, Scan
from engine.core.messages import Delivery
from engine.core.ports import Runtime, Store
from engine.errors import StoreError
from engine.flow.delivery.budget import RenderedBudget
from engine.flow.delivery.holds import Holds
from engine.flow.delivery.passing import Passing

_BYTES_AT_ONCE: Final = 4_000_000
_FETCHED_AT_ONCE: Final = 256


class Reader:
    """Reads for one destination."""

    def __init__(
        self,
        destination: str,
        store: Store,
        runtime: Runtime,
        passing: Passing,
        holds: Holds,
        budget: RenderedBudget,
        *,
        missing: Callable[[Delivery], None],
        leave: Callable[[], None],
        failed: Callable[[StoreError], None],
    ) -> None:
        """
        Prepare.

        Args:
            destination: Its name.
            store: Where to read.
            runtime: Runs the reading task.
            passing: Parked heads that results may pass.
            holds: Learns the sources of messages.
            budget: Bytes that may stay in memory.
            missing: Called with a delivery that no longer exists.
            leave: Called after each read.
            failed: Called when a read failed; `kick` is to be called later.
        """
        self._destination = destination
        self._store = store
        self._runtime = runtime
        self._passing = passing
        self._holds = holds
        self._budget = budget
        self._missing = missing
        self._leave = leave
        self._failed = failed
        self._lanes: Lanes | None = None
        self._question: Scan | Refill | None = None
        self._reading = False
        self.stopped = False
        self.fetching: dict[int, Delivery] = {}
        """Deliveries that left their lane's queue and want their bytes."""
        self.asking: dict[int, Delivery] = {}
        """Deliveries whose source is wanted, for a hold."""

    def tell(self, arrived: Callable[[Delivery], None], passes: Callable[[Delivery], None]) -> None:
        """
        Name who is told.

        Args:
            arrived: Called with a delivery that was asked for, when its bytes (or its source) are known.
            passes: Called with a result that leaves apart from its lane.
        """
        self._arrived = arrived
        self._passes = passes

    def begin(self, lanes: Lanes) -> None:
        """Read for these lanes from now on; answers to earlier ones are dropped."""
        self._lanes = lanes
        self._question = None
        self.fetching.clear()
        self.asking.clear()

    def kick(self) -> None:
        """Read, if something is to be read."""
        if self._reading or self.stopped or self._lanes is None:
            return
        if not (self.fetching or self.asking or self._passing.wants):
            self._question = self._question or self._lanes.needs()
            if self._question is None:
                return
        self._reading = True
        self._runtime.spawn(self._read_all(), f"read the queue of {self._destination}")

    async def _read_all(self) -> None:
        try:
            while not self.stopped:
                lanes = self._lanes
                if lanes is None or not await self._read_some(lanes):
                    break
                self._leave()
        except StoreError as error:
            self._failed(error)
        finally:
            self._reading = False

    async def _read_some(self, lanes: Lanes) -> bool:
        """Read bytes, then rows; tell whether there was anything to read."""
        busy = False
        if self.fetching:
            busy = True
            await self._fetch(lanes)
        if self.asking:
            busy = True
            await self._ask()
        if lanes is not self._lanes:
            return True
        self._question = self._question or lanes.needs()
        if self._question is not None:
            question, self._question = self._question, None
            await self._answer(lanes, question)
            return True
        if self._passing.wants:
            found = await self._passing.find(lanes, self._runtime.now_ms())
            if found is not None and lanes is self._lanes:
                self._passes(found)
            return True
        return busy

    async def _answer(self, lanes: Lanes, question: Scan | Refill) -> None:
        store, name = self._store, self._destination
        try:
            if isinstance(question, Scan):
                page = await store.queue(name, question.after, question.limit)
                if lanes is self._lanes:
                    lanes.scanned(page.items, page.high)
            elif question.lane is not None:
                rows = await store.queue_of(name, question.lane, question.since, question.limit)
                if lanes is self._lanes:
                    lanes.refilled(rows)
            else:
                page = await store.queue(name, question.since - 1, 1)
                if lanes is self._lanes:
                    lanes.refilled([row for row in page.items if row.id == question.since])
        except StoreError:
            lanes.unanswered()
            raise

    async def _fetch(self, lanes: Lanes) -> None:
        """Read the bytes of those that are about to leave, and of some that leave soon."""
        wanted = dict(self.fetching)
        ahead: dict[int, Delivery] = {}
        if len(wanted) < _FETCHED_AT_ONCE and self._budget.left > _BYTES_AT_ONCE:
            # A read costs more than a row: a lane would pay one for each of its deliveries.
            ahead = {one.id: one for one in lanes.without_bytes(_FETCHED_AT_ONCE) if one.id not in wanted}
        found = await self._store.payloads([*wanted, *sorted(ahead)], _BYTES_AT_ONCE)
        for id_, delivery in ahead.items():
            if (data := found.get(id_)) is not None:
                delivery.rendered = data
                self._budget.add((delivery,))
        for id_, delivery in wanted.items():
            data = found.get(id_)
            if data is not None:
                delivery.rendered = data
                self._budget.add((delivery,))
            elif not found.keys().isdisjoint(wanted):
                continue  # it didn't fit: next time
            # Only what still waits for it: it may have been recalled meanwhile, or its queue begun again.
            if self.fetching.get(id_) is delivery:
                del self.fetching[id_]
                (self._arrived if data is not None else self._missing)(delivery)

    async def _ask(self) -> None:
        for id_, delivery in list(self.asking.items()):
            message = await self._store.message(delivery.place)
            self._holds.learn(delivery.place, message.source if message is not None else "")
            if self.asking.get(id_) is delivery:
                del self.asking[id_]
                self._arrived(delivery)
