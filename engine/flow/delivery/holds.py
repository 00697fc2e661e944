"""
Operators' holds: predicates on deliveries, at the exit.

A held delivery keeps its place, lanes behind it wait. A delivery's row doesn't name its source; where the route
has several, a hold of a source asks for the message once (`is_unknown`, `learn`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.core.messages import Delivery, Hold

_SOURCES_KEPT: Final = 100_000


class Holds:
    """The holds in force."""

    def __init__(self, sources_of: Mapping[str, tuple[str, ...]]) -> None:
        """
        Begin with none.

        Args:
            sources_of: Route name -> names of its sources.
        """
        self._sources_of = sources_of
        self._holds: dict[tuple[str, str], Hold] = {}
        self._lanes: dict[int, Hold] = {}
        self._routes: dict[str, Hold] = {}
        self._sources: dict[str, Hold] = {}
        self._source_at: dict[int, str] = {}
        self.active = False
        """Whether any hold other than of a whole destination is in force."""

    def know(self, sources_of: Mapping[str, tuple[str, ...]]) -> None:
        """Take the sources of routes from a new configuration."""
        self._sources_of = sources_of

    def replace(self, holds: Iterable[Hold]) -> None:
        """Take all holds."""
        self._holds = {(hold.kind, hold.name): hold for hold in holds}
        self._index()

    def set(self, hold: Hold) -> None:
        """Add one, in place of one of the same kind and name."""
        self._holds[hold.kind, hold.name] = hold
        self._index()

    def remove(self, kind: str, name: str) -> bool:
        """Remove one; False when there is none."""
        found = self._holds.pop((kind, name), None)
        self._index()
        return found is not None

    def get(self, kind: str, name: str) -> Hold | None:
        """The hold of a kind and name."""
        return self._holds.get((kind, name))

    def all(self) -> list[Hold]:
        """Every hold."""
        return list(self._holds.values())

    def expired(self, now_ms: int) -> list[Hold]:
        """Holds whose time is over."""
        return [hold for hold in self._holds.values() if 0 < hold.until_ms <= now_ms]

    @property
    def next_end_ms(self) -> int:
        """When the next one ends, wall clock; 0: none does."""
        return min((hold.until_ms for hold in self._holds.values() if hold.until_ms > 0), default=0)

    def meets(self, delivery: Delivery) -> Hold | None:
        """Return the hold that keeps a delivery, other than its destination's."""
        hold = self._routes.get(delivery.route)
        if hold is not None:
            return hold
        if self._lanes:
            for key in delivery.lanes:
                hold = self._lanes.get(key)
                if hold is not None:
                    return hold
        if self._sources:
            return self._of_source(delivery)
        return None

    def is_unknown(self, delivery: Delivery) -> bool:
        """Whether the delivery's source must be asked for before it may leave."""
        if not self._sources or delivery.place in self._source_at:
            return False
        sources = self._sources_of.get(delivery.route, ())
        return len(sources) != 1 and (not sources or any(name in self._sources for name in sources))

    def learn(self, place: int, source: str) -> None:
        """Remember the source of a message."""
        if len(self._source_at) >= _SOURCES_KEPT:
            self._source_at.clear()
        self._source_at[place] = source

    def _of_source(self, delivery: Delivery) -> Hold | None:
        source = self._source_at.get(delivery.place)
        if source is None:
            sources = self._sources_of.get(delivery.route, ())
            if len(sources) != 1:
                return None
            source = sources[0]
        return self._sources.get(source)

    def _index(self) -> None:
        holds = self._holds.values()
        self._routes = {hold.name: hold for hold in holds if hold.kind == "route"}
        self._sources = {hold.name: hold for hold in holds if hold.kind == "source"}
        self._lanes = {
            int(hold.name): hold for hold in holds if hold.kind == "lane" and hold.name.lstrip("-").isdecimal()
        }
        if not self._sources:
            self._source_at.clear()
        self.active = bool(self._routes or self._sources or self._lanes)
