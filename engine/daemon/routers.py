"""One router a routing group; all pause together when the configuration changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from engine.core.asking import Sandbox
from engine.core.changes import Identify, events_of
from engine.core.messages import ORDINAL_BITS, delivery_id
from engine.core.ports import Runtime, Store
from engine.core.references import References
from engine.errors import OperationRefused
from engine.flow.identities import Identities
from engine.flow.router import Router
from engine.identity.decisions import touched
from engine.routes.configuration import Configuration

_LOOK_SECONDS: Final = 0.002
_LAST_ORDINAL: Final = (1 << ORDINAL_BITS) - 1


class Routers:
    """The routers of one engine."""

    def __init__(
        self, store: Store, runtime: Runtime, references: References, sandbox: Sandbox,
        alert: Callable[[str, str, str], None] | None = None,
    ) -> None:  # fmt: skip
        """Begin with none; `sandbox` runs code of the hospital's own, `alert` is told of sources that speak amiss."""
        self._sandbox = sandbox
        self._store = store
        self._runtime = runtime
        self._references = references
        self._identities = Identities(store, runtime, alert)
        self._routers: dict[str, Router] = {}

    async def add(self, groups: Iterable[str], configuration: Configuration, *, paused: bool = False) -> None:
        """Start a router for each group that has none; one that is no longer named goes on with what is left."""
        wanted = dict.fromkeys((*self._routers, *groups))
        for router in self._routers.values():
            router.know(wanted)
        for group in wanted:
            if group not in self._routers:
                router = Router(
                    group, configuration, self._store, self._runtime, self._references, groups=wanted,
                    sandbox=self._sandbox, identities=self._identities,
                )  # fmt: skip
                if paused:
                    router.pause()
                self._routers[group] = router
                await router.start()

    async def pause(self, limit: float) -> None:
        """
        Decide on nothing more, and wait until every decision is on disk.

        Raises:
            OperationRefused: That takes longer than `limit` seconds: the store is in trouble.
        """
        for router in self._routers.values():
            router.pause()
        end = self._runtime.monotonic() + limit
        while any(router.under_way for router in self._routers.values()):
            if self._runtime.monotonic() > end:
                raise OperationRefused("the store takes too long: nothing was changed; try again", exit_code=75)
            await asyncio.sleep(_LOOK_SECONDS)

    def resume(self, configuration: Configuration) -> None:
        """Go on, all under this configuration."""
        for router in self._routers.values():
            router.resume(configuration)

    def settled(self) -> tuple[int, ...]:
        """Return for each group the last place up to which everything is decided."""
        return tuple(sorted({router.settled for router in self._routers.values()}))

    def took(self, change: Identify) -> None:
        """
        Take what was committed beside the routers, while they are paused: they read what they knew again.

        Args:
            change: On disk, with what the store filled in.
        """
        identities = self._identities
        identities.forget()
        identities.not_before(change.next_patient)
        events = events_of(change)
        pairs = [pair for event in events for pair in touched(event, self._references)]
        for router in self._routers.values():
            router.came_between(key for pair in pairs for key in pair)
            router.late.joined(pairs)
        identities.released(change, events, self._references)

    def stop(self) -> None:
        """Take no further message."""
        self._identities.waits.stop()
        for router in self._routers.values():
            router.stop()

    def last_ids(self) -> tuple[int, ...]:
        """Return for each group the highest id that a delivery decided on so far can have."""
        places = sorted({router.decided for router in self._routers.values()})
        return tuple(delivery_id(place, _LAST_ORDINAL) for place in places if place)

    def facts(self) -> dict[str, Any]:
        """Return by routing group the facts of its router."""
        return {group: router.facts() for group, router in self._routers.items()}
