"""
Results that may pass a parked delivery.

Under `park`, results and orders (ORU, ORM, MDM…) pass an administrative fault after `results_wait`, in their own
order, one at a time for each parked head; they never pass an identity event, nor a fence, nor a dead result, nor what
was made before its patients were parted. What an operator holds doesn't pass either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.core.lanes import Lanes
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag, DeliveryKind
from engine.core.ports import Store
from engine.flow.delivery.holds import Holds

_ROWS: Final = 64
_PAGES: Final = 8

_RESULT: Final = int(DeliveryFlag.RESULT)
_PARTED: Final = int(DeliveryFlag.PARTED)
_UNPASSED: Final = int(DeliveryFlag.IDENTITY_EVENT) | _RESULT | _PARTED


def may_be_passed(delivery: Delivery) -> bool:
    """Whether results may pass this delivery at all."""
    return not delivery.flags & _UNPASSED and delivery.kind in (DeliveryKind.BYTES, DeliveryKind.BODILESS)


class Passing:
    """The parked heads of one destination whose results may pass."""

    def __init__(self, destination: str, store: Store, holds: Holds) -> None:
        """
        Begin with none.

        Args:
            destination: Its name.
            store: Where lanes are read.
            holds: Who must stay.
        """
        self._destination = destination
        self._store = store
        self._holds = holds
        self._heads: dict[int, Delivery] = {}
        self._by_key: dict[int, int] = {}
        self._todo: dict[int, None] = {}
        self.apart: dict[int, int] = {}
        """Deliveries under way apart from their lanes -> the head that they pass."""

    def __bool__(self) -> bool:
        return bool(self._heads)

    @property
    def wants(self) -> bool:
        """Whether `find` has something to do."""
        return bool(self._todo)

    def open(self, head: Delivery) -> None:
        """Results may pass this parked delivery from now on."""
        if may_be_passed(head):
            self._heads[head.id] = head
            for key in head.lanes:
                self._by_key[key] = head.id
            self._todo[head.id] = None

    def close(self, delivery: int) -> None:
        """The delivery is no longer parked."""
        head = self._heads.pop(delivery, None)
        self._todo.pop(delivery, None)
        if head is not None:
            for key in head.lanes:
                if self._by_key.get(key) == delivery:
                    del self._by_key[key]

    def clear(self) -> None:
        """Forget all."""
        self._heads.clear()
        self._by_key.clear()
        self._todo.clear()
        self.apart.clear()

    def look_again(self, head: int) -> None:
        """Something behind a head changed."""
        if head in self._heads:
            self._todo[head] = None

    def look_at_all(self) -> None:
        """What may leave changed: holds were set or removed."""
        self._todo.update(dict.fromkeys(self._heads))

    def notice(self, deliveries: Iterable[Delivery]) -> None:
        """Look for results among what was just committed."""
        for delivery in deliveries:
            if delivery.flags & _RESULT:
                for key in delivery.lanes:
                    head = self._by_key.get(key)
                    if head is not None:
                        self._todo[head] = None

    async def find(self, lanes: Lanes, now_ms: int) -> Delivery | None:
        """
        Take the next result that may leave apart, of one head that asks; it is set apart in `lanes`.

        Raises:
            StoreError: The lanes can't be read.
        """
        head = self._heads[next(iter(self._todo))]
        if not lanes.is_blocked(head.id) or head.id in self.apart.values():
            self._todo.pop(head.id, None)
            return None
        lanes.watch()
        found: Delivery | None = None
        try:
            for key in head.lanes:
                result = await self._first_result(head, key)
                if result is None or not await self._is_first(result, head) or await self._is_held(result):
                    continue
                if head.id in self._heads and not 0 < now_ms < result.due_ms and lanes.set_apart(result):
                    self.apart[result.id] = head.id
                    found = result
                    break
        finally:
            lanes.unwatch()
        self._todo.pop(head.id, None)
        return found

    async def _first_result(self, head: Delivery, key: int) -> Delivery | None:
        since = head.id + 1
        for _ in range(_PAGES):
            rows = await self._store.queue_of(self._destination, key, since, _ROWS)
            for row in rows:
                if row.flags & _RESULT:
                    free = row.state is DeliveryState.PENDING and not row.flags & _PARTED
                    return row if free else None
                if not may_be_passed(row):
                    return None
            if len(rows) < _ROWS:
                return None
            since = rows[-1].id + 1
        return None

    async def _is_first(self, result: Delivery, head: Delivery) -> bool:
        """Whether, in its other lanes too, nothing stands before it but what waits behind the head."""
        for key in result.lanes:
            if key in head.lanes:
                continue
            rows = await self._store.queue_of(self._destination, key, 0, _ROWS)
            for row in rows:
                if row.id >= result.id:
                    break
                if not may_be_passed(row) or not set(row.lanes) & set(head.lanes) or row.id < head.id:
                    return False
            else:
                return False
        return True

    async def _is_held(self, result: Delivery) -> bool:
        """Whether an operator holds it; what leaves apart isn't asked for its source on board."""
        if not self._holds.active:
            return False
        if self._holds.is_unknown(result):
            message = await self._store.message(result.place)
            self._holds.learn(result.place, message.source if message is not None else "")
        return self._holds.meets(result) is not None
