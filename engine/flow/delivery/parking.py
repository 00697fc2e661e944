"""
Dead deliveries that keep their place: `park` holds a lane, `block` the whole destination.

Each waits for an operator, who is told at once (`block`) or after `park_max`; after `results_wait`, results may
pass a parked one (flow.delivery.passing).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.core.messages import Delivery, DeliveryFlag, show_delivery_id
from engine.core.ports import Runtime
from engine.flow.delivery.deadlines import Deadlines, Moment
from engine.flow.delivery.passing import Passing
from engine.routes.configuration import DeadLetter, Destination

Alert = Callable[[str, str, str], None]
"""Called with a code, a destination's name and a sentence, once at the start of what it tells and once at its end."""


def is_conflict(delivery: Delivery) -> bool:
    """Whether it is a dead letter of class identity that holds both patients' lanes: no destination stops by it."""
    return delivery.code.startswith("E-ID-") and bool(delivery.flags & DeliveryFlag.IDENTITY_EVENT)


class Parking:
    """The dead deliveries of one destination that keep their place."""

    def __init__(
        self,
        destination: Destination,
        policies: Mapping[str, DeadLetter],
        runtime: Runtime,
        deadlines: Deadlines,
        passing: Passing,
        alert: Alert,
    ) -> None:
        """
        Begin with none.

        Args:
            destination: Its name and its policy.
            policies: Policies by route, where they differ.
            runtime: Clock.
            deadlines: The destination's timer.
            passing: Results that may pass.
            alert: Told of what waits too long.
        """
        self._destination = destination
        self.policies = policies
        self._runtime = runtime
        self._deadlines = deadlines
        self._passing = passing
        self._alert = alert
        self.since: dict[int, float] = {}
        """Delivery -> since when it is dead, monotonic; with the policy `block`, since when this run knows it."""
        self._retried: dict[int, float] = {}
        """Those that are tried again -> since when they were dead."""
        self.stopped_by: dict[int, None] = {}
        """Those with the policy `block`: the destination waits for them."""
        self.conflicts: dict[int, None] = {}
        """Those that are conflicts of identity: the receiver can do nothing about them."""

    def policy(self, delivery: Delivery) -> DeadLetter:
        """The policy that holds for a delivery."""
        return self.policies.get(delivery.route, self._destination.dead_letter)

    def park(self, delivery: Delivery) -> None:
        """Note a dead delivery that keeps its place; once."""
        id_, policy, now = delivery.id, self.policy(delivery), self._runtime.monotonic()
        if id_ in self.since:
            return
        wait = policy.results_wait
        # `due_ms` was written when it died, perhaps before this run: ages and waits go on from there.
        age = (self._runtime.now_ms() - delivery.due_ms) / 1000 + wait if delivery.due_ms else 0.0
        since = self.since[id_] = min(now - max(0.0, age), self._retried.pop(id_, now))
        name = self._destination.name
        if is_conflict(delivery):
            self.conflicts[id_] = None
            self._alert(
                "dead",
                name,
                f"{name}: delivery {show_delivery_id(id_)} is dead: {delivery.code}; what comes for its patients "
                "waits until an identity officer has decided",
            )
        elif policy.lane == "block":
            self.stopped_by[id_] = None
            self._alert(
                "stopped",
                name,
                f"{name} is stopped by dead delivery {show_delivery_id(id_)}: {delivery.code}; "
                "retry it, pass it or discard it",
            )
            return
        self._deadlines.set(Moment.RESULTS, id_, max(now, since + wait))
        self._deadlines.set(Moment.PARKED_LONG, id_, max(now, since + policy.park_max))

    def results_may_pass(self, id_: int, head: Delivery | None) -> None:
        """The time of results has come; `head` is the delivery, when it is loaded."""
        if id_ in self.since and head is not None:
            self._passing.open(head)
            # Looked at again now and then: a result may wait for its own next attempt.
            again = max(1.0, self.policy(head).results_wait)
            self._deadlines.set(Moment.RESULTS, id_, self._runtime.monotonic() + again)

    def waits_long(self, id_: int) -> None:
        """Tell that a lane waits for an operator."""
        since = self.since.get(id_)
        if since is not None:
            name, minutes = self._destination.name, (self._runtime.monotonic() - since) / 60
            self._alert(
                "parked",
                name,
                f"{name}: dead delivery {show_delivery_id(id_)} holds its lane for {minutes:.0f} min; "
                "retry it, pass it or discard it",
            )

    def retried(self, id_: int, since: float | None) -> None:
        """Note that a delivery, dead `since` then, is tried again: what is behind it has waited all the time."""
        if since is not None:
            self._retried[id_] = since

    def forget(self, id_: int) -> None:
        """The delivery was retried, passed or discarded, or has left."""
        self._retried.pop(id_, None)
        if self.since.pop(id_, None) is not None:
            self._deadlines.drop(Moment.RESULTS, id_)
            self._deadlines.drop(Moment.PARKED_LONG, id_)
            self.stopped_by.pop(id_, None)
            self.conflicts.pop(id_, None)
            self._passing.close(id_)

    def clear(self) -> None:
        """Forget all."""
        self.since.clear()
        self._retried.clear()
        self.stopped_by.clear()
        self.conflicts.clear()
