"""
What an outage of one destination asks for: who is probed next, what is given back, what is told.

What failed just before an outage became one is free again under the circuit, with its attempts given back; what
died of it returns to its place. One alert at the start, one at the end, which is an acceptance and nothing less.

A death is told when it is sure: at the next acceptance, or after a few seconds in which no outage was recognised.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from engine.core.changes import Receipt, Requeue
from engine.core.circuit import TRIALS, Circuit, Trouble
from engine.core.judgment import Outcome, Verdict
from engine.core.lanes import Lanes
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, show_delivery_id
from engine.core.ports import Runtime, Store, Urgency
from engine.core.refusals import Refusals, lanes_of
from engine.core.wording import age
from engine.errors import ChangeRefused, StoreError
from engine.flow.delivery.deadlines import Deadlines, Moment
from engine.flow.delivery.flight import Flight
from engine.flow.delivery.parking import Alert

_DIED_MAX: Final = 1_000
_SURE_SECONDS: Final = 5.0
"""How long a death waits to be told: a storm is ten refusals, and they come together."""

GIVEN_BACK: Final = frozenset({Trouble.HANG, Trouble.STORM, Trouble.PROTOCOL})
"""Trouble in which an attempt says nothing about its message."""

_SENTENCES: Final = {
    Trouble.CONNECT: "can't be reached",
    Trouble.HANG: "takes messages and doesn't answer",
    Trouble.PROTOCOL: "answers what is no acknowledgement",
    Trouble.STORM: "refuses all that is tried; one message at a time is tried",
}


class Outage:
    """The outages of one destination, one after the other."""

    def __init__(
        self,
        destination: str,
        circuit: Circuit,
        store: Store,
        runtime: Runtime,
        deadlines: Deadlines,
        alert: Alert,
        again: Callable[[], None],
    ) -> None:
        """
        Begin without any.

        Args:
            destination: Its name.
            circuit: Says when an outage begins and ends.
            store: Takes back what died.
            runtime: Clock.
            deadlines: The destination's timer.
            alert: Told of the start and the end, and of deaths.
            again: Called when something could not be given back; `give_back_again` is to be called later.
        """
        self._destination = destination
        self._circuit = circuit
        self._store = store
        self._runtime = runtime
        self._deadlines = deadlines
        self._alert = alert
        self._again = again
        self.retrying: set[int] = set()
        """Deliveries that wait for the time of their next attempt."""
        self.probed: set[int] = set()
        """Those that were tried in this outage: the others come first."""
        self.refusals = Refusals()
        self._amnesty: set[int] = set()
        self._died: deque[Delivery] = deque(maxlen=_DIED_MAX)
        self._ungiven: list[Delivery] = []
        self._untold: dict[int, str] = {}
        self._stopped = False
        self._told = Trouble.NONE
        self._remembered = False

    def remember(self) -> None:
        """An outage of the run before goes on: its end is told, also when nothing fails any more."""
        self._remembered = True

    @property
    def is_told(self) -> bool:
        """Whether people know of an outage, and not of its end."""
        return self._told is not Trouble.NONE or self._remembered

    @property
    def gives_back(self) -> bool:
        """Whether an attempt now says nothing about its message."""
        return self._circuit.trouble in GIVEN_BACK

    @property
    def is_idle(self) -> bool:
        """Whether a success has nothing to end."""
        return not (self.probed or self._died or self._untold or self.is_told)

    def accepted(self, delivery: Delivery, lanes: Lanes) -> None:
        """The receiver accepted a delivery."""
        self.refusals.accepted(delivery)
        ended = self._circuit.succeeded()
        if ended is not Trouble.NONE or not self.is_idle:
            self.over(ended, lanes, accepted=True)

    def failed(self, flight: Flight, verdict: Verdict, lanes: Lanes, under_way: int, *, others: bool) -> bool:
        """
        Take a failed attempt into account.

        Args:
            flight: Which.
            verdict: How it failed.
            lanes: The destination's.
            under_way: Other sends under way.
            others: Something may leave whose lanes were never refused.

        Returns:
            Whether from now on only probes may leave.
        """
        circuit, refusals, delivery = self._circuit, self.refusals, flight.delivery
        counts = True
        if verdict.outcome in (Outcome.BUSY, Outcome.REFUSED, Outcome.PERHAPS_BUSY):
            counts = refusals.refused(delivery)
            ended = circuit.answered()
            if ended is not Trouble.NONE:
                self.over(ended, lanes, accepted=False)
        began = circuit.failed(
            verdict.outcome,
            lanes_of(delivery)[0],
            under_way,
            self._runtime.monotonic(),
            self._runtime.random(),
            epoch=flight.epoch,
            works=circuit.successes != flight.successes,
            counts=counts,
            others=others,
        )
        if began is Trouble.NONE:
            self.goes_on(verdict)
            return False
        self.begins(lanes, verdict)
        return True

    def take_untried(self, lanes: Lanes) -> Delivery | None:
        """
        Give a probe of which nothing is known yet: not tried in this outage, no lane of it refused.

        When the receiver refuses, the youngest and the oldest in turn: what was made of one bad thing stands together.
        """
        probed, is_marked = self.probed, self.refusals.is_marked

        def avoid(delivery: Delivery) -> bool:
            return delivery.id in probed or is_marked(delivery)

        if self._circuit.trouble in (Trouble.STORM, Trouble.DOUBT) and not self._circuit.probes % 2:
            return lanes.take_newest(avoid)
        return lanes.take_startable(avoid)

    def look_out(self, lanes: Lanes) -> None:
        """In a storm, try what was never refused sooner than the rest."""
        if self._circuit.is_patient and lanes.has_startable(self.refusals.is_marked):
            self._circuit.hasten()

    def begins(self, lanes: Lanes, failure: Verdict) -> None:
        """An outage begins with this failure."""
        if not self.gives_back:
            return  # a connection fails now and then: told when the first probe fails too
        self.free_retrying(lanes)
        died, self._died = list(self._died), deque(maxlen=_DIED_MAX)
        for delivery in died:
            self._untold.pop(delivery.id, None)
            self._give_back(delivery)
        self.tell(failure)

    def goes_on(self, failure: Verdict) -> None:
        """A probe failed, or nothing is amiss."""
        first = self.gives_back and self._told is Trouble.NONE
        # A connection fails now and then, and so may one probe in another way.
        if first or self._circuit.probes > 1:
            self.tell(failure)

    def over(self, ended: Trouble, lanes: Lanes, *, accepted: bool) -> None:
        """The receiver accepted or answered; `ended` says what that ended, if anything."""
        self.probed.clear()
        if accepted:
            self._died.clear()
            self.tell_deaths()
            if self.is_told:
                self._told, self._remembered = Trouble.NONE, False
                self._alert("recovered", self._destination, f"{self._destination} accepts again")
        if ended is Trouble.NONE:
            return
        if ended not in TRIALS:
            self.free_retrying(lanes)
        self._deadlines.drop(Moment.PROBE, 0)

    def tell(self, failure: Verdict) -> None:
        """Tell of the outage, once, and of another trouble in it."""
        trouble, name = self._circuit.trouble, self._destination
        if trouble is not self._told and trouble in _SENTENCES:
            now = "now " if self._told is not Trouble.NONE else ""
            self._told = trouble
            self._alert("outage", name, f"{name}: the receiver {now}{_SENTENCES[trouble]}: {failure.reason}")

    def hangs(self, since: float, seconds: float) -> None:
        """
        Nothing at the door was answered: told like any outage, though nothing failed, and it may all arrive yet.

        Args:
            since: When the first of it left, monotonic.
            seconds: How long that is.
        """
        self._circuit.hangs(since)
        if self._told is not Trouble.HANG:
            now = "now " if self._told is not Trouble.NONE else ""
            self._told = Trouble.HANG
            self._alert(
                "outage",
                self._destination,
                f"{self._destination}: the receiver {now}has not answered for {age(seconds)}; "
                f"what it was given may still arrive",
            )

    def died(self, delivery: Delivery) -> None:
        """A delivery died: it returns to its place if that was of an outage; else it is told when that is sure."""
        if self.gives_back:
            self._give_back(delivery)
            return
        self._died.append(delivery)
        self._untold[delivery.id] = self._sentence(delivery)
        if self._stopped or len(self._untold) >= _DIED_MAX:
            self.tell_deaths()
        elif len(self._untold) == 1:
            self._deadlines.set(Moment.DEATHS, 0, self._runtime.monotonic() + _SURE_SECONDS)

    def tell_deaths(self) -> None:
        """Tell of those that died and stay so."""
        if self._untold:
            untold, self._untold = self._untold, {}
            self._deadlines.drop(Moment.DEATHS, 0)
            for sentence in untold.values():
                self._alert("dead", self._destination, sentence)

    def stop(self) -> None:
        """No timer runs any longer: tell of each death at once."""
        self._stopped = True
        self.tell_deaths()

    def free_retrying(self, lanes: Lanes) -> None:
        """Make everything that waits for its time free to leave."""
        waiting, self.retrying = self.retrying, set()
        for id_ in waiting:
            self._deadlines.drop(Moment.DUE, id_)
            delivery = lanes.get(id_)
            if delivery is not None:
                delivery.due_ms = delivery.spent = 0
            self.free(id_, lanes)

    def free(self, id_: int, lanes: Lanes) -> None:
        """Make one that waited free to leave, whatever its row says when it is read again."""
        if not lanes.unblock(id_):
            self._amnesty.add(id_)

    def takes_amnesty(self, id_: int) -> bool:
        """Whether a delivery was made free since its row was written; asked once."""
        if id_ in self._amnesty:
            self._amnesty.discard(id_)
            return True
        return False

    def _give_back(self, delivery: Delivery) -> None:
        """What died of the outage returns to its place; its announcement brings it back to the lanes."""
        delivery.due_ms = 0
        self._store.submit(Requeue(delivery), Urgency.SOON, partial(self._given_back, delivery))

    def _given_back(self, delivery: Delivery, receipt: Receipt | StoreError) -> None:
        if isinstance(receipt, ChangeRefused):
            self._runtime.spawn(self._stays_dead(delivery), f"what died at {self._destination}")
        elif isinstance(receipt, StoreError):
            self._ungiven.append(delivery)
            self._again()

    async def _stays_dead(self, delivery: Delivery) -> None:
        """A refusal: an operator treated it meanwhile, and that holds; or its patients were parted, and it is told."""
        try:
            row = await self._store.delivery(delivery.id)
        except StoreError:
            row = delivery  # once too often rather than never
        if row is not None and row.state is DeliveryState.DEAD:
            self._untold[row.id] = self._sentence(row)
            self.tell_deaths()

    def _sentence(self, delivery: Delivery) -> str:
        return (
            f"{self._destination}: delivery {show_delivery_id(delivery.id)} is dead: {delivery.code}, {delivery.reason}"
        )

    def give_back_again(self) -> None:
        """Submit again what could not be stored."""
        ungiven, self._ungiven = self._ungiven, []
        for delivery in ungiven:
            self._give_back(delivery)

    def forget(self, id_: int) -> None:
        """Forget everything about a delivery."""
        self.retrying.discard(id_)
        self.probed.discard(id_)
        self._amnesty.discard(id_)
        self._untold.pop(id_, None)

    def clear(self) -> None:
        """Forget all deliveries; the outage itself goes on."""
        self.retrying.clear()
        self.probed.clear()
        self._amnesty.clear()
        self._died.clear()
        self.tell_deaths()
