"""
One destination's queue: lanes, circuit, door and store joined.

Theory of operation
    `_leave` is called after every event, and acts once a turn of the loop: it ends fences, then sends while the
    circuit, the holds and the door have room. A delivery that leaves its lanes is, in turn, without bytes
    (`Reader.fetching`), with them (`Boarding`), at the door (`_under_way`), and being settled (`_settling`); only
    when its Settle is on disk do its lanes go on. Nothing here is a task or a future: the reader's one task apart,
    all is callbacks.

    Outages: what didn't leave, or what fails while the circuit is open, goes back to its lanes and may be the
    next probe after all others. What failed just before an outage became one, and what died of it, is given back
    when it begins (`Outage`).

    A Settle that can't be stored is submitted again (`Settling`); one that is refused means that memory and disk
    disagree: when nothing is under way, memory is dropped and read again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from typing import Final

from engine.core.changes import Settle
from engine.core.circuit import Circuit
from engine.core.judgment import Outcome, Verdict
from engine.core.lanes import Lanes
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag, show_delivery_id
from engine.core.ports import DestinationDoor, Queued, Runtime, SendOutcome, Store
from engine.core.retry import Acceptances
from engine.errors import ChangeRefused, StoreError
from engine.flow.delivery.boarding import Boarding
from engine.flow.delivery.budget import RenderedBudget
from engine.flow.delivery.deadlines import Deadlines, Moment
from engine.flow.delivery.flight import Failure, Flight, Slots, passive_settle
from engine.flow.delivery.holds import Holds
from engine.flow.delivery.outage import Outage
from engine.flow.delivery.overdue import Overdue
from engine.flow.delivery.parking import Alert, Parking
from engine.flow.delivery.passing import Passing
from engine.flow.delivery.reading import Reader
from engine.flow.delivery.settling import Settling
from engine.flow.delivery.staying import Staying
from engine.routes.configuration import DeadLetter, Destination

_SETTLING_MAX: Final = 1_000
_RENDERED_BYTES: Final = 16_000_000
_AGAIN_SECONDS: Final = 1.0
_RECHECK_SECONDS: Final = 60.0


class DestinationQueue:
    """Everything that waits for one destination."""

    def __init__(
        self,
        destination: Destination,
        door: DestinationDoor,
        store: Store,
        runtime: Runtime,
        *,
        policies: Mapping[str, DeadLetter],
        holds: Holds,
        slots: Slots,
        alert: Alert,
        maybe_sent: Iterable[int] = (),
    ) -> None:
        """
        Prepare; nothing is read or leaves before `begin`.

        Args:
            destination: What routes.yaml says of it.
            door: Its door, opened by the daemon.
            store: Where the deliveries are.
            runtime: Clock, chance, timers.
            policies: Dead letter policies by route, where they differ from the destination's.
            holds: Operators' holds, shared by all destinations.
            slots: In-flight slots, shared by all destinations.
            alert: Told of what an operator should know.
            maybe_sent: Deliveries that were in flight when the previous run died.
        """
        self.destination, self.name, self.door = destination, destination.name, door
        self._store, self._runtime, self._holds, self._slots, self._alert = store, runtime, holds, slots, alert
        self._maybe_sent, self.last_accepted_ms = set(maybe_sent), 0
        self.last_failure: tuple[int, Verdict] | None = None
        retry = destination.retry
        self.circuit = Circuit(retry)
        self._acceptances = Acceptances()
        self._deadlines = deadlines = Deadlines(runtime, self._reached)
        self._passing = Passing(self.name, store, holds)
        self._settling = Settling(store, runtime, slots, deadlines, self._settled, self._refused)
        self.parking = Parking(destination, policies, runtime, deadlines, self._passing, alert)
        self.outage = Outage(self.name, self.circuit, store, runtime, deadlines, alert, self._settling.later)
        self.budget = RenderedBudget(_RENDERED_BYTES)
        self._reader = Reader(
            self.name,
            store,
            runtime,
            self._passing,
            holds,
            self.budget,
            missing=self._gone_missing,
            leave=self._leave,
            failed=self._read_failed,
        )
        longest = max(retry.connect.longest, retry.unknown.longest, retry.busy.longest)
        self._staying = Staying(runtime, deadlines, self.parking, self.outage, holds, longest)
        self.new_lanes: Callable[[Callable[[Delivery], bool]], Lanes] = Lanes
        self.lanes = self.new_lanes(self._staying)
        self._boarding = Boarding(
            runtime, lambda: self.lanes, self._reader, self.circuit, self.outage, holds, self._passing, deadlines
        )
        self._under_way: dict[int, Flight] = {}
        self.overdue = Overdue(destination, self._under_way, self.circuit, self.outage, runtime, deadlines, alert)
        self._begun = self._stopping = self._leaving = self._restarting = self._in_trouble = False

    # --- life ------------------------------------------------------------------------------------------

    def remember(self, accepted_ms: int, outage_ms: int) -> None:
        """Go on with the ages of the previous run: its last acceptance, and since when there was none; 0: unknown."""
        self.last_accepted_ms = accepted_ms
        if outage_ms:
            self.circuit.go_on(self._runtime.monotonic() - (self._runtime.now_ms() - outage_ms) / 1000)
            self.outage.remember()

    def begin(self) -> None:
        """Read and send."""
        self._begun = True
        self._reader.begin(self.lanes)
        self._deadlines.set(Moment.RECHECK, 0, self._runtime.monotonic() + _RECHECK_SECONDS)
        self._leave()

    def stop(self) -> None:
        """Send nothing more; outcomes of what is under way are still stored."""
        self._stopping = True
        self._reader.stopped = True
        self.outage.stop()
        self._deadlines.clear()
        self._settling.later()

    @property
    def under_way(self) -> int:
        """Sends whose outcome isn't on disk."""
        return len(self._under_way) + len(self._settling)

    @property
    def perhaps_sent(self) -> set[int]:
        """Deliveries that may have left in an attempt that isn't on disk yet."""
        return self._maybe_sent

    @property
    def at_door(self) -> int:
        """Sends whose answer is awaited."""
        return len(self._under_way)

    def ids_at_door(self, most: int) -> list[int]:
        """The first deliveries whose answer is awaited, those that left first before the others."""
        return list(islice(self._under_way, most))

    @property
    def next_due(self) -> float | None:
        """When the next delivery that waits is tried again, monotonic."""
        return self._deadlines.earliest(Moment.DUE)

    def trouble(self, error: StoreError | None) -> None:
        """The store became unavailable (nothing leaves: no outcome could be kept), or works again."""
        self._in_trouble = error is not None
        if error is None:
            self._store_again()
            self._leave()

    # --- what comes ------------------------------------------------------------------------------------

    def announced(self, queued: Queued) -> None:
        """Deliveries were committed."""
        if queued.parted:
            flights = chain(self._under_way.values(), self._settling)
            self._boarding.marked(queued.parted, (*(one.delivery for one in flights), *queued.deliveries))
        lanes = self.lanes
        cursor = lanes.cursor
        self.budget.add(queued.deliveries)
        for delivery in queued.deliveries:
            if delivery.id <= cursor:
                self._returned(delivery)
        lanes.live(queued.deliveries, queued.before, queued.high)
        self.budget.keep_within(lanes, self._boarding)
        if self._passing:
            self._passing.notice(queued.deliveries)
        self._leave()

    def _returned(self, delivery: Delivery) -> None:
        """A delivery comes back to a place that was passed: what is behind it and hasn't left waits for it."""
        if delivery.id not in self._under_way and delivery.id not in self._settling:
            since = self.parking.since.get(delivery.id)
            self._forget(delivery.id)
            self.parking.retried(delivery.id, since)
        if delivery.attempts:
            self.outage.refusals.treated(delivery)
        self._boarding.recall()

    # --- leaving ---------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """
        Let go what may leave, once the events of this turn of the loop are all heard.

        Then what leaves leaves together: a receiver is woken once for several messages, not for each.
        """
        if not self._leaving and self._begun and not self._stopping:
            self._leaving = True
            self._runtime.call_soon(self._leave_now)

    def _leave_now(self) -> None:
        self._leaving = False
        if self._stopping:
            return
        if not self._restarting and not self._in_trouble:
            self._end_passive()
            room = self._room()
            while room > 0:
                delivery = self._boarding.next(room)
                if delivery is None or not self._send(delivery):
                    break
                room -= 1
        self.overdue.watch()
        if not self._restarting:
            self._reader.kick()

    def _end_passive(self) -> None:
        while (fence := self.lanes.take_passive()) is not None:
            now_ms = self._runtime.now_ms()
            flight = Flight(fence, -1, now_ms, apart=False)
            flight.settle = passive_settle(fence, now_ms)
            self._settling.submit(flight, flight.settle)

    def _room(self) -> int:
        if self.parking.stopped_by or len(self._settling) >= _SETTLING_MAX:
            return 0
        if self._holds.get("destination", self.name) is not None:
            return 0
        circuit = self.circuit
        now = self._runtime.monotonic()
        self.outage.look_out(self.lanes)
        room = circuit.room(len(self._under_way), self.door.capacity, now)
        if room <= 0 and circuit.wakes_at > now:
            self._deadlines.set(Moment.PROBE, 0, circuit.wakes_at)
        return room

    def _gone_missing(self, delivery: Delivery) -> None:
        self._passing.apart.pop(delivery.id, None)
        self._forget(delivery.id)
        self.lanes.gone(delivery.id, delivery.lanes)

    def _send(self, delivery: Delivery) -> bool:
        data = delivery.rendered
        assert data is not None
        if self._maybe_sent and delivery.id in self._maybe_sent:
            self._maybe_sent.discard(delivery.id)
            delivery.flags |= DeliveryFlag.POSSIBLE_DUPLICATE
        apart = bool(self._passing.apart) and delivery.id in self._passing.apart
        flight = Flight(delivery, self._slots.take(), self._runtime.now_ms(), apart=apart)
        flight.since, circuit = self._runtime.monotonic(), self.circuit
        flight.successes, flight.epoch = circuit.successes, circuit.epoch
        try:
            self._store.sending(delivery.id, delivery.attempts + 1, flight.slot)
        except (StoreError, OSError) as error:
            # What can't be noted doesn't leave: after a crash nobody would know.
            self._slots.give(flight.slot)
            self._boarding.recall_one(delivery)
            self._read_failed(error)
            return False
        self._under_way[delivery.id] = flight
        self.door.send(delivery, data, self._ended)
        return True

    # --- the end of an attempt -------------------------------------------------------------------------

    def _ended(self, delivery: Delivery, outcome: SendOutcome) -> None:
        flight = self._under_way.pop(delivery.id)
        verdict = flight.judge(outcome, self.destination)
        if verdict.outcome is Outcome.DELIVERED:
            self._delivered(flight, verdict)
        elif verdict.outcome is Outcome.CONNECT:
            self._not_sent(flight, verdict)
        else:
            self._failed(flight, verdict)
        if self._restarting:
            self._restart_when_quiet()
        self._leave()

    def _delivered(self, flight: Flight, verdict: Verdict) -> None:
        now_ms = self._runtime.now_ms()
        self.last_accepted_ms = now_ms
        self._acceptances.accept()
        self.outage.accepted(flight.delivery, self.lanes)
        settle = flight.settled(
            state=DeliveryState.DELIVERED,
            queued=False,
            end_ms=now_ms,
            spent=flight.delivery.spent,
            due_ms=0,
            verdict=verdict,
        )
        # One lane alone goes as fast as its outcomes reach the disk; several ride together.
        urgent = not self._under_way and not self._settling and (self.lanes.live_count > 1 or self.lanes.has_more)
        self._settling.submit(flight, settle, urgent=urgent)

    def _not_sent(self, flight: Flight, verdict: Verdict) -> None:
        """Nothing left: nothing is spent, nothing is stored, it is first again."""
        delivery = flight.delivery
        with contextlib.suppress(StoreError, OSError):  # not noted: after a crash now it counts as perhaps sent
            self._store.sending(delivery.id, 0, flight.slot)  # a crash now is no possible duplicate
        self._slots.give(flight.slot)
        self._fails(flight, verdict)
        if delivery.flags & DeliveryFlag.POSSIBLE_DUPLICATE:
            self._maybe_sent.add(delivery.id)  # the mark isn't on disk yet
        if flight.apart:
            self._boarding.rejoin(delivery)
        else:
            self.lanes.back(delivery.id)

    def _fails(self, flight: Flight, verdict: Verdict) -> None:
        """Tell the circuit of a failure."""
        self.last_failure = (self._runtime.now_ms(), verdict)
        others, under_way = self._boarding.has_untried(), len(self._under_way)
        if self.outage.failed(flight, verdict, self.lanes, under_way, others=others):
            self._boarding.recall()

    def _failed(self, flight: Flight, verdict: Verdict) -> None:
        delivery, runtime, retry = flight.delivery, self._runtime, self.destination.retry
        self._fails(flight, verdict)
        failure = Failure(
            verdict,
            runtime.now_ms(),
            runtime.random(),
            self.parking.policy(delivery),
            accepted_another=self._acceptances.accepted_since(delivery.id),
            counts=not self.outage.gives_back,
        )
        settle = flight.failed(failure, retry)
        if settle.state is DeliveryState.PENDING and settle.due_ms and delivery.attempts + 1 == retry.attempts:
            self._alert(
                "stuck",
                self.name,
                f"{self.name}: delivery {show_delivery_id(delivery.id)} failed {retry.attempts} times and nothing "
                f"else was accepted meanwhile; last: {verdict.reason}",
            )
        self._settling.submit(flight, settle)

    # --- outcomes on disk ------------------------------------------------------------------------------

    def _settled(self, flight: Flight, settle: Settle) -> None:
        self.budget.drop(flight.delivery)
        if settle.state is DeliveryState.DELIVERED:
            self._finish(flight)
        elif settle.state is DeliveryState.DEAD:
            self._has_died(flight)
        else:
            self._waits(flight)
        if self._restarting:
            self._restart_when_quiet()
        self._leave()

    def _finish(self, flight: Flight) -> None:
        """The delivery left the queue."""
        delivery = flight.delivery
        if delivery.attempts > 1:
            self._forget(delivery.id)
        if flight.apart:
            head = self._passing.apart.pop(delivery.id, None)
            self.lanes.gone(delivery.id, delivery.lanes)
            if head is not None:
                self._passing.look_again(head)
        else:
            self.lanes.done(delivery.id)

    def _waits(self, flight: Flight) -> None:
        """It is tried again: at its time, or as a probe."""
        delivery = flight.delivery
        if self.outage.gives_back:
            delivery.due_ms = delivery.spent = 0
        if flight.apart:
            self._boarding.rejoin(delivery)
        elif not delivery.due_ms:
            self.outage.probed.add(delivery.id)
            self.lanes.back(delivery.id)
        else:
            self._staying.until_due(delivery)
            self.lanes.block(delivery.id)

    def _has_died(self, flight: Flight) -> None:
        delivery = flight.delivery
        self._acceptances.forget(delivery.id)
        self.outage.forget(delivery.id)
        if flight.apart and delivery.queued:
            self._boarding.rejoin(delivery)
        elif flight.apart:
            self._finish(flight)
        elif delivery.queued:
            self.parking.park(delivery)
            self.lanes.block(delivery.id)
        else:
            self.lanes.done(delivery.id)
        self.outage.died(delivery)

    def _refused(self, flight: Flight, error: ChangeRefused) -> None:
        if flight.slot >= 0:
            self._maybe_sent.add(flight.delivery.id)
        self._alert("disagreement", self.name, f"{self.name}: an outcome was refused by the store: {error}")
        self.restart()

    def _store_again(self) -> None:
        self._settling.again()
        self.outage.give_back_again()

    def restart(self) -> None:
        """Drop memory and begin again from the store, when nothing is under way."""
        self._restarting = True
        self._restart_when_quiet()

    def _restart_when_quiet(self) -> None:
        if self._under_way or self._settling or self._stopping:
            return
        self._restarting = False
        self._boarding.clear()
        self._staying.clear()
        self.outage.clear()
        self._passing.clear()
        self.parking.clear()
        self._deadlines.clear()
        self.budget.clear()
        self.lanes = self.new_lanes(self._staying)
        self._settling.later()
        if self._begun:
            self.begin()

    # --- moments ---------------------------------------------------------------------------------------

    def _reached(self, what: Moment, delivery: int) -> None:
        now = self._runtime.monotonic()
        if what is Moment.DUE:
            self._staying.due(delivery, self.lanes)
        elif what is Moment.RESULTS:
            self.parking.results_may_pass(delivery, self.lanes.get(delivery))
        elif what is Moment.PARKED_LONG:
            self.parking.waits_long(delivery)
        elif what is Moment.SETTLE:
            self._store_again()
        elif what is Moment.DEATHS:
            self.outage.tell_deaths()
        elif what is Moment.OVERDUE:
            self.overdue.look()
        elif what is Moment.RECHECK:
            self.lanes.recheck()
            self._deadlines.set(Moment.RECHECK, 0, now + _RECHECK_SECONDS)
        self._leave()

    def _read_failed(self, error: Exception) -> None:  # noqa: ARG002 - the store tells of its trouble itself
        if not self._stopping:
            self._deadlines.set(Moment.READ, 0, self._runtime.monotonic() + _AGAIN_SECONDS)

    def _forget(self, id_: int) -> None:
        """Forget everything about a delivery but its lanes."""
        self._acceptances.forget(id_)
        self._staying.forget(id_)
        self.outage.forget(id_)
        self.parking.forget(id_)

    # --- operators -------------------------------------------------------------------------------------

    def gone(self, delivery: Delivery) -> None:
        """An operator passed or discarded a dead delivery: its lanes go on."""
        self._forget(delivery.id)
        self.outage.refusals.treated(delivery)
        self.lanes.gone(delivery.id, delivery.lanes)
        self._leave()

    def holds_changed(self, *, released: str = "") -> None:
        """Look again at what is held; `released`: the name of a destination whose hold ended."""
        self._boarding.recall()
        self._passing.look_at_all()
        self._staying.free_held(self.lanes)
        if released == self.name:
            self.circuit.try_one(self._runtime.monotonic())
        self._leave()

    def resume(self) -> None:
        """Try now, because an operator says so: one in an outage, which goes on until a success; else everything."""
        self.circuit.resume(self._runtime.monotonic())
        self.outage.free_retrying(self.lanes)
        self._leave()
