"""Messages that wait for a patient to become known: taken up when he is, or when their time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from engine.errors import StoreError

if TYPE_CHECKING:
    from engine.core.changes import Remake
    from engine.core.messages import Delivery, StoredMessage
    from engine.core.ports import Place, Runtime, Store
    from engine.flow.late import Late

_SOON_MS: Final = 1_000
_WAITS_MAX: Final = 200


class Deciding(Protocol):
    """A router, as far as the others must know it."""

    late: Late
    """Its messages that waited, and what came behind them."""

    @property
    def settled(self) -> Place:
        """The last place up to which everything is decided."""

    def answers_for(self, group: str) -> bool:
        """Whether messages of a group are its own."""

    def came_between(self, keys: Iterable[int]) -> None:
        """Note that these references changed: the same message again may be news."""

    def take_up(self, places: Iterable[Place], *, expired: bool, keys: Collection[int] = ()) -> None:
        """Decide on messages that waited, `keys`: lane keys of their patients; those of other groups are left out."""

    @property
    def rests(self) -> bool:
        """Whether it decides on nothing now: it is paused, stopped, or starts again."""

    def wake(self) -> None:
        """Go on with what was put off."""

    async def remake(self, row: Delivery, message: StoredMessage, data: bytes) -> Remake:
        """Say what becomes of a delivery whose patients were parted (flow.remaking)."""

    def give_up(self, row: Delivery) -> Remake:
        """Make a dead letter of a delivery whose patients were parted, and whose bytes are gone."""

    def start_over(self, reason: str) -> None:
        """Drop everything and start again from the store: what was known of patients isn't so."""


class Waits:
    """When to look at the messages that wait, and who decides on them."""

    def __init__(self, store: Store, runtime: Runtime, routers: Sequence[Deciding]) -> None:
        """
        Begin with none.

        Args:
            store: Where they wait.
            runtime: Clock, timer and task.
            routers: All that decide; the list may grow.
        """
        self._store = store
        self._runtime = runtime
        self._routers = routers
        self._look_ms = 0
        """When the next wait is to be looked at; 0: none is known."""
        self._looking = False
        self._meanwhile_ms = 0
        """The first end of a wait that began during a look, which may not have seen it; 0: none began."""
        self._handing = asyncio.Lock()
        self._stopped = False

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True

    def released(self, places: Collection[Place], keys: Collection[int] = ()) -> None:
        """Hand messages to their routers: what they waited for is known; `keys`: lane keys of their patients."""
        if not places:
            return
        if len(self._routers) == 1:
            self._routers[0].take_up(places, expired=False, keys=keys)
        else:
            self._runtime.spawn(self._hand(places, keys, expired=False), "messages that waited go on")

    def look_at(self, until_ms: int) -> None:
        """Look at the waits that are over, at this time at the latest."""
        if self._looking:
            self._meanwhile_ms = min(until_ms, self._meanwhile_ms or until_ms)
            return
        if self._stopped or (self._look_ms and self._look_ms <= until_ms):
            return
        self._look_ms = until_ms
        delay = max(0.0, (until_ms - self._runtime.now_ms()) / 1000)
        self._runtime.call_later(delay, self._look_for(until_ms))

    def _look_for(self, until_ms: int) -> Callable[[], None]:
        def look() -> None:
            if self._look_ms == until_ms and not self._looking and not self._stopped:
                self._looking = True
                self._runtime.spawn(self._look(), "waits that are over")

        return look

    async def _look(self) -> None:
        now = self._runtime.now_ms()
        following = now
        try:
            places = await self._store.waiting_until(now, _WAITS_MAX)
            await self._hand(places, expired=True)
            if not places:
                following = (await self._store.identity_facts()).next_wait_ms
        except StoreError:
            pass  # it is looked at again
        ends = [one for one in (following, self._meanwhile_ms) if one]
        self._looking, self._look_ms, self._meanwhile_ms = False, 0, 0
        if ends:
            self.look_at(max(min(ends), now + _SOON_MS))

    async def _hand(self, places: Collection[Place], keys: Collection[int] = (), *, expired: bool) -> None:
        """Hand messages over, in order: a batch after the other."""
        async with self._handing:
            for place in places:
                for router in await self._takers(place):
                    router.take_up((place,), expired=expired, keys=keys)

    async def _takers(self, place: Place) -> Sequence[Deciding]:
        """Return the router of a message: another one would keep a place that it never takes."""
        if len(self._routers) == 1:
            return self._routers
        try:
            message = await self._store.message(place)
        except StoreError:
            return self._routers  # each of them asks, as soon as it can
        return [one for one in self._routers if message is not None and one.answers_for(message.group)]
