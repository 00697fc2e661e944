"""The deliveries of one message: with lanes and bytes, or dead without bytes in the place that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag, DeliveryKind, delivery_id, part_flags
from engine.core.own_ids import later_id, own_id
from engine.errors import StepFailed
from engine.identity.events import flags_of
from engine.parsers import open_message
from engine.routes.encoding import encode
from engine.routes.lanekeys import LaneKeys
from engine.routes.multiplying import Part, run
from engine.transforms.identifying import Unidentified

if TYPE_CHECKING:
    from engine.core.own_ids import Former
    from engine.parsers.hl7v2.message import Message
    from engine.routes.configuration import Exit, Route
    from engine.routes.decision import Evaluation
    from engine.transforms.step import Context


class Making(LaneKeys):
    """What the walk of a message needs to make deliveries."""

    __slots__ = ("_again_id", "_at_ms", "_deriving", "_flags", "_former", "_raw_message", "_result", "_variant")

    _again_id: int | None
    """Of the delivery that is made anew."""
    _at_ms: int
    """When deliveries are made; 0: on trial."""
    _former: Former | None
    """What the delivery that is made anew was before."""
    _deriving: bool
    """What is made is a merge that follows from the message (routes.deriving)."""
    _flags: int
    _raw_message: Message | None
    _result: Evaluation
    _variant: str

    def _deliver(
        self, route: Route, exit_: Exit, own: Context, *, touched: bool, last: bool, part: Part | None
    ) -> Delivery:
        """Make one delivery of a message as the steps left it."""
        destination = self._configuration.destinations[exit_.destination]
        received = part.received if part is not None else None
        lanes = self.lanes_of(exit_, destination, own if touched else None, received)
        if destination.encode.as_received and touched and own.body is None and not self._deriving:
            own = self._as_received(route, exit_, own, part)
        elif not last and own.body is None and not destination.encode.as_received:
            own = own.fork(own.message.copy())  # encode sets MSH-10 and MSH-18 of a copy
        delivery = self._delivery(route, exit_, part)
        delivery.lanes = lanes
        former, findings = self._former, self._result.findings
        own_id_ = (former.own_id if former is not None else "") or own_id(delivery.id, self._at_ms)
        encode(delivery, destination, own, self._stored, own_id=own_id_, touched=touched, findings=findings)
        if (
            former is not None
            and former.own_id
            and (delivery.rendered, delivery.target) != (former.data, former.target)
        ):
            own_id_ = later_id(delivery.id, self._at_ms, former.own_id)
            encode(delivery, destination, own, self._stored, own_id=own_id_, touched=touched, findings=[])
        if self.identified is not None:
            self.left(own, delivery, destination)
        return delivery

    def _as_received(self, route: Route, exit_: Exit, done: Context, part: Part | None) -> Context:
        """
        Run the steps on the received bytes themselves: what no step touched leaves byte for byte.

        The router works on UTF-8 with CR ends; only where that isn't what was received are they run again.
        """
        if self._message.base_flag == 0 and self._message.base is self._stored.raw and self._message.delimiters.usual:
            return done
        if self._raw_message is None:
            self._raw_message = open_message(
                self._stored.raw, self._stored.format, default_charset=self._message.received_codec, as_utf8=False
            )
        context = self.context.fork(self._raw_message.copy())
        for steps in (route.steps, exit_.steps):
            again = run(context, steps.get(self._variant, ()), self._raw_message)
            if isinstance(again, list):
                assert part is not None, "the same steps made parts before"
                again = again[part.rank - 1].done()
            context = again
        return context

    def _delivery(self, route: Route, exit_: Exit, part: Part | None) -> Delivery:
        type_, flags = self._stored.type, self._flags
        if self._deriving:
            type_, flags = "ADT^A40", int(DeliveryFlag.IDENTITY_EVENT | DeliveryFlag.DERIVED)
        if part is not None:
            made = part.context
            if made.format != self._message.format:  # another kind of message was made: it is what is sent
                type_ = f"{made.type}^{made.event}" if made.event else made.type
                flags = flags_of(made.type, made.event)
            flags |= part_flags(part.rank, part.count)
        ordinal = len(self._result.deliveries)
        return Delivery(
            self._again_id if self._again_id is not None else delivery_id(self._stored.place, ordinal),
            exit_.destination, route.name, type=type_, flags=flags, config=self._configuration.hash,
        )  # fmt: skip

    def _dead(self, route: Route, exit_: Exit, error: StepFailed, part: Part | None = None) -> Delivery:
        """Make the dead delivery without bytes of one exit."""
        destination = self._configuration.destinations[exit_.destination]
        delivery = self._delivery(route, exit_, part)
        delivery.kind = DeliveryKind.BODILESS
        delivery.state = DeliveryState.DEAD
        policy = exit_.dead_letter or destination.dead_letter
        delivery.queued = policy.lane != "pass"
        if policy.lane == "park":
            delivery.due_ms = self._stored.received_ms + int(policy.results_wait * 1000)
        delivery.code, delivery.field, delivery.reason = error.code, error.field, error.reason
        received = part.received if part is not None else None
        delivery.lanes = self.lanes_of(exit_, destination, None, received)
        if isinstance(error, Unidentified) and error.lanes:
            _hold_both(delivery, error.lanes)
        return delivery

    def _stop(self, route: Route, error: StepFailed, part: Part | None = None) -> None:
        for exit_ in route.to_of(self._site):
            self._result.deliveries.append(self._dead(route, exit_, error, part))


def _hold_both(delivery: Delivery, lanes: tuple[int, ...]) -> None:
    """Let a dead letter of class identity hold the lanes of both patients; no result of theirs passes it."""
    delivery.lanes = tuple(dict.fromkeys((*delivery.lanes, *lanes)))
    delivery.queued = True
    delivery.flags |= DeliveryFlag.IDENTITY_EVENT
