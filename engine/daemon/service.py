"""The engine's life: open the store, start the stages, listen; at the end the same backwards."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import structlog

from engine.core.ports import DestinationDoor, Recovery, SourceDoor
from engine.core.reception import ReceptionBudget
from engine.core.references import References
from engine.daemon.ages import Ages
from engine.daemon.doors import destination_door, source_door
from engine.daemon.folders import Folder
from engine.daemon.limits import give_back_large_blocks, raise_open_files
from engine.daemon.retention import Retention
from engine.daemon.runtime import LoopRuntime
from engine.errors import PasserelleError, StoreBroken, StoreError
from engine.flow.delivery import DeliveryStage
from engine.flow.intake import Intake, SourceIntake
from engine.flow.router import Router
from engine.observability import logs
from engine.observability.alerts import Alerts
from engine.operations.control import ControlServer
from engine.operations.desk import Desk
from engine.operations.service import Operations
from engine.routes.configuration import Configuration
from engine.routes.loader import file_secrets, load
from engine.settings import Settings
from engine.store.sqlite import SqliteStore

_log = structlog.get_logger(__name__)

_GC_THRESHOLDS: Final = (5_000, 20, 50)
"""Messages are freed by reference counting; the collector only has to find rare cycles."""
_FLUSH_SECONDS: Final = 0.2
_STOP_SECONDS: Final = 5.0
"""How long a stop waits for answers; what has none by then is sent again at the next start, marked."""


def main(settings: Settings) -> int:
    """
    Run the engine until SIGINT or SIGTERM.

    Returns:
        0 after a clean stop, 1 when a part of the engine failed.

    Raises:
        ConfigurationRefused: routes.yaml has errors (exit code 78).
        StoreLocked: Another engine owns the data directory (75).
        StoreUnavailable: The data directory can't be used (69).
        DoorFailed: A port is in use (69).
    """
    logs.configure(level=settings.log_level, style=settings.log_style)
    raise_open_files()
    give_back_large_blocks()
    secrets = file_secrets(os.environ, settings.data)
    configuration = load(settings.routes, environment=os.environ, secrets=secrets)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(Service(settings, configuration).run())


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # not on this platform: asyncio's own loop does
        return None
    return uvloop.new_event_loop


class Service:
    """One running engine."""

    def __init__(self, settings: Settings, configuration: Configuration) -> None:
        """Keep what to run; `run` does everything."""
        self._settings = settings
        self._configuration = configuration
        self.ready = asyncio.Event()
        """Set once every source listens."""
        self._stopping = asyncio.Event()
        self._failed = False
        self._sources: dict[str, SourceDoor] = {}
        self._intakes: dict[str, SourceIntake] = {}
        self._destinations: dict[str, DestinationDoor] = {}
        self._routers: list[Router] = []
        self._folders: list[Folder] = []
        self._started_ms = 0

    async def run(self) -> int:
        """Open, serve until asked to stop, close."""
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        self._runtime = LoopRuntime(loop, self._fault)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        self._started_ms = self._runtime.now_ms()
        self._store = SqliteStore(self._settings.data, min_free=self._settings.min_free_bytes, apart=True)
        self._store.on_trouble(self._store_trouble)
        recovery = await self._store.open(now_ms=self._started_ms)
        try:
            if not recovery.clean:
                in_flight = sum(len(ids) for ids in recovery.maybe_sent.values())
                _log.warning("the previous run ended without closing", maybe_sent=in_flight)
            await self._start(recovery)
            _log.info(
                "ready",
                pid=os.getpid(),
                sources=len(self._sources),
                destinations=len(self._destinations),
                routes=len(self._configuration.routes),
                configuration=self._configuration.hash[:12],
                milliseconds=round((time.monotonic() - began) * 1000),
            )
            _calm_the_collector()
            self.ready.set()
            await self._stopping.wait()
        finally:
            await self._stop()
        return 1 if self._failed else 0

    async def _start(self, recovery: Recovery) -> None:
        configuration, store, runtime = self._configuration, self._store, self._runtime
        references = References(store.reference_key)
        moments = await store.queries.moments()
        self._alerts = Alerts(runtime.now_ms, moments)
        budget = ReceptionBudget()
        self._intake = Intake(store, runtime, budget, utc_offset_seconds=_utc_offset_seconds())
        for source in configuration.sources.values():
            intake = self._intakes[source.name] = SourceIntake(source, self._intake)
            self._sources[source.name] = source_door(source, intake.accept, intake.refuse, runtime, budget)
        answering = {name for name, intake in self._intakes.items() if intake.answers_trouble}
        self._intake.attach(
            [door for name, door in self._sources.items() if name not in answering],
            [door for name, door in self._sources.items() if name in answering],
        )
        for destination in configuration.destinations.values():
            self._destinations[destination.name] = destination_door(destination, runtime)
        self._delivery = DeliveryStage(configuration, store, self._destinations, runtime, recovery, self._alerts)
        groups = dict.fromkeys(source.routing for source in configuration.sources.values())
        # A group whose last source was removed: its messages become dead letters (E-SOURCE), they don't wait for ever.
        groups.update(dict.fromkeys(await store.queries.groups()))
        self._routers = [Router(group, configuration, store, runtime, references, groups=groups) for group in groups]
        self._delivery.remember(moments)
        for name, intake in self._intakes.items():
            intake.last_received_ms = moments.get(("received", name), 0)
        for receiver in self._destinations.values():
            await receiver.open()
        await self._delivery.start()
        for router in self._routers:
            await router.start()
        desk = Desk(
            queries=store.queries, store=store, now_ms=runtime.now_ms, live=self, references=references,
            data=self._settings.data,
        )  # fmt: skip
        self._control = ControlServer(self._settings.data, Operations(desk), now_ms=runtime.now_ms)
        await self._control.open()
        for name, door in self._sources.items():
            await self._listen(name, door)
        self._retention = Retention(self._settings.keep, store, store.queries, runtime)
        self._retention.start()
        self._ages = Ages(store, runtime, self._moments)
        self._ages.start(moments)

    async def _listen(self, name: str, door: SourceDoor) -> None:
        """
        Open one source.

        A folder that is away is tried again for ever: the other sources go on.
        """
        source = self._configuration.sources[name]
        if source.type != "directory":
            await door.open()
            return
        folder = Folder(name, Path(source.path), door, self._runtime, self._alerts)
        self._folders.append(folder)
        await folder.look()

    async def _stop(self) -> None:
        """Stop listening, let what is under way end, commit, close. Every step runs whatever failed before."""
        if hasattr(self, "_retention"):
            self._retention.stop()
        if hasattr(self, "_ages"):
            self._ages.stop()
        for folder in self._folders:
            folder.stop()
        for router in self._routers:
            router.stop()
        await self._quietly(*(door.close() for door in self._sources.values()))
        if hasattr(self, "_delivery"):
            await self._quietly(self._delivery.stop(limit=_STOP_SECONDS))
        await self._quietly(*(door.close() for door in self._destinations.values()))
        if hasattr(self, "_control"):
            await self._quietly(self._control.close())
        await self._quietly(self._store.close())  # what was received is committed, so its answers go out now
        if any(door.facts().get("connections") for door in self._sources.values()):
            await asyncio.sleep(_FLUSH_SECONDS)  # the loop writes them, then the connections close
        await self._runtime.cancel_all()
        _log.info("stopped")

    async def _quietly(self, *works: Any) -> None:
        for result in await asyncio.gather(*works, return_exceptions=True):
            if isinstance(result, PasserelleError):
                _log.error("while stopping", reason=str(result))
            elif isinstance(result, Exception):
                _log.error("while stopping", fault=type(result).__name__)

    def stop(self) -> None:
        """Ask for a clean stop, as SIGTERM does."""
        self._stopping.set()

    def _moments(self) -> dict[tuple[str, str], int]:
        received = {("received", name): intake.last_received_ms for name, intake in self._intakes.items()}
        return received | self._delivery.moments()

    def _store_trouble(self, error: StoreError | None) -> None:
        """Stop when the store can't come back by itself: a new start reads it again."""
        if isinstance(error, StoreBroken):
            _log.critical("the store broke", reason=str(error))
            self._fault()

    def _fault(self) -> None:
        self._failed = True
        self._stopping.set()

    # --- a running engine, as operations see it (operations.desk.Live)

    def configuration(self) -> Configuration:
        """Return the running configuration."""
        return self._configuration

    def engine(self) -> Mapping[str, Any]:
        """Return what concerns the whole."""
        return {
            "started_ms": self._started_ms,
            "pid": os.getpid(),
            "version": version("passerelle"),
            "store_trouble": "" if self._intake.available else "nothing can be stored, so nothing is received",
            "alerts": self._alerts.facts(),
        }

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """Return by source the facts of its door and of its reception."""
        facts = {}
        for name, door in self._sources.items():
            intake = self._intakes[name].facts()
            facts[name] = {**intake, **door.facts(), "last_ms": intake["last_received_ms"]}
        return facts

    def destinations(self) -> Mapping[str, Mapping[str, Any]]:
        """Return by destination the facts of its door and of its queue."""
        queues = self._delivery.facts()
        return {name: {**door.facts(), **queues.get(name, {})} for name, door in self._destinations.items()}

    def router(self) -> Mapping[str, Any]:
        """Return by routing group the facts of its router."""
        return {router.group: router.facts() for router in self._routers}

    async def probe(self, destination: str) -> list[tuple[str, bool, str]]:
        """Try name, route and connection of a destination; sends no message."""
        return await self._destinations[destination].probe()


def _utc_offset_seconds() -> int:
    offset = datetime.now().astimezone().utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _calm_the_collector() -> None:
    """Keep the garbage collector off what the start built, and rare afterwards."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
