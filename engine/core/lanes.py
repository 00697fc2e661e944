"""
Ordered delivery by several keys, in bounded memory.

Rules
    An unfinished delivery may start when no earlier unfinished delivery of its destination shares a lane
    key with it. A delivery's id is its position: unique in a destination, and in order.

Theory of operation
    items    id -> loaded entry (live, or blocked head)     lanes   key -> loaded entries in order of id
    tail     key -> lower bound of the id of the first unfinished entry of that key that is not loaded
    cursor   all ids <= cursor were looked at
    I1  unfinished, <= cursor, not loaded  =>  every key k of it: tail[k] <= its id
    I2  loaded, not started                =>  every key k of it: tail[k] > its id
    I3  live entries <= window; nothing is admitted behind a blocked entry
    So: live, first in each of its lanes  =>  nothing earlier shares a key. A started entry is always first in
    its lanes, because entries are only appended in order of id.

Implementation
    Nothing is read here: `needs` says which read is wanted, `scanned` and `refilled` take its rows. One read is
    under way at a time; what happens between the question and the answer is remembered: ids that ended meanwhile
    are skipped, and rows from `_missed` on aren't believed, because the read may not have seen what came.

Warning:
    Every change here is first made in the property test (tests/property/test_lanes.py), which knows the
    definition and nothing of the invariants.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from engine.core.lanetable import BLOCKED, LIVE, NEVER, OWN_LANE, READY, STARTED, Entry, LaneTable
from engine.core.messages import Delivery, DeliveryKind


@dataclass(slots=True)
class Scan:
    """Wanted: queued deliveries with an id above `after`, in order."""

    after: int
    limit: int


@dataclass(slots=True)
class Refill:
    """Wanted: queued deliveries of a lane, id >= `since`, in order; without a lane: the delivery `since` alone."""

    lane: int | None
    since: int
    limit: int


class Lanes(LaneTable):
    """The queue of one destination: which delivery may leave now, and what to read next."""

    def __init__(
        self,
        stays: Callable[[Delivery], bool],
        *,
        window: int = 1000,
        lane_length: int = 16,
        keys_max: int = 200_000,
        page: int = 500,
    ) -> None:
        """
        Begin empty, before the first delivery.

        Args:
            stays: Asked when a delivery is loaded, and again just before it leaves: True keeps it in its place
                as a blocked head (not due yet, parked, held), until `unblock`. Never asked about fences and walls.
            window: Live entries in memory.
            lane_length: Entries of one lane in memory.
            keys_max: Keys and blocked heads in memory; beyond it the scan stops (`is_full`).
            page: Rows of one scan.
        """
        super().__init__(stays, window=window, lane_length=lane_length, keys_max=keys_max)
        self._low = window - window // 4
        self._page = page
        self._walled = False
        self._asked: Scan | Refill | None = None
        self._asked_key = 0
        self._rechecked = 0

    # --- reads -----------------------------------------------------------------------------------------

    def needs(self) -> Scan | Refill | None:
        """Say which read is wanted now; None while one is under way, or when memory is full enough."""
        if self._asked is not None or len(self._items) - self._blocked >= self._window:
            return None
        while self._hungry_order:
            key = heappop(self._hungry_order)[1]
            if key not in self._hungry:
                continue
            self._hungry.discard(key)
            if key in self._tail:
                lane = key if key < OWN_LANE else None
                self._asked_key = self._refilled_key = key
                return self._ask(Refill(lane, self._tail[key], self._length if lane is not None else 1))
        if not self._more or len(self._items) - self._blocked > self._low or self.is_full:
            return None
        if self._walled and (self._items or self._tail):
            return None
        self._more = self._walled = False
        return self._ask(Scan(self._cursor, min(self._page, self._window)))

    def _ask(self, question: Scan | Refill) -> Scan | Refill:
        self._asked = question
        self.watch()
        return question

    def watch(self) -> None:
        """Begin to remember what ends, for a read of the caller's own (see `is_untouched`)."""
        self._watching = True
        self._ended.clear()
        self._missed = NEVER

    def unwatch(self) -> None:
        """Stop remembering."""
        self._watching = False
        self._ended.clear()

    def is_untouched(self, delivery: int) -> bool:
        """Whether a delivery read since `watch` is still as it was read, and not loaded."""
        return delivery not in self._ended and delivery < self._missed and delivery not in self._items

    def _answered(self) -> Scan | Refill | None:
        asked, self._asked = self._asked, None
        self._watching = False
        self._refilled_key = None
        return asked

    def unanswered(self) -> None:
        """Forget the question: its read failed."""
        asked = self._answered()
        if isinstance(asked, Scan):
            self._more = True
        elif asked is not None:
            self._want(self._asked_key)

    def scanned(self, rows: list[Delivery], high: int) -> None:
        """
        Take the answer to a `Scan`.

        Args:
            rows: Queued deliveries, in order.
            high: Everything up to and including this id was seen.
        """
        asked = self._answered()
        assert isinstance(asked, Scan)
        for delivery in rows:
            if delivery.id <= self._cursor:
                continue
            if delivery.id >= self._missed:
                self._more = True
                return
            if delivery.id in self._ended:
                self._cursor = delivery.id
            elif not self._admit(delivery):
                self._more = True
                return
        if len(rows) >= asked.limit:
            self._more = True
        else:
            self._cursor = max(self._cursor, min(high, self._missed - 1))

    def refilled(self, rows: list[Delivery]) -> None:
        """Take the answer to a `Refill`: the lane's queued deliveries, in order."""
        asked = self._answered()
        assert isinstance(asked, Refill)
        key = self._asked_key
        if key not in self._tail:
            return
        first_left = self._missed
        for delivery in rows:
            if delivery.id >= self._missed:
                break
            if delivery.id in self._items or delivery.id in self._ended:
                continue
            if delivery.id > self._cursor:
                del self._tail[key]
                return
            self._tail[key] = delivery.id
            if not self._fits(delivery):
                if len(self._items) - self._blocked >= self._window:
                    self._want(key)
                return
            self._load(delivery)
        else:
            if len(rows) >= asked.limit and asked.lane is not None:
                first_left = min(first_left, rows[-1].id + 1)
        if first_left == NEVER:
            del self._tail[key]
            return
        self._tail[key] = first_left
        if len(self._lanes.get(key, ())) <= self._length // 2:
            self._want(key)

    # --- loading ---------------------------------------------------------------------------------------

    def _admit(self, delivery: Delivery) -> bool:
        """Load or spill the next delivery after the cursor; False: memory is full, or a wall stands there."""
        if len(self._items) - self._blocked >= self._window or self.is_full:
            return False
        if delivery.kind is DeliveryKind.WALL and (self._items or self._tail):
            self._walled = True
            return False
        if self._fits(delivery):
            self._load(delivery)
        else:
            self._spill(delivery.id, delivery.lanes or (OWN_LANE + delivery.id,))
        self._cursor = delivery.id
        return True

    # --- events ----------------------------------------------------------------------------------------

    def live(self, deliveries: Iterable[Delivery], before: int, high: int) -> None:
        """
        Take deliveries that were just committed, in order of id.

        They are taken as they are when everything before them was looked at; what is behind the cursor is
        inserted; the rest is forgotten, and found by reading.

        Args:
            deliveries: In order of id.
            before: The destination's highest id before this commit.
            high: Its highest id now.
        """
        in_step = self._cursor >= before
        for delivery in deliveries:
            if delivery.id <= self._cursor:
                self.insert(delivery)
            elif not delivery.queued:
                if in_step:
                    self._cursor = delivery.id
            elif not in_step or not self._admit(delivery):
                in_step = False
                self._more = True
                if isinstance(self._asked, Scan):
                    self._missed = min(self._missed, delivery.id)
        if in_step:
            self._cursor = max(self._cursor, high)

    def changed(self, ids: Collection[int]) -> None:
        """Rows of these were changed: what hasn't started of them is forgotten, and all is read as it is now."""
        for id_ in ids:
            entry = self._items.get(id_)
            if entry is not None and entry.state != STARTED:
                self._drop(entry)
                self._unload_after(entry.keys, id_)
                self._spill(id_, entry.keys)
                for key in entry.keys:
                    self._want(key)
        if self._watching and ids:
            asked = self._asked
            since = asked.after + 1 if isinstance(asked, Scan) else asked.since if asked is not None else 0
            self._missed = min(self._missed, max(min(ids), since))

    def insert(self, delivery: Delivery) -> None:
        """Take back a delivery whose place was passed: the retry of a dead one, a replay, another group's."""
        entry = self._items.get(delivery.id)
        if entry is not None:
            if entry.state == STARTED:
                return  # a read saw it before its announcement
            self._drop(entry)
        self._note_end(delivery.id)  # rows read before this moment show it as it was
        if not delivery.queued:
            self._advance(entry.keys if entry is not None else ())
            return
        keys = delivery.lanes or (OWN_LANE + delivery.id,)
        if entry is not None and entry.keys != keys:
            self._advance(entry.keys)  # rendered again with other keys: its old lanes go on
        self._unload_after(keys, delivery.id)
        self._spill(delivery.id, keys)
        if self._watching and self._asked is None:
            self._missed = min(self._missed, delivery.id)
        for key in keys:
            self._want(key)

    def take_startable(self, avoid: Callable[[Delivery], bool] | None = None) -> Delivery | None:
        """
        Give the oldest delivery that may leave now, and count it as started.

        Args:
            avoid: Says which are passed over.
        """
        aside: list[int] = []
        found: Delivery | None = None
        while self._ready:
            id_ = heappop(self._ready)
            entry = self._items.get(id_)
            if entry is None or entry.state != READY:
                continue
            if avoid is not None and avoid(entry.delivery):
                aside.append(id_)
            elif self._stays(entry.delivery):
                self._block(entry)
            else:
                entry.state = STARTED
                found = entry.delivery
                break
        for id_ in aside:
            heappush(self._ready, id_)
        return found

    def take_newest(self, avoid: Callable[[Delivery], bool]) -> Delivery | None:
        """Give the youngest delivery that may leave now, as `take_startable`; looks at all of them."""
        for id_ in sorted(self._ready, reverse=True):
            entry = self._items.get(id_)
            if entry is None or entry.state != READY or avoid(entry.delivery):
                continue
            if self._stays(entry.delivery):
                self._block(entry)
                continue
            self._ready = [other for other in self._ready if other != id_]
            heapify(self._ready)
            entry.state = STARTED
            return entry.delivery
        return None

    def has_startable(self, avoid: Callable[[Delivery], bool]) -> bool:
        """Whether something is first in its lanes that isn't to be avoided."""
        entries = (self._items.get(id_) for id_ in self._ready)
        return any(entry is not None and entry.state == READY and not avoid(entry.delivery) for entry in entries)

    def take_passive(self) -> Delivery | None:
        """Give a fence or wall that is first in all its lanes: it is done at once, nothing is sent."""
        while self._passive_ready:
            entry = self._items.get(heappop(self._passive_ready))
            if entry is not None and entry.state == READY:
                entry.state = STARTED
                return entry.delivery
        return None

    def done(self, delivery: int) -> None:
        """The delivery has ended, on disk: its lanes go on."""
        entry = self._items[delivery]
        self._note_end(delivery)
        self._drop(entry)
        self._advance(entry.keys)

    def block(self, delivery: int) -> None:
        """The delivery stays first in its lanes, which wait: to be tried later, parked, held."""
        self._block(self._items[delivery])

    def _block(self, entry: Entry) -> None:
        if entry.state != BLOCKED:
            entry.state = BLOCKED
            self._blocked += 1
        self._unload_after(entry.keys, entry.id)
        if self._is_overtaken(entry):
            self._put_back(entry)

    def recheck(self, limit: int = 500) -> None:
        """
        Ask again for some lanes of which nothing is loaded, others each time.

        A safety net, called now and then: such a lane waits for another lane of its first delivery, and isn't
        told when that one was rendered again with other keys while it wasn't in memory.
        """
        keys = list(self._tail)
        if self._rechecked >= len(keys):
            self._rechecked = 0
        for key in keys[self._rechecked :]:
            self._rechecked += 1
            if key not in self._lanes:
                self._want(key)
                limit -= 1
                if not limit:
                    break

    def unblock(self, delivery: int) -> bool:
        """The delivery may leave again (due, released); False: it isn't loaded, and will be found by reading."""
        entry = self._items.get(delivery)
        if entry is None:
            return False
        if entry.state != BLOCKED:
            return True
        if len(self._items) - self._blocked >= self._window:
            self._put_back(entry)  # a mass release can't exceed the window
            return False
        entry.state = LIVE
        self._blocked -= 1
        self._advance(entry.keys)
        return True

    def back(self, delivery: int) -> None:
        """A started delivery didn't leave: it may start again."""
        entry = self._items[delivery]
        assert entry.state == STARTED
        entry.state = LIVE
        if self._is_overtaken(entry):
            self._unload_after(entry.keys, entry.id)
            self._put_back(entry)
        else:
            self._look(entry)

    def gone(self, delivery: int, lanes: tuple[int, ...]) -> None:
        """The delivery left the queue, loaded or not: passed over, discarded, cancelled, delivered apart."""
        self._note_end(delivery)
        self._apart.discard(delivery)
        entry = self._items.get(delivery)
        if entry is not None:
            self._drop(entry)
        self._advance(lanes or (OWN_LANE + delivery,))

    # --- deliveries that leave apart from their lanes ----------------------------------------------------

    def set_apart(self, delivery: Delivery) -> bool:
        """
        Take a delivery that isn't loaded out of its lanes' order; ends with `gone` or `rejoin`.

        Returns:
            False when it changed since it was read (see `watch`), or is already under way.
        """
        if not self.is_untouched(delivery.id) or delivery.id in self._apart:
            return False
        self._apart.add(delivery.id)
        return True

    def rejoin(self, delivery: Delivery) -> None:
        """A delivery that was set apart didn't end: it waits in its lanes again."""
        self._apart.discard(delivery.id)
        keys = delivery.lanes or (OWN_LANE + delivery.id,)
        if delivery.id > self._cursor:
            if isinstance(self._asked, Scan):
                self._missed = min(self._missed, delivery.id)
                self._more = True
            return
        self._spill(delivery.id, keys)
        for key in keys:
            self._want(key)
