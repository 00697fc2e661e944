"""
A running engine takes another configuration, between two messages.

Theory of operation
    The routers pause; once their last decisions are on disk, everything that was decided was decided by the old
    configuration, and nothing by the new. What can fail comes first, and is taken back when it does: queues that
    go are stopped, doors of sources are exchanged, texts and walls are committed. Then the references are
    exchanged in one turn of the loop and the routers go on: every message, and all its deliveries, has one
    configuration. What waits in queues keeps its own.

    Doors whose declaration is the same are not touched. A queue is the destination's by name: when the declaration
    changes, the former queue ends what is under way, and another one goes on from the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final

import structlog

from engine.core.changes import Configure, Receipt
from engine.core.lifecycle import FRAGMENT_WAITING
from engine.core.messages import Takeover
from engine.core.ports import Runtime, Store, StoreQueries, Urgency
from engine.daemon.destinations import Destinations
from engine.daemon.routers import Routers
from engine.daemon.sources import Sources
from engine.errors import OperationRefused, PasserelleError, StoreError
from engine.operations.desk import Standstill
from engine.routes.configuration import Configuration, Source
from engine.routes.differences import Differences, differences
from engine.store.rules import something_waits

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS: Final = 10.0
_ROUTED_SECONDS: Final = 5.0
"""How long the messages of a source that goes may take to be routed."""
_EMPTIED_SECONDS: Final = 1.0
_ENDED_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.01
_PARTS_COUNTED: Final = 1000
"""Of a source that is renamed, how many of its messages that wait are looked at."""


class Reload:
    """Gives the engine another configuration."""

    def __init__(
        self, running: Configuration, store: Store, queries: StoreQueries, runtime: Runtime, sources: Sources,
        destinations: Destinations, routers: Routers, changed: Callable[[Configuration], None],
    ) -> None:  # fmt: skip
        """
        Keep what is exchanged.

        Args:
            running: The configuration that runs.
            store: Where the change is committed.
            queries: What waits.
            runtime: Tasks and time.
            sources: All doors of sources.
            destinations: All queues and their doors.
            routers: All routers.
            changed: Told of the new configuration, in the turn of the loop in which it takes over.
        """
        self.running = running
        self._store = store
        self._queries = queries
        self._runtime = runtime
        self._sources = sources
        self._destinations = destinations
        self._routers = routers
        self._changed = changed
        self._busy = asyncio.Lock()
        self._still = asyncio.Lock()
        """Held by who has the routers paused."""
        self._replacing: dict[str, asyncio.Lock] = {}
        """By destination: held while its queue gives way to one under another declaration."""

    async def take_over(self, after: Configuration, takeover: Takeover) -> Differences:
        """
        Make a configuration the running one.

        Args:
            after: The other configuration.
            takeover: What the log of configurations says of it.

        Returns:
            What changed. Queues under another declaration may still end what was under way.

        Raises:
            OperationRefused: Something waits for what goes (exit code 1), or another change is under way (75).
            DoorFailed: A source can't be opened, or a destination can't be made.
            StoreError: The change was not stored.

        Whatever is raised, the former configuration goes on as before.
        """
        if self._busy.locked():
            raise OperationRefused("another change of the configuration is under way: try again", exit_code=75)
        async with self._busy, self._still:
            changes = differences(self.running, after)
            await self._exchange(after, takeover, changes)
            return changes

    @contextlib.asynccontextmanager
    async def between_messages(self) -> AsyncIterator[Standstill]:
        """
        Keep the routers from deciding meanwhile; every decision is on disk (operations.desk.Live).

        Raises:
            OperationRefused: The store is in trouble (exit code 75).
        """
        async with self._still:
            try:
                await self._routers.pause(_PAUSE_SECONDS)
                yield Standstill(self._routers.settled(), self._routers.took)
            finally:
                self._routers.resume(self.running)

    async def _exchange(self, after: Configuration, takeover: Takeover, changes: Differences) -> None:
        before = self.running
        leaving = _leaving(before, after, changes)
        part = changes.parts["destinations"]
        going = (*part.removed, *part.renamed)
        self._destinations.check(after.destinations.values())
        self._none_gives_way(going)
        async with contextlib.AsyncExitStack() as undo:
            if leaving:
                await self._sources.exchange(leaving, ())
                undo.push_async_callback(self._sources.exchange, (), [before.sources[name] for name in leaving])
                await self._all_routed(leaving)
            undo.callback(self._routers.resume, before)
            await self._routers.pause(_PAUSE_SECONDS)
            await self._routers.add((one.routing for one in after.sources.values()), after, paused=True)
            await self._no_part_waits([before.sources[one] for one in changes.parts["sources"].renamed])
            await self._nothing_waits(part.removed)
            if going:
                undo.push_async_callback(self._destinations.begin_queues, [before.destinations[one] for one in going])
                await self._destinations.stop_queues(going)
            part = changes.parts["sources"]
            come = [after.sources[one] for one in (*part.added, *part.renamed.values(), *part.changed)]
            gone = [one for one in part.changed if one not in leaving]
            if come or gone:
                await self._sources.exchange(gone, come)
                former = [before.sources[one] for one in gone]
                undo.push_async_callback(self._sources.exchange, [one.name for one in come], former)
            await self._commit(after, takeover, changes)
            undo.pop_all()
        self._swap(after, changes)
        await self._replace(after, changes)

    async def _commit(self, after: Configuration, takeover: Takeover, changes: Differences) -> None:
        part = changes.parts["destinations"]
        behind = self._routers.last_ids()
        change = Configure(
            takeover, files=dict(after.contents), moved=dict(part.renamed), removed=part.removed,
            walls=dict.fromkeys(changes.reordered, behind),
        )  # fmt: skip
        await commit(self._store, change)

    def _swap(self, after: Configuration, changes: Differences) -> None:
        """Exchange everything in one turn of the loop."""
        part = changes.parts["destinations"]
        self._destinations.forget((*part.removed, *part.renamed))
        self._destinations.configure(after)
        self._destinations.stop_sending(part.changed)
        stay = [one for one in changes.reordered if one in self._destinations.doors and one not in part.changed]
        self._destinations.read_again(stay)
        self.running = after
        self._changed(after)
        self._routers.resume(after)

    async def _replace(self, after: Configuration, changes: Differences) -> None:
        """Let queues go on under their new declarations; one that takes long does so later."""
        part = changes.parts["destinations"]
        fresh = (*part.added, *part.renamed.values())
        await self._destinations.begin_queues([after.destinations[one] for one in fresh])
        ended = asyncio.Event()

        async def replace() -> None:
            await asyncio.gather(*map(self._give_way, part.changed))
            ended.set()

        if part.changed:
            self._runtime.spawn(replace(), "queues under another declaration")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDED_SECONDS):
                    await ended.wait()

    async def _give_way(self, name: str) -> None:
        """
        Let a queue end what is under way, and begin the one of the declaration of that moment.

        One after the other for each destination: two queues of one would send everything twice, each on its own.
        """
        async with self._replacing.setdefault(name, asyncio.Lock()):
            await self._destinations.stop_queues([name])
            await self._destinations.begin_queues([self.running.destinations[name]])

    def _none_gives_way(self, names: Iterable[str]) -> None:
        """
        Check that queues that go aren't just giving way to another declaration: they would come back.

        Raises:
            OperationRefused: One is (exit code 75).
        """
        for name in names:
            if name in self._replacing and self._replacing[name].locked():
                raise OperationRefused(
                    f"{name} still ends what was under way before the last change: try again when it has", exit_code=75
                )

    async def _all_routed(self, names: Sequence[str]) -> None:
        """Wait until the messages of sources that go are routed: the new configuration would not know them."""
        end = self._runtime.monotonic() + _ROUTED_SECONDS
        while True:
            counters = await self._queries.counters()
            waiting = {name: counters.get(("message", name, "received"), 0) for name in names}
            if not any(waiting.values()):
                return
            if self._runtime.monotonic() > end:
                name, count = max(waiting.items(), key=lambda item: item[1])
                sentence = f"{count:,} messages of {name} are not routed yet, and {name} goes: try again when they are"
                raise OperationRefused(sentence)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _no_part_waits(self, sources: Iterable[Source]) -> None:
        """
        Check that no part of a longer message waits for one that would come under the new name of its source.

        The pointers of parts hold within a source: under another name it would not be found, and another message's
        part that has the same pointer would not be told from it.

        Raises:
            OperationRefused: One does.
        """
        counters = await self._queries.counters()
        for one in sources:
            if not counters.get(("message", one.name, "waiting"), 0):
                continue
            since = self._runtime.now_ms() - int(2 * one.fragments.join * 1000)
            rows = await self._queries.find_messages(
                source=one.name, state="waiting", since_ms=since, limit=_PARTS_COUNTED
            )
            count = sum(row["code"] == FRAGMENT_WAITING for row in rows)
            if count:
                parts = "1 part of a longer message waits" if count == 1 else f"{count:,} parts of longer messages wait"
                raise OperationRefused(
                    f"{parts} for others of {one.name}, which gets another name: try again when they are there, or "
                    f"their time is over (join: {one.fragments.join:g} s)"
                )

    async def _nothing_waits(self, names: Sequence[str]) -> None:
        """
        Check that queues that go are empty, before they are stopped.

        Raises:
            OperationRefused: Something waits for one.
        """
        await self._destinations.emptied(names, _EMPTIED_SECONDS)
        for name in names:
            found = await self._queries.queue_summary(name, now_ms=self._runtime.now_ms())
            count = int(found["waiting"]) + int(found["parked"])
            if count:
                raise OperationRefused(str(something_waits(name, count)))  # before anything is stopped


async def commit(store: Store, change: Configure) -> None:
    """
    Commit a takeover.

    Raises:
        StoreError: It was not stored.
    """
    future: asyncio.Future[Receipt | StoreError] = asyncio.get_running_loop().create_future()

    def done(outcome: Receipt | StoreError) -> None:
        if not future.done():
            future.set_result(outcome)

    store.submit(change, Urgency.NOW, done)
    outcome = await future
    if isinstance(outcome, PasserelleError):
        raise outcome


def _leaving(before: Configuration, after: Configuration, changes: Differences) -> list[str]:
    """Return the sources that go, or go to another routing group: what they sent must be routed before."""
    part = changes.parts["sources"]
    regrouped = [one for one in part.changed if before.sources[one].routing != after.sources[one].routing]
    return [*part.removed, *part.renamed, *regrouped]
