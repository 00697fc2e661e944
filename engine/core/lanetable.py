"""
What is in memory of one destination's queue: entries, lanes, and the tails of lanes that are not in memory.

The invariants are in core.lanes, which moves the cursor and asks for reads; here each step keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappush, nsmallest
from operator import attrgetter
from typing import Final

from engine.core.messages import Delivery, DeliveryKind

OWN_LANE: Final = 1 << 64
"""Lane keys are 64-bit; a delivery without any is alone in the lane `OWN_LANE + id`."""

NEVER: Final = 1 << 80
"""Higher than every id."""

LIVE: Final = 0
"""In memory; something of its lanes stands before it."""
READY: Final = 1
"""First in each of its lanes."""
STARTED: Final = 2
"""It was given out."""
BLOCKED: Final = 3
"""First in its lanes, which wait."""

_by_id = attrgetter("id")


class Entry:
    """A delivery in memory."""

    __slots__ = ("delivery", "id", "keys", "passive", "state")

    def __init__(self, delivery: Delivery) -> None:
        """Take a delivery, live."""
        self.delivery = delivery
        self.id = delivery.id
        self.keys = delivery.lanes or (OWN_LANE + delivery.id,)
        self.passive = delivery.kind is DeliveryKind.FENCE or delivery.kind is DeliveryKind.WALL
        self.state = LIVE


class LaneTable:
    """Entries and lanes; the loading half of core.lanes.Lanes."""

    def __init__(self, stays: Callable[[Delivery], bool], *, window: int, lane_length: int, keys_max: int) -> None:
        """Begin empty; the arguments are those of core.lanes.Lanes."""
        self._stays = stays
        self._window = window
        self._length = lane_length
        self._keys_max = keys_max
        self._items: dict[int, Entry] = {}
        self._lanes: dict[int, list[Entry]] = {}
        self._tail: dict[int, int] = {}
        self._blocked = 0
        self._cursor = -1
        self._more = True
        self._hungry: set[int] = set()
        self._hungry_order: list[tuple[int, int]] = []
        self._ready: list[int] = []
        self._passive_ready: list[int] = []
        self._apart: set[int] = set()
        self._refilled_key: int | None = None
        """The lane of which a read is under way."""
        self._watching = False
        self._ended: set[int] = set()
        self._missed = NEVER

    # --- loading ---------------------------------------------------------------------------------------

    def _fits(self, delivery: Delivery) -> bool:
        id_ = delivery.id
        if len(self._items) - self._blocked >= self._window or id_ in self._apart:
            return False
        tail, lanes = self._tail, self._lanes
        for key in delivery.lanes or (OWN_LANE + id_,):
            if tail and tail.get(key, id_) < id_:
                return False
            lane = lanes.get(key)
            if lane is not None:
                last = lane[-1]
                if last.state == BLOCKED or last.id > id_ or len(lane) >= self._length:
                    return False
        return True

    def _load(self, delivery: Delivery) -> None:
        entry = Entry(delivery)
        self._items[entry.id] = entry
        first = True
        for key in entry.keys:
            lane = self._lanes.get(key)
            if lane is None:
                self._lanes[key] = [entry]
            else:
                lane.append(entry)
                first = False
            if self._tail.get(key) == entry.id:
                self._tail[key] = entry.id + 1
        if not entry.passive and self._stays(delivery):
            entry.state = BLOCKED
            self._blocked += 1
        elif first:
            self._make_ready(entry)

    def _make_ready(self, entry: Entry) -> None:
        entry.state = READY
        heappush(self._passive_ready if entry.passive else self._ready, entry.id)

    def _spill(self, id_: int, keys: Iterable[int]) -> None:
        for key in keys:
            if self._tail.get(key, NEVER) > id_:
                self._tail[key] = id_
            if key == self._refilled_key and id_ < self._missed:
                self._missed = id_  # the read under way may not have seen it, or saw it as it was before

    def _want(self, key: int) -> None:
        if key in self._tail and key not in self._hungry:
            self._hungry.add(key)
            heappush(self._hungry_order, (self._tail[key], key))

    def _drop(self, entry: Entry) -> None:
        del self._items[entry.id]
        if entry.state == BLOCKED:
            self._blocked -= 1
        lanes = self._lanes
        for key in entry.keys:
            lane = lanes[key]
            if len(lane) == 1:
                del lanes[key]
            else:
                lane.remove(entry)

    def _unload_after(self, keys: Iterable[int], id_: int) -> None:
        """Spill every entry later than `id_` in these lanes that has not started, and what is behind it."""
        todo = [(key, id_) for key in keys]
        while todo:
            key, after = todo.pop()
            for entry in [e for e in self._lanes.get(key, ()) if e.id > after and e.state != STARTED]:
                if entry.id in self._items:
                    self._drop(entry)
                    self._spill(entry.id, entry.keys)
                    todo += [(other, entry.id) for other in entry.keys if other != key]

    def _look(self, entry: Entry) -> None:
        """Make an entry ready if it is live and first in each of its lanes."""
        if entry.state == LIVE:
            lanes = self._lanes
            for key in entry.keys:
                if lanes[key][0] is not entry:
                    return
            self._make_ready(entry)

    def _advance(self, keys: Iterable[int]) -> None:
        """Look at the new heads of lanes, and ask for what is behind them."""
        for key in keys:
            lane = self._lanes.get(key)
            if lane is not None:
                self._look(lane[0])
            if self._tail and key in self._tail and (lane is None or len(lane) <= self._length // 2):
                self._want(key)

    def _is_overtaken(self, entry: Entry) -> bool:
        """Whether an earlier one was inserted while this one was under way."""
        return any(self._tail.get(key, NEVER) < entry.id for key in entry.keys)

    def _put_back(self, entry: Entry) -> None:
        self._drop(entry)
        self._spill(entry.id, entry.keys)
        for key in entry.keys:
            self._want(key)

    def _note_end(self, delivery: int) -> None:
        if self._watching:
            self._ended.add(delivery)

    # --- what can be seen --------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether keys and blocked heads fill the memory allowed: the scan stops until lanes go on."""
        return len(self._tail) + self._blocked >= self._keys_max

    @property
    def has_more(self) -> bool:
        """Whether deliveries wait that are not in memory."""
        return self._more or bool(self._tail)

    @property
    def cursor(self) -> int:
        """All ids up to this one were looked at."""
        return self._cursor

    @property
    def live_count(self) -> int:
        """Loaded deliveries that are not blocked."""
        return len(self._items) - self._blocked

    @property
    def blocked_count(self) -> int:
        """Loaded deliveries that are blocked."""
        return self._blocked

    @property
    def key_count(self) -> int:
        """Lanes of which something is not in memory."""
        return len(self._tail)

    def get(self, delivery: int) -> Delivery | None:
        """A loaded delivery."""
        entry = self._items.get(delivery)
        return entry.delivery if entry is not None else None

    def is_blocked(self, delivery: int) -> bool:
        """Whether a delivery is loaded and blocked."""
        entry = self._items.get(delivery)
        return entry is not None and entry.state == BLOCKED

    def loaded(self) -> Iterator[tuple[Delivery, bool]]:
        """Every loaded delivery, and whether it is blocked; in no order."""
        for entry in self._items.values():
            yield entry.delivery, entry.state == BLOCKED

    def without_bytes(self, limit: int) -> list[Delivery]:
        """Live deliveries whose bytes aren't in memory, those that leave first first."""
        wanting = [
            entry.delivery
            for entry in self._items.values()
            if entry.state != BLOCKED and not entry.passive and entry.delivery.rendered is None
        ]
        if len(wanting) > limit:
            wanting = nsmallest(limit, wanting, key=_by_id)
        return wanting

    @property
    def oldest(self) -> int | None:
        """The lowest id known to be unfinished."""
        loaded = min(self._items, default=NEVER)
        lowest = min(loaded, min(self._tail.values(), default=NEVER))
        return lowest if lowest < NEVER else None
