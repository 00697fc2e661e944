"""Every destination's door and queue; a queue goes on under another declaration, through another door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import structlog

from engine.core.ports import DestinationDoor, Recovery, Runtime, Store
from engine.daemon.doors import destination_door
from engine.flow.delivery import DeliveryStage
from engine.routes.configuration import Configuration, Destination

_log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 0.005
_ANSWER_SECONDS: Final = 5.0
"""How long answers to what was sent are awaited before a door is closed; what has none by then is sent again."""


class Destinations:
    """The destinations of one engine."""

    def __init__(
        self, configuration: Configuration, store: Store, runtime: Runtime, recovery: Recovery,
        alert: Callable[[str, str, str], None],
    ) -> None:  # fmt: skip
        """
        Make doors and queues; nothing leaves before `open`.

        Args:
            configuration: The first.
            store: Where deliveries are.
            runtime: Clock, chance, timers, tasks.
            recovery: What opening the store found.
            alert: Told what an operator should know.
        """
        self._runtime = runtime
        self.doors: dict[str, DestinationDoor] = {
            name: destination_door(one, runtime) for name, one in configuration.destinations.items()
        }
        self._delivery = DeliveryStage(configuration, store, self.doors, runtime, recovery, alert)

    async def open(self, moments: Mapping[tuple[str, str], int]) -> None:
        """
        Open the doors, then send.

        Args:
            moments: When each destination last accepted, and since when it didn't (core.changes.Moments).
        """
        self._delivery.remember(moments)
        for door in self.doors.values():
            await door.open()
        await self._delivery.start()

    async def stop(self, limit: float) -> None:
        """Send nothing more; wait `limit` seconds at most for outcomes."""
        await self._delivery.stop(limit=limit)

    async def close(self) -> None:
        """Close the doors."""
        await self._close(self.doors.values())

    def configure(self, configuration: Configuration) -> None:
        """Take what a configuration says of routes and policies, between two messages."""
        self._delivery.configure(configuration)

    def _waits(self, name: str) -> bool:
        """Whether anything of a destination is in memory: it waits, or is under way."""
        queue = self._delivery.queues[name]
        return bool(queue.under_way or queue.lanes.live_count or queue.lanes.has_more)

    async def emptied(self, names: Iterable[str], limit: float) -> None:
        """Wait until nothing waits for these destinations, `limit` seconds at most."""
        chosen = list(names)
        await self._until(lambda: not any(self._waits(name) for name in chosen), limit)

    def stop_sending(self, names: Iterable[str]) -> None:
        """Send nothing more to these destinations, from this turn of the loop on."""
        for name in names:
            self._delivery.queues[name].stop()

    def read_again(self, names: Iterable[str]) -> None:
        """Read these queues anew, from their beginning, when nothing of them is under way."""
        for name in names:
            self._delivery.queues[name].restart()

    def check(self, destinations: Iterable[Destination]) -> None:
        """
        Make each door once, and forget it: what can't be made is told before anything is changed.

        Raises:
            DoorFailed: A declaration of which no door can be made.
        """
        for one in destinations:
            destination_door(one, self._runtime)

    async def stop_queues(self, names: Iterable[str]) -> None:
        """Send nothing more to these destinations, and wait until every outcome is on disk."""
        chosen = list(names)
        queues = [self._delivery.queues[name] for name in chosen]
        self.stop_sending(chosen)
        await self._until(lambda: not any(queue.under_way for queue in queues), _ANSWER_SECONDS)
        await self._close([queue.door for queue in queues])
        await self._until(lambda: not any(queue.under_way for queue in queues), None)

    async def begin_queues(self, destinations: Iterable[Destination]) -> None:
        """Begin queues, of new destinations or of stopped ones."""
        for one in destinations:
            door = self.doors[one.name] = destination_door(one, self._runtime)
            await door.open()
            self._delivery.put(one, door)

    def forget(self, names: Iterable[str]) -> None:
        """Forget stopped destinations."""
        for name in names:
            self._delivery.remove(name)
            del self.doors[name]

    def moments(self) -> dict[tuple[str, str], int]:
        """Return when each destination last accepted, and since when it doesn't (core.changes.Moments)."""
        return self._delivery.moments()

    def facts(self) -> dict[str, Mapping[str, Any]]:
        """Return by destination the facts of its door and of its queue."""
        queues = self._delivery.facts()
        return {name: {**door.facts(), **queues.get(name, {})} for name, door in self.doors.items()}

    async def _until(self, done: Callable[[], bool], limit: float | None) -> None:
        end = self._runtime.monotonic() + limit if limit is not None else float("inf")
        while not done() and self._runtime.monotonic() < end:  # noqa: ASYNC110 - queues are callbacks, not events
            await asyncio.sleep(_LOOK_SECONDS)

    async def _close(self, doors: Iterable[DestinationDoor]) -> None:
        for outcome in await asyncio.gather(*(door.close() for door in doors), return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("while closing a destination", fault=type(outcome).__name__)
