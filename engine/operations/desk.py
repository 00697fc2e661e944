"""What every operation needs: the store, the clock, and the running engine's own facts when there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.core.asking import Sandbox
from engine.core.changes import Audit, Change, Identify, Receipt
from engine.core.ports import Store, StoreQueries, Urgency
from engine.core.references import References
from engine.errors import StoreError

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration
    from engine.routes.differences import Differences

Answer = dict[str, Any]
"""What an operation returns: JSON as it is."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """The routers decide on nothing."""

    decided: tuple[int, ...]
    """The last place on which each routing group has decided; 0 is none."""
    took: Callable[[Identify], None]
    """To be told of each change of identities that was committed meanwhile."""


class Changing(Protocol):
    """How a running engine takes another configuration."""

    path: Path
    """Of its routes.yaml."""

    async def kept(self, hash_: str) -> Configuration:
        """
        Load a configuration that ran, from its files as they were then.

        Raises:
            OperationRefused: It isn't known.
            ConfigurationRefused: It can't be loaded any more.
        """

    async def take_over(
        self, configuration: Configuration, *, verb: str, who: str, reason: str, seconds: float = 0.0
    ) -> Differences:
        """
        Make a configuration the running one, between two messages; the former one goes on when this raises.

        Args:
            configuration: It.
            verb: `apply` or `rollback`.
            who: Name of the operator.
            reason: Why.
            seconds: Time to confirm it; 0: it stays.
        """

    async def confirm(self, *, who: str, reason: str) -> None:
        """
        Let the configuration on trial stay.

        Raises:
            OperationRefused: None is on trial.
        """

    async def refuse(self, sentence: str, *, who: str, reason: str, hash_: str = "") -> None:
        """Note that one was refused: the running one stays, and everybody can see it."""


class Live(Protocol):
    """A running engine, as operations see it; given by the daemon."""

    @property
    def running(self) -> Changing:
        """What changes its configuration."""

    def configuration(self) -> Configuration:
        """The running configuration."""

    def engine(self) -> Mapping[str, Any]:
        """
        Return what concerns the whole.

        Keys: started_ms, pid, version, alerts; `store_trouble` and `configuration_refused` (a sentence or empty);
        `configuration` (its hash); `confirm_until_ms` (0, or until when it must be confirmed).
        """

    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """By source: facts of its door (connections, last_ms, paused, `trouble`: a sentence or empty…)."""

    def destinations(self) -> Mapping[str, Mapping[str, Any]]:
        """By destination: facts of its queue and its door, with `why` in words."""

    def router(self) -> Mapping[str, Any]:
        """Facts of the router: how many messages wait to be routed."""

    def between_messages(self) -> AbstractAsyncContextManager[Standstill]:
        """
        Keep the routers from deciding meanwhile, every decision on disk.

        Raises:
            OperationRefused: The store is in trouble (exit code 75).
        """

    async def probe(self, destination: str) -> list[tuple[str, bool, str]]:
        """Try name, route and connection of a destination: (what, fine, sentence) in order; sends no message."""


@dataclass(slots=True, kw_only=True)
class Desk:
    """Where an operator's request is handled."""

    queries: StoreQueries
    store: Store
    now_ms: Callable[[], int]
    """Wall clock, milliseconds since 1970 UTC."""
    live: Live | None = None
    """None: no engine runs; this process holds the data directory's lock."""
    known: Configuration | None = None
    """The configuration, where there is no running engine to ask."""
    references: References | None = None
    """Hashes identifiers with the data directory's key: for search and pseudonyms."""
    data: Path = Path("data")
    """The data directory: where secrets of a configuration are looked for."""
    sandbox: Sandbox | None = None
    """Where code of the hospital's own runs, for trials."""
    stopped_since_ms: int = 0
    """Without a running engine: since when; 0 when nobody knows."""
    outcome_within: float = 10.0
    """Seconds that an act waits for its outcome."""

    def configuration(self) -> Configuration | None:
        """Return the running configuration, or the one that was read without an engine."""
        return self.live.configuration() if self.live is not None else self.known

    async def commit(self, *changes: Change) -> list[Receipt]:
        """
        Submit changes and wait until all are on disk.

        Raises:
            StoreError: One of them was not stored.
        """
        loop = asyncio.get_running_loop()
        waiting: list[asyncio.Future[Receipt]] = []
        for change in changes:
            future: asyncio.Future[Receipt] = loop.create_future()
            waiting.append(future)
            self.store.submit(change, Urgency.NOW, _settle(future))
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        receipts: list[Receipt] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            receipts.append(outcome)
        return receipts

    async def audit(self, who: str, verb: str, subject: str, reason: str) -> None:
        """Write who did or saw what to the audit trail; on disk when this returns."""
        await self.commit(Audit(self.now_ms(), who, verb, subject, reason))


def _settle(future: asyncio.Future[Receipt]) -> Callable[[Receipt | StoreError], None]:
    def done(outcome: Receipt | StoreError) -> None:
        if future.done():
            return
        if isinstance(outcome, StoreError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    return done
