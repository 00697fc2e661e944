"""The engine's life: open the store, start the stages, listen; at the end the same backwards."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any, Final

import structlog

from engine.core.ports import Recovery
from engine.core.references import References
from engine.daemon.ages import Ages
from engine.daemon.destinations import Destinations
from engine.daemon.limits import give_back_large_blocks, raise_open_files
from engine.daemon.listening import Listening
from engine.daemon.reload import Reload
from engine.daemon.retention import Retention
from engine.daemon.routers import Routers
from engine.daemon.running import Running
from engine.daemon.runtime import LoopRuntime
from engine.daemon.sources import Sources, require_free_addresses
from engine.errors import PasserelleError, StoreBroken, StoreError, StoreUnavailable
from engine.observability import logs
from engine.observability.alerts import Alerts
from engine.operations.control import ControlServer
from engine.operations.desk import Desk, Standstill
from engine.operations.service import Operations
from engine.routes.configuration import Configuration
from engine.routes.loader import file_secrets, load
from engine.sandbox.pool import Pool
from engine.settings import Settings
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.patience import ASK_SECONDS
from engine.store.sqlite.room import disk_full, is_disk_full

_log = structlog.get_logger(__name__)

_GC_THRESHOLDS: Final = (5_000, 20, 50)
"""Messages are freed by reference counting; the collector only has to find rare cycles."""
_CALM_SECONDS: Final = 5.0
"""After a change of the configuration: what the former one leaves behind is collected when the change is over."""
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
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(Service(settings, configuration).run())
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(settings.data) from error
        raise


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
        self._store_broke = False
        """Nothing can be written down any more: nobody waits for an answer."""
        self._started_ms = 0

    async def run(self) -> int:
        """Open, serve until asked to stop, close."""
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        self._runtime = LoopRuntime(loop, self._fault)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
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
                sources=len(self._configuration.sources),
                destinations=len(self._configuration.destinations),
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
        store, runtime = self._store, self._runtime
        references = References(store.reference_key)
        moments = await store.queries.moments()
        self._alerts = Alerts(runtime.now_ms, moments)
        self.running = Running(self._settings.routes, self._settings.data, store, store.queries, runtime, self._alerts)
        configuration = await self.running.begin(self._configuration, require_free_addresses)
        self._configuration = configuration
        self._sources = Sources(store, runtime, self._alerts)
        self._destinations = Destinations(configuration, store, runtime, recovery, self._alerts)
        self._pool = Pool()
        self._routers = Routers(store, runtime, references, self._pool, self._alerts)
        await self._destinations.open(moments)
        groups = [source.routing for source in configuration.sources.values()]
        # A group whose last source was removed: its messages become dead letters (E-SOURCE), they don't wait for ever.
        await self._routers.add([*groups, *await store.queries.groups()], configuration)
        self._exchange = Reload(
            configuration, store, store.queries, runtime, self._sources, self._destinations, self._routers,
            self._changed,
        )  # fmt: skip
        self.running.attach(self._exchange)
        desk = Desk(
            queries=store.queries, store=store, now_ms=runtime.now_ms, live=self, references=references,
            data=self._settings.data, sandbox=self._pool,
        )  # fmt: skip
        self._operations = Operations(desk)
        self._control = ControlServer(self._settings.data, self._operations, now_ms=runtime.now_ms)
        await self._control.open()
        await self._sources.open(configuration.sources.values(), moments)
        self._retention = Retention(self._settings.keep, store, store.queries, runtime, self._alerts)
        self._retention.start()
        self._ages = Ages(store, runtime, self._moments)
        self._ages.start(moments)
        self._listening = Listening(store.silence, store.room.shortage, runtime, self._alerts)
        self._listening.start()

    def _changed(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._runtime.call_later(_CALM_SECONDS, _calm_the_collector)

    async def _stop(self) -> None:
        """Stop listening, let what is under way end, commit, close. Every step runs whatever failed before."""
        for part in ("running", "_retention", "_ages", "_listening", "_routers"):
            if hasattr(self, part):
                getattr(self, part).stop()
        if hasattr(self, "_sources"):
            await self._quietly(self._sources.close())
        if hasattr(self, "_destinations"):
            await self._quietly(self._destinations.stop(0.0 if self._store_broke else _STOP_SECONDS))
            await self._quietly(self._destinations.close())
        if hasattr(self, "_pool"):
            await self._quietly(self._pool.close())
        if hasattr(self, "_control"):
            await self._quietly(self._control.close())
        await self._quietly(self._store.close())  # what was received is committed, so its answers go out now
        if hasattr(self, "_sources") and any(facts.get("connections") for facts in self._sources.facts().values()):
            await asyncio.sleep(_FLUSH_SECONDS)  # the loop writes them, then the connections close
        await self._runtime.cancel_all()
        _log.info("stopped")

    async def _quietly(self, *works: Any) -> None:
        for result in await asyncio.gather(*works, return_exceptions=True):
            if isinstance(result, StoreUnavailable):  # not even closed
                self._failed = True
            if isinstance(result, PasserelleError):
                _log.error("while stopping", reason=str(result))
            elif isinstance(result, Exception):
                _log.error("while stopping", fault=type(result).__name__)

    def stop(self) -> None:
        """Ask for a clean stop, as SIGTERM does."""
        self._stopping.set()

    def _moments(self) -> dict[tuple[str, str], int]:
        return self._sources.moments() | self._destinations.moments()

    def _reload(self) -> None:
        """SIGHUP: take the file as it is now, as `passerelle apply` does; a refusal is told where that tells it."""
        if self.ready.is_set():
            self._runtime.spawn(self._apply(), "apply on SIGHUP")

    async def _apply(self) -> None:
        try:
            await self._operations.call("config_apply", {"reason": "SIGHUP"}, who="SIGHUP")
        except PasserelleError as error:
            _log.error("reload refused", reason=str(error))

    def _store_trouble(self, error: StoreError | None) -> None:
        """Stop when the store can't come back by itself: a new start reads it again."""
        if isinstance(error, StoreBroken):
            _log.critical("the store broke", reason=str(error))
            self._store_broke = True
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
            "store_trouble": self._store.silence(ASK_SECONDS)
            or self._store.room.shortage()
            or ("" if self._sources.available else "nothing can be stored, so nothing is received"),
            "configuration_refused": self.running.refused,
            "configuration": self._configuration.hash,
            "confirm_until_ms": self.running.unconfirmed.until_ms if self.running.unconfirmed else 0,
            "alerts": self._alerts.facts(),
        }

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """Return by source the facts of its door and of its reception."""
        return self._sources.facts()

    def destinations(self) -> Mapping[str, Mapping[str, Any]]:
        """Return by destination the facts of its door and of its queue."""
        return self._destinations.facts()

    def router(self) -> Mapping[str, Any]:
        """Return by routing group the facts of its router."""
        return self._routers.facts()

    def between_messages(self) -> AbstractAsyncContextManager[Standstill]:
        """Keep the routers from deciding meanwhile (operations.desk.Live)."""
        return self._exchange.between_messages()

    async def probe(self, destination: str) -> list[tuple[str, bool, str]]:
        """Try name, route and connection of a destination; sends no message."""
        return await self._destinations.doors[destination].probe()


def _calm_the_collector() -> None:
    """Keep the garbage collector off what the start built, and rare afterwards."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
