"""
One message to its deliveries: the router's decision. Pure: no clock, no chance, no store.

Walk: parse, processing id, site, keys, then each route of the source in the order of the file. A step that
fails stops its route for this message (under one entry of `to:`, that entry only); each stopped destination
gets a dead delivery without bytes, which takes its place in the lane of the message as received.
"""

from __future__ import annotations

from typing import Final

from engine.core.asking import Answers, Asked, Question
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DELIVERIES_MAX, Delivery, DeliveryKind, StoredMessage, delivery_id, part_flags
from engine.core.references import References
from engine.errors import OperationRefused, ParseError, StepFailed
from engine.identity.events import flags_of
from engine.parsers import open_message
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.routes.configuration import Configuration, Exit, Route, Source, variant_of
from engine.routes.decision import NO_MATCH, REJECTED, Evaluation
from engine.routes.encoding import encode
from engine.routes.lanekeys import LaneKeys
from engine.routes.multiplying import Part, chosen, other_parts, run
from engine.routes.searching import key_authority
from engine.routes.stopping import before_routes, site_of
from engine.transforms.step import Context, Dropped, Rejected


def evaluate(
    configuration: Configuration, stored: StoredMessage, references: References, answers: Answers | None = None
) -> Evaluation:
    """
    Decide on one message.

    Args:
        configuration: As loaded.
        stored: The message, with its place.
        references: Hashes identifiers with the data directory's key.
        answers: Replies of the hospital's own code, where it was asked.

    Returns:
        The decision. REJECTED comes with the code of table 0008 for the sender, `AE` or `AR`.

    Raises:
        Asked: A step needs replies: evaluate again with them.

    An error of our own is raised as it is: the router makes the message dead with E-INTERNAL, and logs where.
    """
    source = configuration.sources.get(stored.source)
    if source is None:
        return Evaluation(MessageState.DEAD, code="E-SOURCE", reason="the configuration has no such source any more")
    try:
        return _Walk(configuration, source, stored, references, answers).run()
    except ParseError as error:
        return Evaluation(MessageState.DEAD, code="E-PARSE", field=error.location, reason=error.reason)


def render_again(
    configuration: Configuration,
    stored: StoredMessage,
    references: References,
    route_name: str,
    destination: str,
    id_: int,
    part: tuple[int, int] = (0, 0),
    answers: Answers | None = None,
) -> Delivery:
    """
    Make one delivery anew under today's configuration (retry).

    Conditions aren't asked again: the operator has decided that this message goes there.

    Args:
        configuration: Today's.
        stored: The message.
        references: As for `evaluate`.
        route_name: The route that made the delivery.
        destination: Where it goes.
        id_: The delivery's id, which stays.
        part: Which of how many messages that the route makes of one (Delivery.part).
        answers: As for `evaluate`.

    Returns:
        The delivery, ready to send, or dead without bytes when a step fails again.

    Raises:
        OperationRefused: Route, destination or source are no more, the site isn't known, the message can't
            be read, or the route makes another number of messages of it today.
        Asked: As `evaluate`.
    """
    source = configuration.sources.get(stored.source)
    route = next((one for one in configuration.routes if one.name == route_name), None)
    exit_ = next((one for one in route.to if one.destination == destination), None) if route is not None else None
    if source is None or route is None or exit_ is None:
        raise OperationRefused(
            f"the configuration has no route {route_name} from {stored.source} to {destination} any more; "
            "discard the delivery, or retry its message"
        )
    walk = _Walk(configuration, source, stored, references, answers)
    try:
        refusal = walk.prepare()
    except ParseError as error:
        raise OperationRefused(f"the message can't be read: {error}") from None
    if refusal is not None:
        raise OperationRefused(f"the message can't be routed: {refusal.reason}")
    return walk.again(route, exit_, id_, part)


class _Walk(LaneKeys):
    """One message under one configuration."""

    __slots__ = (
        "_again_id", "_answers", "_flags", "_questions", "_raw_message", "_result", "_source", "_stored", "_variant",
    )  # fmt: skip

    def __init__(
        self,
        configuration: Configuration,
        source: Source,
        stored: StoredMessage,
        references: References,
        answers: Answers | None,
    ) -> None:
        super().__init__(configuration, references, source.name)
        self._answers = answers
        self._questions: list[Question] = []
        self._source = source
        self._stored = stored
        self._result = Evaluation(MessageState.UNROUTED)
        self._raw_message: Message | None = None
        self._flags = 0
        self._again_id: int | None = None

    # --- the walk ------------------------------------------------------------------------------------------

    def run(self) -> Evaluation:
        """Walk."""
        refusal = self.prepare()
        if refusal is not None:
            return self._with_facts(refusal)
        self._search_keys()
        filtered: str | None = None
        unwanted: list[Route] = []
        for route in self._configuration.routes_of.get(self._source.name, ()):
            try:
                if route.when is not None and not route.when(self.context):
                    unwanted.append(route)
                    continue
                reason = self._route(route)
            except StepFailed as error:
                self._stop(route, error)
                continue
            except Asked as asked:
                self._questions += asked.questions
                continue
            except Rejected as rejected:
                return self._with_facts(self._reject(rejected))
            filtered = reason if reason is not None else filtered
        if self._questions:
            raise Asked(self._questions)
        return self._with_facts(self._ending(filtered, unwanted))

    def prepare(self) -> Evaluation | None:
        """Parse, look at the processing id, find the site; returns a decision when the walk ends here."""
        stored, source = self._stored, self._source
        site = self._configuration.sites.get(source.site)
        charset = source.charset or (site.charset if site is not None else "cp1252")
        self._message = message = open_message(stored.raw, stored.format, default_charset=charset, as_utf8=True)
        self._result.type = stored.type
        refusal = before_routes(source, stored, message)
        if refusal is None:
            if not message.delimiters.usual and message.format == "hl7v2":
                message.normalise_delimiters()
            self._result.site, refusal = site_of(source, message)
        name = self._site = self._result.site
        self._variant = variant_of(name, source.untyped) if name else ""
        self._recogniser = self._configuration.authorities.of(name, source.untyped)
        self.context = self._make_context(message)
        self._flags = flags_of(self.context.type, self.context.event)
        return refusal

    def again(self, route: Route, exit_: Exit, id_: int, wanted: tuple[int, int]) -> Delivery:
        """Run one route for one exit; see `render_again`."""
        self._again_id = id_
        context, part = self.context, None
        try:
            for steps in (route.steps, exit_.steps):
                done = run(context, steps.get(self._variant, ()), self._message)
                if isinstance(done, list):
                    part = chosen(done, wanted)
                    done = part.done()
                context = done
            if part is None and wanted[1] > 1:
                raise other_parts(1, wanted[1])
            touched = context is not self.context
            delivery = self._deliver(route, exit_, context, touched=touched, last=True, part=part)
        except StepFailed as error:
            delivery = self._dead(route, exit_, error, part)
        except Dropped as dropped:
            delivery = self._dead(route, exit_, StepFailed("E-DROPPED", dropped.reason), part)
        except Rejected as rejected:
            delivery = self._dead(route, exit_, StepFailed(REJECTED, rejected.reason), part)
        return delivery

    def _make_context(self, message: Message) -> Context:
        stored = self._stored
        type_, _, rest = stored.type.partition("^")
        event = rest.partition("^")[0]
        if type_ == "ADT" and not event:
            event = _EVENT_OF_EVN.first(message)[:3]  # HL7 2.1 to 2.2 left it there
        return Context(
            message, site=self._result.site, source=self._source.name, type=type_, event=event,
            format=message.format, control_id=stored.control_id,
            place=stored.place, received_ms=stored.received_ms, keys=self._configuration.key_readers,
            variant=self._variant, answers=self._answers, attachments=stored.attachments,
        )  # fmt: skip

    def _search_keys(self) -> None:
        stored, references = self._stored, self._references
        keys: dict[int, None] = {}
        if stored.control_id:
            keys[references.hash("control", "", stored.control_id)] = None
        for key in self._configuration.keys.values():
            if key.read is not None:
                authority = key_authority(key, self._recogniser, self._result.site)
                for value in key.read(self.context):
                    keys[references.hash(key.name, authority, value)] = None
        self._result.keys = list(keys)

    # --- routes --------------------------------------------------------------------------------------------

    def _route(self, route: Route) -> str | None:
        """
        Run a route that wants the message.

        Returns:
            Why it was filtered after all, or None.

        Raises:
            StepFailed: A step of the route itself failed.
            Rejected: A step rejects the message.
        """
        try:
            done = run(self.context, route.steps.get(self._variant, ()), self._message)
        except Dropped as dropped:
            return dropped.reason
        if isinstance(done, list):
            return self._route_parts(route, done)
        touched = done is not self.context
        if touched:
            self._note(done)
        return self._exits(route, done, touched=touched)

    def _route_parts(self, route: Route, parts: list[Part]) -> str | None:
        """Deliver the messages that the route's steps made of one; returns as `_route`."""
        before, reason = len(self._result.deliveries), ""
        for part in parts:
            if part.failure is not None:
                self._stop(route, part.failure, part)
            elif part.dropped is not None:
                reason = part.dropped
            else:
                self._note(part.context, part.noted)
                reason = self._exits(route, part.context, touched=True, part=part) or reason
        return reason if len(self._result.deliveries) == before else None

    def _exits(self, route: Route, context: Context, *, touched: bool, part: Part | None = None) -> str | None:
        """Deliver one message to the entries of `to:`; returns why none wants it, or None."""
        reason: str | None = "no entry of to: wants it"
        last = len(route.to) - 1
        for rank, exit_ in enumerate(route.to):
            try:
                if exit_.when is not None and not exit_.when(context):
                    continue
                self._exit(route, exit_, context, touched=touched, last=touched and rank == last, part=part)
            except StepFailed as error:
                self._result.deliveries.append(self._dead(route, exit_, error, part))
            except Asked as asked:
                self._questions += asked.questions
            except Dropped as dropped:
                reason = dropped.reason if reason is not None else None
                continue
            reason = None
        return reason

    def _exit(
        self, route: Route, exit_: Exit, context: Context, *, touched: bool, last: bool, part: Part | None
    ) -> None:
        """Run the steps of one exit, and make its delivery, or those of its parts."""
        own = context
        if exit_.steps:
            done = run(context, exit_.steps.get(self._variant, ()), self._message)
            if isinstance(done, list):
                self._exit_parts(route, exit_, done, context)
                return
            if done is not context:
                own, touched, last = done, True, True
                self._note(own, (len(context.findings), len(context.tags)))
        self._result.deliveries.append(self._deliver(route, exit_, own, touched=touched, last=last, part=part))

    def _exit_parts(self, route: Route, exit_: Exit, parts: list[Part], context: Context) -> None:
        before, dropped = len(self._result.deliveries), ""
        for part in parts:
            if part.dropped is not None:
                dropped = part.dropped
                continue
            delivery: Delivery
            try:
                known = max(part.noted, (len(context.findings), len(context.tags)))
                self._note(part.done(), known)
                delivery = self._deliver(route, exit_, part.context, touched=True, last=True, part=part)
            except StepFailed as error:
                delivery = self._dead(route, exit_, error, part)
            except Dropped as error:
                dropped = error.reason
                continue
            self._result.deliveries.append(delivery)
        if len(self._result.deliveries) == before:
            raise Dropped(dropped)

    def _deliver(
        self, route: Route, exit_: Exit, own: Context, *, touched: bool, last: bool, part: Part | None
    ) -> Delivery:
        """Make one delivery of a message as the steps left it."""
        destination = self._configuration.destinations[exit_.destination]
        received = part.received if part is not None else None
        lanes = self.lanes_of(exit_, destination, own if touched else None, received)
        if destination.encode.as_received and touched and own.body is None:
            own = self._as_received(route, exit_, own, part)
        elif not last and own.body is None and not destination.encode.as_received:
            own = own.fork(own.message.copy())  # encode sets MSH-10 and MSH-18 of a copy
        delivery = self._delivery(route, exit_, part)
        delivery.lanes = lanes
        encode(delivery, destination, own, self._stored, touched=touched, findings=self._result.findings)
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
        return delivery

    def _stop(self, route: Route, error: StepFailed, part: Part | None = None) -> None:
        for exit_ in route.to:
            self._result.deliveries.append(self._dead(route, exit_, error, part))

    # --- the ending ----------------------------------------------------------------------------------------

    def _ending(self, filtered: str | None, unwanted: list[Route]) -> Evaluation:
        result = self._result
        if not result.deliveries:
            for route in unwanted:
                if route.on_no_match == "dead_letter":
                    for exit_ in route.to:
                        reason = f"the condition of the route {route.name} doesn't hold, and no other route wanted it"
                        result.deliveries.append(self._dead(route, exit_, StepFailed(NO_MATCH, reason)))
        if len(result.deliveries) > DELIVERIES_MAX:
            result.deliveries.clear()
            result.state, result.code = MessageState.DEAD, "E-SPLIT"
            result.reason = f"the routes make more than {DELIVERIES_MAX} deliveries of it"
        elif result.deliveries:
            result.state = MessageState.ROUTED
            result.patients = self.received_patients() or self.lane_of_source()
            for delivery in result.deliveries:
                delivery.copies = len(result.deliveries)
        elif filtered is not None:
            result.state, result.code, result.reason = MessageState.FILTERED, "E-FILTERED", filtered
        else:
            by = next((route for route in unwanted if route.on_no_match == "filter"), None)
            if by is not None:
                result.state, result.code = MessageState.FILTERED, "E-FILTERED"
                result.reason = f"the condition of the route {by.name} doesn't hold"
            else:
                result.code, result.reason = "E-UNROUTED", "no route wanted it"
        return result

    def _reject(self, rejected: Rejected) -> Evaluation:
        """Take nothing: what other routes made of the message isn't delivered either."""
        result = self._result
        result.deliveries.clear()
        result.state, result.code, result.reason = MessageState.REJECTED, rejected.code, rejected.reason
        return result

    def _with_facts(self, result: Evaluation) -> Evaluation:
        """Give a decision what is known about the message whatever was decided."""
        known = self._result
        result.site, result.type = known.site, known.type
        result.findings = [*self._message.findings, *known.findings] if result is not known else known.findings
        if result is known:
            result.findings[:0] = self._message.findings
        result.charset_finding = next((one for one in self._message.findings if one.startswith("charset")), "")
        return result

    def _note(self, context: Context, known: tuple[int, int] = (0, 0)) -> None:
        """Keep what steps left on the trace; the first `known` findings and tags were told already."""
        skipped, tags = known
        self._result.findings.extend(context.findings[skipped:])
        self._result.findings.extend(f"tag:{word}" for word in context.tags[tags:])


_EVENT_OF_EVN: Final = Path.parse("EVN-1")
