"""
What is at the door and isn't answered: told, and left there.

A door of a folder has no deadline: a share that hangs may still write the file when it comes back, so that an end of
the send would be a lie. People are told instead: of an outage where nothing was accepted since, else of a delivery
that hangs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.core.circuit import Circuit
from engine.core.messages import show_delivery_id
from engine.core.ports import Runtime
from engine.core.wording import age
from engine.flow.delivery.deadlines import Deadlines, Moment
from engine.flow.delivery.flight import Flight
from engine.flow.delivery.outage import Outage
from engine.flow.delivery.parking import Alert
from engine.routes.configuration import Destination

SILENT_SECONDS: Final = 30.0
"""How long a door may keep a send before that is told; beside its own deadlines, where it has some."""


class Overdue:
    """What one destination's door has kept for too long."""

    def __init__(
        self,
        destination: Destination,
        under_way: Mapping[int, Flight],
        circuit: Circuit,
        outage: Outage,
        runtime: Runtime,
        deadlines: Deadlines,
        alert: Alert,
    ) -> None:
        """
        Begin with nothing.

        Args:
            destination: Whose.
            under_way: What is at its door, those that left first before the others; the queue's own.
            circuit: Counts what is accepted.
            outage: Tells of a door that keeps everything.
            runtime: Clock.
            deadlines: The destination's timer.
            alert: Told of what hangs alone (`stuck`).
        """
        self._name = destination.name
        self._under_way = under_way
        self._circuit = circuit
        self._outage = outage
        self._runtime = runtime
        self._deadlines = deadlines
        self._alert = alert
        self._limit = SILENT_SECONDS
        if destination.type != "directory":
            # These doors give up by themselves, and say more.
            self._limit += destination.connect_timeout + destination.ack_timeout
        self._hung: Flight | None = None
        self._alone: dict[int, bool] = {}
        """What hangs while others are accepted; whether it was told."""

    @property
    def since(self) -> float | None:
        """Since when nothing was answered, where people were told of that (monotonic); None: all is well."""
        hung = self._hung
        if hung is None or self._under_way.get(hung.delivery.id) is not hung:
            return None
        return hung.since if hung.successes == self._circuit.successes else None

    def watch(self) -> None:
        """See to it that what is at the door is looked at in time; once a turn of the loop, not for each."""
        if self._under_way and self._deadlines.get(Moment.OVERDUE, 0) is None:
            now = self._runtime.monotonic()
            at = next(iter(self._under_way.values())).since + self._limit
            self._deadlines.set(Moment.OVERDUE, 0, at if at > now else now + self._limit)

    def look(self) -> None:
        """Tell of what has been at the door for too long; each once."""
        now = self._runtime.monotonic()
        before, self._alone, self._hung = self._alone, {}, None
        for id_, flight in self._under_way.items():
            if flight.since + self._limit > now:
                break
            if flight.successes == self._circuit.successes:
                self._hung = flight
                self._outage.hangs(flight.since, now - flight.since)
                break
            # Not at the first look: a door that answers again may be about to answer this one, too.
            self._alone[id_] = id_ in before
            if before.get(id_) is False:
                self._tell_alone(id_, now - flight.since)

    def _tell_alone(self, id_: int, seconds: float) -> None:
        self._alert(
            "stuck",
            self._name,
            f"{self._name}: delivery {show_delivery_id(id_)} has had no answer for {age(seconds)}, while others are "
            f"accepted; it may still arrive, and what stands behind it waits",
        )
