"""
Which proposed fences are kept, in the transaction of the decision that proposed them.

A fence keeps order between two references of one patient (ARCHITECTURE.md, Order). It is needed only where something
unfinished stands before it in one of its lanes: most decisions need none, and then nothing is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engine.core.changes import Identify, Route, events_of
from engine.core.messages import Delivery, place_of
from engine.store import identity_rules as rules

if TYPE_CHECKING:
    from engine.store.sqlite.transaction import Transaction

_HELD: Final = """
SELECT json_group_array(DISTINCT f.value ->> 0) FROM json_each(?) AS f WHERE EXISTS (
    SELECT 1 FROM deliveries AS d INDEXED BY deliveries_lane
    WHERE d.queued = 1 AND d.destination = f.value ->> 1 AND d.lane = f.value ->> 2 AND d.id < f.value ->> 3
) OR EXISTS (
    SELECT 1 FROM lane_more AS l
    WHERE l.destination = f.value ->> 1 AND l.lane = f.value ->> 2 AND l.id < f.value ->> 3
)
"""
"""Which of some fences (index, destination, lane, id below which) have a lane that an unfinished delivery holds."""
_LAST_FENCES: Final = """
SELECT json_group_array(json_array(p.value ->> 0, (
    SELECT max(d.id) FROM deliveries AS d WHERE d.id >= p.value ->> 1 AND d.id < p.value ->> 2
))) FROM json_each(?) AS p
"""
_LAST_MESSAGE: Final = "SELECT max(id) FROM messages WHERE id <= ?"


@dataclass(slots=True)
class Result:
    """What the store writes into a change once it is on disk."""

    change: Route | Identify
    events: list[int] = field(default_factory=list)
    """Ids, in the order of the change's events."""
    fences: list[tuple[int, int]] = field(default_factory=list)
    """Those kept: which of those proposed, and its id."""
    released: list[int] = field(default_factory=list)
    parted: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def write(self) -> None:
        """Write it."""
        fill(self.change, self.events, self.fences, self.released)
        self.change.parted = self.parted


def fill(change: Route | Identify, events: list[int], fences: list[tuple[int, int]], released: list[int]) -> None:
    """Write into a change what the store decided of it."""
    for event, number in zip(events_of(change), events, strict=True):
        event.id = number
    kept = []
    for index, key in fences:
        rules.number_fence(change.fences[index], key)
        kept.append(change.fences[index])
    change.fences = kept
    change.released = released


class Fences:
    """Those of one transaction, whose deliveries are written."""

    def __init__(self, work: Transaction) -> None:
        self._work = work
        self._connection = work.connection

    def keep(self, results: list[Result]) -> None:
        """Keep those of some changes that something unfinished needs; the others leave no trace."""
        proposed = [
            (result, index, fence, place)
            for result in results
            for index, fence in enumerate(result.change.fences)
            if (place := self._place(fence, result.change))
        ]
        if not proposed:
            return
        own = self._work.names.own
        asked = [
            (number, own(fence.destination), lane, rules.fence_end(place))
            for number, (_, _, fence, place) in enumerate(proposed)
            for lane in fence.lanes
        ]
        held = set(json.loads(self._connection.execute(_HELD, (json.dumps(asked),)).fetchone()[0]))
        lanes: set[tuple[str, int]] = set()
        kept: list[tuple[Result, int, Delivery, int]] = []
        for number, (result, index, fence, place) in enumerate(proposed):
            # A fence just kept holds its lanes against the next one.
            mine = {(fence.destination, lane) for lane in fence.lanes}
            if number in held or not lanes.isdisjoint(mine):
                lanes |= mine
                kept.append((result, index, fence, place))
        if kept:
            self._insert(kept)

    def _place(self, fence: Delivery, change: Route | Identify) -> int:
        """Return where a fence stands: at its place, or at the last message before it; 0: there is none."""
        if isinstance(change, Route) and fence.place == change.place:
            return fence.place
        return self._connection.execute(_LAST_MESSAGE, (fence.place,)).fetchone()[0] or 0

    def _insert(self, kept: list[tuple[Result, int, Delivery, int]]) -> None:
        places = sorted({place for *_, place in kept})
        bounds = json.dumps([(place, rules.fence_base(place), rules.fence_end(place)) for place in places])
        found = json.loads(self._connection.execute(_LAST_FENCES, (bounds,)).fetchone()[0])
        last = {place: key or rules.fence_base(place) - 1 for place, key in found}
        rows = []
        for result, index, fence, place in kept:
            last[place] += 1
            rows.append(_copy(fence, last[place]))
            result.fences.append((index, last[place]))
        self._work.insert_deliveries(rows)
        self._work.flush()  # the next ones look at them


def _copy(fence: Delivery, key: int) -> Delivery:
    """Return the row of a fence; ours stays as it was proposed until it is on disk."""
    row = Delivery(fence.id, fence.destination, fence.route, fence.lanes, fence.kind, fence.type, config=fence.config)
    rules.number_fence(row, key)
    assert place_of(key) == row.place
    return row
