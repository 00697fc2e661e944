"""The delivery stage: every destination's queue, operators' holds and acts, facts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from engine.core.changes import SetHold
from engine.core.messages import Delivery, Intention
from engine.core.ports import DestinationDoor, Queued, Recovery, Runtime, Store, Timer, Urgency
from engine.errors import StoreError
from engine.flow.delivery.flight import Slots
from engine.flow.delivery.holds import Holds
from engine.flow.delivery.intentions import Intentions, ended
from engine.flow.delivery.parking import Alert
from engine.flow.delivery.queue import DestinationQueue
from engine.flow.delivery.status import facts_of
from engine.routes.configuration import Configuration, DeadLetter, Destination

_STOP_STEP_SECONDS: Final = 0.02
_LONGEST_SLEEP_SECONDS: Final = 3600.0


class DeliveryStage:
    """All destinations of one engine."""

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        doors: Mapping[str, DestinationDoor],
        runtime: Runtime,
        recovery: Recovery,
        alert: Alert,
    ) -> None:
        """
        Prepare; nothing leaves before `start`.

        Args:
            configuration: Destinations, routes and their policies.
            store: Open.
            doors: By destination name; opened and closed by the daemon.
            runtime: Clock, chance, timers, tasks.
            recovery: What opening the store found: deliveries that were perhaps sent.
            alert: Told (code, destination, sentence) of what an operator should know: `outage`, `recovered`,
                `dead`, `parked`, `stopped`, `stuck`, `disagreement`.
        """
        self._store = store
        self._runtime = runtime
        self._alert = alert
        self._slots = Slots()
        self._configuration = configuration
        self._heard: set[str] = set()
        self._begun = False
        self.holds = Holds(_sources_of(configuration))
        self.queues: dict[str, DestinationQueue] = {}
        for name, door in doors.items():
            self._make(configuration.destinations[name], door, recovery.maybe_sent.get(name, ()))
        self._intentions = Intentions(store, runtime, self.holds, _known(configuration), self)
        self._hold_timer: Timer | None = None
        self._stopped = False

    def remember(self, moments: Mapping[tuple[str, str], int]) -> None:
        """Go on with the ages of the previous run (core.changes.Moments); before `start`."""
        for name, queue in self.queues.items():
            queue.remember(moments.get(("accepted", name), 0), moments.get(("outage", name), 0))

    def moments(self) -> dict[tuple[str, str], int]:
        """Return when each destination accepted last, and since when it accepts nothing (core.changes.Moments)."""
        now_ms, monotonic = self._runtime.now_ms(), self._runtime.monotonic()
        found: dict[tuple[str, str], int] = {}
        for name, queue in self.queues.items():
            circuit = queue.circuit
            found["accepted", name] = queue.last_accepted_ms
            outage = circuit.in_outage and circuit.since is not None
            found["outage", name] = now_ms - round((monotonic - (circuit.since or 0.0)) * 1000) if outage else 0
        return found

    async def start(self) -> None:
        """
        Hear of new deliveries, read the holds, then send.

        Raises:
            StoreError: The holds can't be read.
        """
        self._store.on_trouble(self._trouble)
        self._store.on_intentions("delivery", self._intended)
        self.holds.replace(await self._store.holds())
        self._begun = True
        for queue in self.queues.values():
            queue.begin()
        for intention in await self._store.intentions("delivery"):
            self._intentions.add(intention)
        self._watch_holds()

    async def stop(self, limit: float = 30.0) -> None:
        """
        Send nothing more, and wait until the outcomes of what is under way are on disk.

        Args:
            limit: Seconds to wait at most; what is still under way then is sent again at the next start, marked.
        """
        self._stopped = True
        self._intentions.stop()
        if self._hold_timer is not None:
            self._hold_timer.cancel()
        for queue in self.queues.values():
            queue.stop()
        end = self._runtime.monotonic() + limit
        while any(queue.under_way for queue in self.queues.values()) and self._runtime.monotonic() < end:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._runtime.call_later(_STOP_STEP_SECONDS, lambda turn=turn: turn.set_result(None))  # type: ignore[misc]
            await turn

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return the facts of each destination (flow.delivery.status.facts_of)."""
        now_ms, monotonic = self._runtime.now_ms(), self._runtime.monotonic()
        return {
            name: facts_of(queue, self.holds.get("destination", name), now_ms=now_ms, monotonic=monotonic)
            for name, queue in self.queues.items()
        }

    # --- another configuration ---------------------------------------------------------------------------------

    def configure(self, configuration: Configuration) -> None:
        """Take what a configuration says of routes and policies; its destinations come by `put` and `remove`."""
        self._configuration = configuration
        self.holds.know(_sources_of(configuration))
        self._intentions.known = _known(configuration)
        for name, queue in self.queues.items():
            queue.parking.policies = policies_of(configuration, name)

    def put(self, destination: Destination, door: DestinationDoor) -> None:
        """
        Begin the queue of a destination, or go on with it under another declaration and through another door.

        What waits is in the store: the former queue must be stopped, with nothing under way.
        """
        former = self.queues.get(destination.name)
        since_ms = self.moments()["outage", destination.name] if former is not None else 0
        self._make(destination, door, former.perhaps_sent if former is not None else ())
        if former is not None:  # an outage goes on: whoever was told of it hears of its end
            self.queues[destination.name].remember(former.last_accepted_ms, since_ms)
        if self._begun and not self._stopped:
            self.queues[destination.name].begin()

    def remove(self, name: str) -> None:
        """Forget a destination: its queue must be stopped, with nothing under way."""
        if self.queues.pop(name).outage.is_told:
            self._alert("recovered", name, f"{name} is no destination any more")

    def _make(self, destination: Destination, door: DestinationDoor, maybe_sent: Iterable[int]) -> None:
        name = destination.name
        self.queues[name] = DestinationQueue(
            destination, door, self._store, self._runtime, policies=policies_of(self._configuration, name),
            holds=self.holds, slots=self._slots, alert=self._alert, maybe_sent=maybe_sent,
        )  # fmt: skip
        if name not in self._heard:
            self._heard.add(name)
            self._store.on_deliveries(name, partial(self._announced, name))

    def _announced(self, name: str, queued: Queued) -> None:
        queue = self.queues.get(name)
        if queue is not None:
            queue.announced(queued)

    # --- what is told --------------------------------------------------------------------------------------

    def _intended(self, intention: Intention) -> None:
        if not self._stopped:
            self._intentions.add(intention)

    def _trouble(self, error: StoreError | None) -> None:
        for queue in self.queues.values():
            queue.trouble(error)

    def gone(self, delivery: Delivery) -> None:
        """A dead delivery was passed or discarded (Intentions)."""
        queue = self.queues.get(delivery.destination)
        if queue is not None:
            queue.gone(delivery)

    def holds_changed(self, *, released: str = "") -> None:
        """Holds were set or removed (Intentions)."""
        for queue in self.queues.values():
            queue.holds_changed(released=released)
        self._watch_holds()

    def resume(self, destination: str) -> str:
        """Try a destination at once (Intentions); return what was done, or why nothing was."""
        queue = self.queues.get(destination)
        if queue is None:
            return f"there is no destination {destination}"
        queue.resume()
        if queue.parking.stopped_by:
            return f"{destination} stays stopped by a dead delivery: retry it, pass it or discard it"
        return f"{destination} is tried at once"

    # --- the end of holds ------------------------------------------------------------------------------------

    def _watch_holds(self) -> None:
        if self._hold_timer is not None:
            self._hold_timer.cancel()
            self._hold_timer = None
        end_ms = self.holds.next_end_ms
        if end_ms and not self._stopped:
            left = (end_ms - self._runtime.now_ms()) / 1000
            self._hold_timer = self._runtime.call_later(min(max(0.0, left), _LONGEST_SLEEP_SECONDS), self._end_holds)

    def _end_holds(self) -> None:
        self._hold_timer = None
        for hold in self.holds.expired(self._runtime.now_ms()):
            self.holds.remove(hold.kind, hold.name)
            self._store.submit(SetHold(ended(hold)), Urgency.LAZY)
            self.holds_changed(released=hold.name if hold.kind == "destination" else "")
        self._watch_holds()


def _sources_of(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    return {route.name: route.sources for route in configuration.routes}


def _known(configuration: Configuration) -> dict[str, frozenset[str]]:
    return {
        "destination": frozenset(configuration.destinations),
        "source": frozenset(configuration.sources),
        "route": frozenset(route.name for route in configuration.routes),
    }


def policies_of(configuration: Configuration, destination: str) -> dict[str, DeadLetter]:
    """Return a destination's dead letter policies by route, where an entry of `to:` says another."""
    return {
        route.name: entry.dead_letter
        for route in configuration.routes
        for entry in route.to
        if entry.destination == destination and entry.dead_letter is not None
    }
