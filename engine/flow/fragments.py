"""
The fragments of one router that wait, as far as they were asked for: each pointer is read once from the store.

Nobody else decides on them: a source has one router, and what ends a wait is a decision of it. So what was read stays
true as long as each decision is noted when it is submitted (`adopt`), and all is let go where one isn't stored as it
was made (`clear`). A read then doesn't wait for the decisions under way, nor a fragment for a read where its pointers
are known: else each would hold what is behind it for several commits.

Bounded: beyond HASHES_MAX pointers, and KEPT_BYTES of bodies, the store is asked again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from engine.core.lifecycle import FRAGMENT_WAITING
from engine.flow.chains import Ends, other

if TYPE_CHECKING:
    from engine.core.changes import Route
    from engine.core.messages import StoredMessage
    from engine.core.ports import Place

HASHES_MAX: Final = 20_000
WAITING_MAX: Final = 1_000
"""So many the store tells at most: there may be more."""
KEPT_BYTES: Final = 1_000_000
"""Bodies of those that came last, all together; the whole is mostly made while they are here."""


class WaitingFragments:
    """By the ends of their pointers (flow.chains)."""

    def __init__(self) -> None:
        """Begin with none known."""
        self._holders: dict[int, dict[Place, None]] = {}
        """Of each end that was asked for, all that wait for it."""
        self._ends: dict[Place, Ends] = {}
        self._bodies: dict[Place, bytes] = {}
        self._size = 0

    def clear(self) -> None:
        """Forget all: the store knows."""
        self._holders.clear()
        self._ends.clear()
        self._bodies.clear()
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether it is to be cleared before more is learnt."""
        return len(self._holders) > HASHES_MAX

    def unknown(self, ends: Iterable[int]) -> list[int]:
        """Return those of some ends that must be asked for."""
        return [end for end in ends if end not in self._holders]

    def learn(self, ends: Iterable[int], found: Mapping[Place, Ends]) -> None:
        """
        Take what the store said.

        Args:
            ends: For which it was asked.
            found: All that wait for one of them, each with all of its ends.
        """
        for end in ends:
            self._holders.setdefault(end, {})
        for place, own in found.items():
            self._put(place, own)

    def adopt(self, route: Route) -> None:
        """Note a decision that was submitted."""
        waits = route.wait if route.code == FRAGMENT_WAITING else None
        for place in (route.place, *route.joins, *route.ends):
            for end in self._ends.pop(place, ()):
                if end in self._holders:
                    self._holders[end].pop(place, None)
            if waits is None or place != route.place:
                self._forget_body(place)
        if waits is not None:
            self._put(route.place, waits.hashes)

    def keep(self, message: StoredMessage) -> None:
        """Keep the bytes of one that begins to wait, those of older ones give way."""
        size = len(message.raw)
        if message.attachments or size > KEPT_BYTES // 8 or message.place in self._bodies:
            return
        self._bodies[message.place] = message.raw
        self._size += size
        while self._size > KEPT_BYTES:
            self._forget_body(next(iter(self._bodies)))

    def body(self, place: Place) -> bytes | None:
        """Return the bytes of one that came without files; None: they must be read."""
        return self._bodies.get(place)

    def waiting_for(self, ends: Iterable[int]) -> dict[Place, Ends]:
        """Return all that wait for one of some ends, which are known, in the order of places."""
        places = {place for end in ends for place in self._holders[end]}
        return {place: self._ends[place] for place in sorted(places)}

    def linked(self, ends: Iterable[int]) -> dict[Place, Ends] | None:
        """Return all that hang together with some ends, directly or not; None: not all of it is known."""
        found: set[Place] = set()
        seen: set[int] = set()
        todo = deque(ends)
        while todo:
            end = todo.popleft()
            for one in (end, other(end)):
                if one in seen:
                    continue
                seen.add(one)
                if one not in self._holders:
                    return None
                for place in self._holders[one]:
                    if place not in found:
                        found.add(place)
                        todo.extend(self._ends[place])
        return {place: self._ends[place] for place in sorted(found)}

    def _put(self, place: Place, ends: Ends) -> None:
        self._ends[place] = ends
        for end in ends:
            if end in self._holders:
                self._holders[end][place] = None

    def _forget_body(self, place: Place) -> None:
        self._size -= len(self._bodies.pop(place, b""))
