"""
Which configuration runs: the file at a start, another one by `apply`, the former one by `rollback`.

The log of configurations (core.messages.Takeover) decides, so that a restart changes nothing: a configuration that
was not confirmed in time is left also when the engine was away at that moment, and one that was gone back from
isn't taken up again as long as the file still says it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from engine.core.changes import Configure
from engine.core.messages import Takeover, delivery_id
from engine.core.ports import Runtime, Store, StoreQueries, Timer
from engine.daemon.reload import Reload, commit
from engine.errors import ConfigurationRefused, OperationRefused, PasserelleError
from engine.operations.former import kept_configuration, last_takeover
from engine.routes.configuration import Configuration
from engine.routes.differences import Differences, differences
from engine.store.rules import something_waits

_log = structlog.get_logger(__name__)

_ITSELF: Final = "passerelle"
_LONGEST_SLEEP_SECONDS: Final = 3600.0
_AGAIN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A configuration that runs on trial."""

    until_ms: int
    before: str
    """Hash of the one that comes back."""


class Running:
    """The running configuration, and how it came to run."""

    def __init__(
        self, path: Path, data: Path, store: Store, queries: StoreQueries, runtime: Runtime,
        alert: Callable[[str, str, str], None],
    ) -> None:  # fmt: skip
        """
        Prepare.

        Args:
            path: Of the engine's routes.yaml.
            data: The data directory, for secrets.
            store: Where the log and the texts are.
            queries: Reads them.
            runtime: Clock and timers.
            alert: Told of what an operator should know.
        """
        self.path = path.absolute()
        self._data = data
        self._store = store
        self._queries = queries
        self._runtime = runtime
        self._alert = alert
        self.unconfirmed: Unconfirmed | None = None
        self.refused = ""
        """Why the last configuration that was offered was refused; empty when it was taken."""
        self._timer: Timer | None = None
        self._reload: Reload | None = None

    # --- at a start ----------------------------------------------------------------------------------------

    async def begin(self, file: Configuration, able: Callable[[Configuration], Awaitable[None]]) -> Configuration:
        """
        Decide what runs at a start, and write it into the log.

        Args:
            file: What the engine's routes.yaml says.
            able: Raises where the one that was chosen can't run (an address is in use): then nothing is written, and
                the log still says what really ran last.

        Raises:
            ConfigurationRefused: What is to run was kept, and can't be loaded any more.
            StoreError: The log can't be read or written.
        """
        chosen, takeover = await self._decide(file)
        await able(chosen)
        if takeover is None:
            return chosen
        if takeover.verb == "return":
            await self._write(chosen, takeover)
            self._alert("E-GONE-BACK", "", f"{file.hash} was not confirmed in time: {chosen.hash} runs again")
        elif takeover.before:
            await self._changed_meanwhile(chosen, takeover)
        else:
            await self._write(chosen, takeover)
        return chosen

    async def _decide(self, file: Configuration) -> tuple[Configuration, Takeover | None]:
        """Return what is to run, and what the log is to say of it; None: it says so already."""
        last = await last_takeover(self._queries)
        if last is None:
            return file, Takeover("start", file.hash, "", self._now(), _ITSELF, "the first start")
        if last["hash"] == file.hash:
            return await self._still_unconfirmed(file, last) if last["until_ms"] else (file, None)
        if last["verb"] in ("rollback", "return") and last["before"] == file.hash:
            self._alert("E-GONE-BACK", "", f"{self.path.name} still says what was gone back from: {last['hash']} runs")
            return await self.kept(last["hash"]), None
        reason = f"{self.path.name} had changed"
        return file, Takeover("start", file.hash, last["hash"], self._now(), _ITSELF, reason)

    async def _changed_meanwhile(self, file: Configuration, takeover: Takeover) -> None:
        """Do with the queues what an `apply` would have done; what can't be compared any more goes on as it is."""
        moved: dict[str, str] = {}
        walls: dict[str, tuple[int, ...]] = {}
        try:
            changes = differences(await self.kept(takeover.before), file)
        except (ConfigurationRefused, OperationRefused) as error:
            _log.warning("the former configuration can't be compared", reason=str(error).splitlines()[0])
        else:
            facts = await self._queries.facts()
            behind = delivery_id(int(facts["highest_place"]) + 1, 0) - 1
            moved = dict(changes.parts["destinations"].renamed)
            walls = dict.fromkeys(changes.reordered, (behind,))
            await self._tell_orphans(changes.parts["destinations"].removed)
        await commit(self._store, Configure(takeover, dict(file.contents), moved, walls=walls))

    async def _tell_orphans(self, removed: Iterable[str]) -> None:
        """A start isn't refused for what waits for a destination that is no more: the others must go on."""
        for name in removed:
            found = await self._queries.queue_summary(name, now_ms=self._now())
            count = int(found["waiting"]) + int(found["parked"])
            if count:
                self._alert("E-ORPHANS", name, str(something_waits(name, count)))

    async def _still_unconfirmed(
        self, file: Configuration, last: Mapping[str, Any]
    ) -> tuple[Configuration, Takeover | None]:
        if last["until_ms"] > self._now():
            self.unconfirmed = Unconfirmed(last["until_ms"], last["before"])
            return file, None
        former = await self.kept(last["before"])
        return former, Takeover("return", former.hash, file.hash, self._now(), _ITSELF, _not_confirmed(last))

    async def _write(self, configuration: Configuration, takeover: Takeover) -> None:
        await commit(self._store, Configure(takeover, files=dict(configuration.contents)))

    def attach(self, reload: Reload) -> None:
        """Take what exchanges configurations; a configuration on trial begins to count its time."""
        self._reload = reload
        self._watch()

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    # --- what operations ask (operations.desk.Changing) ----------------------------------------------------

    async def kept(self, hash_: str) -> Configuration:
        """
        Load a configuration that ran, from the files as they were then.

        Raises:
            OperationRefused: It isn't known.
            ConfigurationRefused: It can't be loaded any more (a secret is gone).
        """
        return await kept_configuration(self._queries, hash_, self.path, self._data)

    async def take_over(
        self, configuration: Configuration, *, verb: str, who: str, reason: str, seconds: float = 0.0
    ) -> Differences:
        """
        Make a configuration the running one.

        Args:
            configuration: It.
            verb: `apply`, `rollback` or `return`.
            who: Name of the operator.
            reason: Why.
            seconds: Without `confirm` within this time the former one comes back; 0: it stays.

        Raises:
            OperationRefused, DoorFailed, StoreError: As Reload.take_over; the former one goes on.
        """
        assert self._reload is not None, "attached at the start"
        before, now = self._reload.running.hash, self._now()
        if configuration.hash == before:  # also: the file is again what it was before one that was refused
            self.refused = ""
            return differences(configuration, configuration)
        until_ms = now + round(seconds * 1000) if seconds else 0
        takeover = Takeover(verb, configuration.hash, before, now, who, reason, until_ms)
        changes = await self._reload.take_over(configuration, takeover)
        self.unconfirmed = Unconfirmed(until_ms, before) if until_ms else None
        self.refused = ""
        self._watch()
        _log.info("configuration", verb=verb, hash=configuration.hash, before=before, who=who)
        return changes

    async def confirm(self, *, who: str, reason: str) -> None:
        """
        Let the configuration on trial stay.

        Raises:
            OperationRefused: None is on trial.
        """
        assert self._reload is not None, "attached at the start"
        if self.unconfirmed is None:
            raise OperationRefused("no configuration waits to be confirmed")
        running = self._reload.running.hash
        takeover = Takeover("confirm", running, self.unconfirmed.before, self._now(), who, reason)
        await commit(self._store, Configure(takeover))
        self.unconfirmed = None
        self._watch()
        _log.info("configuration confirmed", hash=running, who=who)

    async def refuse(self, sentence: str, *, who: str, reason: str, hash_: str = "") -> None:
        """Note that a configuration was refused: in status, in the log, to whom alerts go."""
        assert self._reload is not None, "attached at the start"
        self.refused = f"configuration refused: {sentence}"
        self._alert("E-CONFIGURATION", "", self.refused)
        takeover = Takeover("refuse", hash_, self._reload.running.hash, self._now(), who, f"{sentence} ({reason})")
        await commit(self._store, Configure(takeover))

    # --- time ----------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return self._runtime.now_ms()

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.unconfirmed is not None:
            left = max(0.0, (self.unconfirmed.until_ms - self._now()) / 1000)
            self._timer = self._runtime.call_later(min(left, _LONGEST_SLEEP_SECONDS), self._look)

    def _look(self) -> None:
        self._timer = None
        if self.unconfirmed is None:
            return
        if self.unconfirmed.until_ms > self._now():
            self._watch()
        else:
            self._runtime.spawn(self._return(self.unconfirmed), "back to the former configuration")

    async def _return(self, unconfirmed: Unconfirmed) -> None:
        """Go back; while something stands against it, try again."""
        assert self._reload is not None, "attached at the start"
        left = self._reload.running.hash
        try:
            former = await self.kept(unconfirmed.before)
            if self.unconfirmed is not unconfirmed:
                return  # confirmed, or replaced, meanwhile
            reason = f"{left} was not confirmed in time"
            await self.take_over(former, verb="return", who=_ITSELF, reason=reason)
            self._alert("E-GONE-BACK", "", f"{left} was not confirmed in time: {former.hash} runs again")
        except PasserelleError as error:
            self.refused = f"{left} was not confirmed, and the former configuration can't come back: {error}"
            self._alert("E-CONFIGURATION", "", self.refused)
            self._timer = self._runtime.call_later(_AGAIN_SECONDS, self._look)


def _not_confirmed(last: Mapping[str, Any]) -> str:
    return f"{last['hash']} was not confirmed in time, while the engine was stopped"
