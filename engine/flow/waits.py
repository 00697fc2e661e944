"""Messages that wait for a patient to become known: taken up when he is, or when their time is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from engine.errors import StoreError

if TYPE_CHECKING:
    from engine.core.ports import Place, Runtime, Store

_SOON_MS: Final = 1_000
_WAITS_MAX: Final = 200


class Deciding(Protocol):
    """A router, as far as the others must know it."""

    @property
    def settled(self) -> Place:
        """The last place up to which everything is decided."""

    def came_between(self, keys: Iterable[int]) -> None:
        """Note that these references changed: the same message again may be news."""

    def take_up(self, places: Iterable[Place], *, expired: bool) -> None:
        """Decide on messages that waited; those of other groups are left out."""


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
        self._stopped = False

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True

    def released(self, places: Collection[Place]) -> None:
        """Hand messages to their routers: what they waited for is known."""
        if places:
            for router in self._routers:
                router.take_up(places, expired=False)

    def look_at(self, until_ms: int) -> None:
        """Look at the waits that are over, at this time at the latest."""
        if self._stopped or self._looking or (self._look_ms and self._look_ms <= until_ms):
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
            for router in self._routers:
                router.take_up(places, expired=True)
            if not places:
                following = (await self._store.identity_facts()).next_wait_ms
        except StoreError:
            pass  # it is looked at again
        self._looking, self._look_ms = False, 0
        if following:
            self.look_at(max(following, now + _SOON_MS))
