"""Every source's door and reception; doors are exchanged one by one when the configuration changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog

from engine.core.ports import Runtime, SourceDoor, Store
from engine.core.reception import ReceptionBudget
from engine.daemon.doors import source_door
from engine.daemon.folders import Folder
from engine.errors import DoorFailed
from engine.flow.intake import Intake, SourceIntake
from engine.routes.configuration import Configuration, Source
from engine.transports.addresses import require_free

_log = structlog.get_logger(__name__)

_AGAIN_SECONDS: Final = 0.05
_AGAIN_TIMES: Final = 40
"""A door that was just closed may hold its address for a moment."""
FOLDERS_SECONDS: Final = 2.0
"""How long folders are waited for at a start and in an exchange, all together: one that hangs goes on by itself."""


async def require_free_addresses(configuration: Configuration) -> None:
    """
    Check that all its sources can listen, before a start changes or sends anything.

    Raises:
        DoorFailed: An address is in use or not ours.
    """
    for source in configuration.sources.values():
        if source.type == "mllp":
            await require_free(source)


class Sources:
    """The sources of one engine."""

    def __init__(self, store: Store, runtime: Runtime, alert: Callable[[str, str, str], None]) -> None:
        """
        Begin with none.

        Args:
            store: Where messages are taken into custody.
            runtime: Clock, timers, tasks.
            alert: Told of folders that are away.
        """
        self._runtime = runtime
        self._alert = alert
        self._budget = ReceptionBudget()
        self._intake = Intake(store, runtime, self._budget)
        self.doors: dict[str, SourceDoor] = {}
        self._intakes: dict[str, SourceIntake] = {}
        self._folders: dict[str, Folder] = {}

    @property
    def available(self) -> bool:
        """Whether messages can be taken."""
        return self._intake.available

    async def open(self, sources: Iterable[Source], moments: Mapping[tuple[str, str], int]) -> None:
        """
        Open doors, at a start.

        Args:
            sources: All of them.
            moments: When each was last heard of (core.changes.Moments).

        Raises:
            DoorFailed: An address is in use.
        """
        made = list(sources)
        for source in made:
            self._make(source)
            self._intakes[source.name].last_received_ms = moments.get(("received", source.name), 0)
        self._attach()
        await self._listen(made)

    async def exchange(self, gone: Iterable[str], come: Iterable[Source]) -> None:
        """
        Close some doors and open others; the rest isn't touched.

        Raises:
            DoorFailed: One of the new ones can't be opened; everything is as it was, closed doors open again.
        """
        former = {name: self._intakes[name] for name in gone}
        made = list(come)
        await self._close(former)
        try:
            for source in made:
                self._make(source)
                if source.name in former:
                    self._intakes[source.name].last_received_ms = former[source.name].last_received_ms
            self._attach()
            await self._listen(made, times=_AGAIN_TIMES)
        except DoorFailed:
            await self._close(source.name for source in made if source.name in self.doors)
            for intake in former.values():
                self._make(intake.source, intake)
            self._attach()
            await self._listen([intake.source for intake in former.values()], times=_AGAIN_TIMES)
            _log.info("open again", sources=list(former))
            raise

    async def close(self) -> None:
        """Close all doors; answers already due are sent."""
        await self._close(list(self.doors), forget=False)

    def moments(self) -> dict[tuple[str, str], int]:
        """Return when each source was last heard of (core.changes.Moments)."""
        return {("received", name): intake.last_received_ms for name, intake in self._intakes.items()}

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return by source the facts of its door and of its reception."""
        facts: dict[str, dict[str, Any]] = {}
        for name, door in self.doors.items():
            intake = self._intakes[name].facts()
            facts[name] = {**intake, **door.facts(), "last_ms": intake["last_received_ms"]}
        return facts

    def _make(self, source: Source, intake: SourceIntake | None = None) -> None:
        intake = self._intakes[source.name] = intake or SourceIntake(source, self._intake)
        self.doors[source.name] = source_door(source, intake.accept, intake.refuse, self._runtime, self._budget)

    def _attach(self) -> None:
        answering = {name for name, intake in self._intakes.items() if intake.answers_trouble}
        self._intake.attach(
            [door for name, door in self.doors.items() if name not in answering],
            [door for name, door in self.doors.items() if name in answering],
        )

    async def _listen(self, sources: Iterable[Source], *, times: int = 1) -> None:
        """
        Open sources.

        A folder that is away or doesn't answer is tried again for ever: the other sources go on.
        """
        folders: list[Folder] = []
        for source in sources:
            door = self.doors[source.name]
            if source.type == "directory":
                folder = self._folders[source.name] = Folder(
                    source.name, source.folder, door, self._runtime, self._alert
                )
                folder.begin()
                folders.append(folder)
            else:
                await self._open(door, times)
        with suppress(TimeoutError):
            async with asyncio.timeout(FOLDERS_SECONDS):
                for folder in folders:
                    await folder.looked.wait()

    async def _open(self, door: SourceDoor, times: int) -> None:
        while True:
            times -= 1
            try:
                await door.open()
                return
            except DoorFailed:
                if times <= 0:
                    raise
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _close(self, names: Iterable[str] | Mapping[str, Any], *, forget: bool = True) -> None:
        chosen = list(names)
        for name in chosen:
            folder = self._folders.pop(name, None)
            if folder is not None:
                folder.stop(gone=forget)
        doors = [self.doors.pop(name) if forget else self.doors[name] for name in chosen]
        if forget:
            for name in chosen:
                del self._intakes[name]
            self._attach()
        for outcome in await asyncio.gather(*(door.close() for door in doors), return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("while closing a source", fault=type(outcome).__name__)
