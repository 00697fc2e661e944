"""
One message to its deliveries: the router's decision. Pure: no clock, no chance, no store.

Walk: parse, processing id, site, keys, then each route of the source in the order of the file. A step that
fails stops its route for this message (under one entry of `to:`, that entry only); each stopped destination
gets a dead delivery without bytes, which takes its place in the lane of the message as received.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryKind, StoredMessage, delivery_id
from engine.core.references import References
from engine.errors import OperationRefused, ParseError, StepFailed
from engine.identity.events import flags_of
from engine.identity.patients import Reference, patient_fields, patient_references
from engine.parsers import open_message
from engine.parsers.hl7v2.batch import split_batch
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.routes.configuration import Configuration, Destination, Exit, Order, Route, Source, variant_of
from engine.routes.encoding import encode
from engine.routes.searching import key_authority
from engine.transforms.step import Context, Dropped, Rejected, Step

PROCESSING: Final = "E-PROCESSING"
SITE_UNKNOWN: Final = "E-SITE-UNKNOWN"
NO_MATCH: Final = "E-NO-MATCH"
SEVERAL: Final = "E-SEVERAL-MESSAGES"
REJECTED: Final = "E-REJECTED"
"""A route rejects a message whose sender was answered already: a dead letter."""


class Evaluation:
    """What the router decided on one message; `core.changes.Route` is made of it."""

    __slots__ = (
        "charset_finding",
        "code",
        "deliveries",
        "field",
        "findings",
        "keys",
        "patients",
        "reason",
        "site",
        "state",
        "type",
    )

    def __init__(self, state: MessageState, *, code: str = "", field: str = "", reason: str = "") -> None:
        self.state = state
        self.code = code
        self.field = field
        self.reason = reason
        """A sentence without any value of the message."""
        self.site = ""
        self.type = ""
        """`ADT^A01`, or the HPRIM context."""
        self.deliveries: list[Delivery] = []
        """In order of id; empty unless the state is ROUTED."""
        self.keys: list[int] = []
        """Search keys, hashed."""
        self.patients: tuple[int, ...] = ()
        """Hashed references of the patients, as of lanes, whatever `order_by` says; set when it is routed."""
        self.findings: list[str] = []
        """Short codes of what is odd (parsers, steps); `tag:word` for tags."""
        self.charset_finding = ""
        """`charset-mismatch`…: counted per source, shown in its status."""


def evaluate(configuration: Configuration, stored: StoredMessage, references: References) -> Evaluation:
    """
    Decide on one message.

    Args:
        configuration: As loaded.
        stored: The message, with its place.
        references: Hashes identifiers with the data directory's key.

    Returns:
        The decision. REJECTED comes with the code of table 0008 for the sender, `AE` or `AR`.

    An error of our own is raised as it is: the router makes the message dead with E-INTERNAL, and logs where.
    """
    source = configuration.sources.get(stored.source)
    if source is None:
        return Evaluation(MessageState.DEAD, code="E-SOURCE", reason="the configuration has no such source any more")
    try:
        return _Walk(configuration, source, stored, references).run()
    except ParseError as error:
        return Evaluation(MessageState.DEAD, code="E-PARSE", field=error.location, reason=error.reason)


def render_again(
    configuration: Configuration,
    stored: StoredMessage,
    references: References,
    route_name: str,
    destination: str,
    id_: int,
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

    Returns:
        The delivery, ready to send, or dead without bytes when a step fails again.

    Raises:
        OperationRefused: Route, destination or source are no more, the site isn't known, the message can't
            be read.
    """
    source = configuration.sources.get(stored.source)
    route = next((one for one in configuration.routes if one.name == route_name), None)
    exit_ = next((one for one in route.to if one.destination == destination), None) if route is not None else None
    if source is None or route is None or exit_ is None:
        raise OperationRefused(
            f"the configuration has no route {route_name} from {stored.source} to {destination} any more; "
            "discard the delivery, or retry its message"
        )
    walk = _Walk(configuration, source, stored, references)
    try:
        refusal = walk.prepare()
    except ParseError as error:
        raise OperationRefused(f"the message can't be read: {error}") from None
    if refusal is not None:
        raise OperationRefused(f"the message can't be routed: {refusal.reason}")
    return walk.again(route, exit_, id_)


class _Walk:
    """One message under one configuration."""

    __slots__ = (
        "_again_id", "_configuration", "_event", "_fields", "_flags", "_lanes", "_message", "_patients", "_raw_message",
        "_received", "_recogniser", "_references", "_result", "_source", "_stored", "_touched", "_variant", "context",
    )  # fmt: skip

    def __init__(
        self, configuration: Configuration, source: Source, stored: StoredMessage, references: References
    ) -> None:
        self._configuration = configuration
        self._source = source
        self._stored = stored
        self._references = references
        self._result = Evaluation(MessageState.UNROUTED)
        self._lanes: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}
        self._received: tuple[int, ...] | None = None
        self._fields: list[bytes] = []
        self._patients: list[Reference] = []
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
            except Rejected as rejected:
                return self._with_facts(self._reject(rejected))
            filtered = reason if reason is not None else filtered
        return self._with_facts(self._ending(filtered, unwanted))

    def prepare(self) -> Evaluation | None:
        """Parse, look at the processing id, find the site; returns a decision when the walk ends here."""
        stored, source = self._stored, self._source
        site = self._configuration.sites.get(source.site)
        charset = source.charset or (site.charset if site is not None else "cp1252")
        self._message = message = open_message(stored.raw, stored.format, default_charset=charset, as_utf8=True)
        self._result.type = stored.type
        refusal = self._several(message) or self._processing(message)
        if refusal is None:
            if not message.delimiters.usual and message.format == "hl7v2":
                message.normalise_delimiters()
            refusal = self._find_site(message)
        name = self._result.site
        self._variant = variant_of(name, source.untyped) if name else ""
        self._recogniser = self._configuration.authorities.of(name, source.untyped)
        self.context = self._make_context(message)
        self._flags = flags_of(self.context.type, self.context.event)
        return refusal

    def again(self, route: Route, exit_: Exit, id_: int) -> Delivery:
        """Run one route for one exit; see `render_again`."""
        self._again_id = id_
        try:
            context = self._run_steps(self.context, route.steps)
            delivery = self._exit(route, exit_, context, touched=context is not self.context, last=True)
        except StepFailed as error:
            delivery = self._dead(route, exit_, error.code, error.field, error.reason)
        except Dropped as dropped:
            delivery = self._dead(route, exit_, "E-DROPPED", "", dropped.reason)
        except Rejected as rejected:
            delivery = self._dead(route, exit_, REJECTED, "", rejected.reason)
        delivery.id = id_
        return delivery

    def _several(self, message: Message) -> Evaluation | None:
        """Stop a block with several messages: its routes would read the first patient, and send all under it."""
        if message.format != "hl7v2" or len(message.positions(b"MSH")) < 2:
            return None
        count = len(split_batch(self._stored.raw).messages)
        if count < 2:
            return None
        reason = f"{count} messages came in one block: write batch: split at the source, then send the block again"
        return Evaluation(MessageState.DEAD, code=SEVERAL, reason=reason)

    def _processing(self, message: Message) -> Evaluation | None:
        path = _MSH_PROCESSING if message.format == "hl7v2" else _H_PROCESSING
        value = path.first(message) or "P"
        if value in self._source.processing:
            return None
        reason = "a message for tests or training (MSH-11): the source doesn't take it to the routes"
        return Evaluation(MessageState.FILTERED, code=PROCESSING, field=path.text, reason=reason)

    def _find_site(self, message: Message) -> Evaluation | None:
        source = self._source
        if source.site_from is None:
            self._result.site = source.site
            return None
        table = source.site_from.table
        for path in source.site_from.paths:
            for value in path.read(message):
                site = table.get(value)
                if site is not None:
                    self._result.site = site
                    return None
        paths = ", ".join(path.text for path in source.site_from.paths)
        return Evaluation(
            MessageState.DEAD, code=SITE_UNKNOWN, field=source.site_from.paths[0].text,
            reason=f"none of {paths} names a site of {source.site_from.table_name}",
        )  # fmt: skip

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
            variant=self._variant,
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
            context = self._run_steps(self.context, route.steps)
        except Dropped as dropped:
            return dropped.reason
        touched = context is not self.context
        if touched:
            self._note(context)
        reason: str | None = "no entry of to: wants it"
        last = len(route.to) - 1
        for rank, exit_ in enumerate(route.to):
            try:
                if exit_.when is not None and not exit_.when(context):
                    continue
                delivery = self._exit(route, exit_, context, touched=touched, last=touched and rank == last)
            except StepFailed as error:
                delivery = self._dead(route, exit_, error.code, error.field, error.reason)
            except Dropped as dropped:
                reason = dropped.reason if reason is not None else None
                continue
            self._result.deliveries.append(delivery)
            reason = None
        return reason

    def _run_steps(self, context: Context, steps: dict[str, tuple[Step, ...]] | object) -> Context:
        """Run the steps for this message's variant on a copy; the same context when there are none."""
        todo: Sequence[Step] = steps.get(self._variant, ()) if isinstance(steps, dict) else ()
        if not todo:
            return context
        copy = context.fork(context.message.copy())
        for step in todo:
            step.apply(copy)
        return copy

    def _exit(self, route: Route, exit_: Exit, context: Context, *, touched: bool, last: bool) -> Delivery:
        """Make the delivery of one exit."""
        destination = self._configuration.destinations[exit_.destination]
        own = self._run_steps(context, exit_.steps)
        if own is not context:
            touched = True
            self._note(own, context)
        lanes = self._lanes_of(exit_, destination, own if touched else None)
        if destination.encode.as_received and touched and own.body is None:
            own = self._as_received(route, exit_, own)
        elif own is context and not last and own.body is None and not destination.encode.as_received:
            own = context.fork(context.message.copy())  # encode sets MSH-10 and MSH-18 of a copy
        delivery = self._delivery(route, exit_)
        delivery.lanes = lanes
        finding = encode(delivery, destination, own, self._stored, touched=touched)
        if finding:
            self._result.findings.append(finding)
        return delivery

    def _as_received(self, route: Route, exit_: Exit, done: Context) -> Context:
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
            for step in steps.get(self._variant, ()):
                step.apply(context)
        return context

    def _delivery(self, route: Route, exit_: Exit) -> Delivery:
        ordinal = len(self._result.deliveries)
        return Delivery(
            self._again_id if self._again_id is not None else delivery_id(self._stored.place, ordinal),
            exit_.destination, route.name, type=self._stored.type, flags=self._flags, config=self._configuration.hash,
        )  # fmt: skip

    def _dead(self, route: Route, exit_: Exit, code: str, field: str, reason: str) -> Delivery:
        """Make the dead delivery without bytes of one exit."""
        destination = self._configuration.destinations[exit_.destination]
        delivery = self._delivery(route, exit_)
        delivery.kind = DeliveryKind.BODILESS
        delivery.state = DeliveryState.DEAD
        delivery.queued = (exit_.dead_letter or destination.dead_letter).lane != "pass"
        delivery.code, delivery.field, delivery.reason = code, field, reason
        delivery.lanes = self._lanes_of(exit_, destination, None)
        return delivery

    def _stop(self, route: Route, error: StepFailed) -> None:
        for exit_ in route.to:
            self._result.deliveries.append(self._dead(route, exit_, error.code, error.field, error.reason))

    # --- lanes ---------------------------------------------------------------------------------------------

    def _lanes_of(self, exit_: Exit, destination: Destination, after: Context | None) -> tuple[int, ...]:
        """Return the lane keys: of the message as received, and of it after the steps."""
        order = exit_.order or destination.order
        if order.by == "none":
            return ()
        if order.by == "all":
            return (self._references.hash("all", "", ""),)
        if order.by == "patient":
            return self._patient_lanes(after)
        return self._key_lanes(order, after)

    def _received_patients(self) -> tuple[int, ...]:
        if self._received is None:
            self._fields = patient_fields(self._message)
            self._patients = patient_references(self._message, self._recogniser, self._fields)
            self._received = self._hashes(self._patients)
        return self._received

    def _patient_lanes(self, after: Context | None) -> tuple[int, ...]:
        lanes = self._received_patients()
        if after is not None:
            fields = patient_fields(after.message)
            if fields != self._fields:
                patients = patient_references(after.message, self._recogniser, fields)
                if patients != self._patients:  # to complete CX-4 and CX-5 rewrites the field, not the reference
                    lanes = tuple(dict.fromkeys((*lanes, *self._hashes(patients))))
        return lanes or self._lane_of_source()

    def _hashes(self, patients: list[Reference]) -> tuple[int, ...]:
        make = self._references.hash
        return tuple([make("patient", key, value) for key, value in patients])

    def _key_lanes(self, order: Order, after: Context | None) -> tuple[int, ...]:
        lanes: dict[int, None] = {}
        for name in order.keys:
            key = self._configuration.keys[name]
            authority = key_authority(key, self._recogniser, self._result.site)
            for context in (self.context, after):
                if context is not None and key.read is not None:
                    for value in key.read(context):
                        lanes[self._references.hash(name, authority, value)] = None
        return tuple(lanes) or self._lane_of_source()

    def _lane_of_source(self) -> tuple[int, ...]:
        return (self._references.hash("source", "", self._source.name),)

    # --- the ending ----------------------------------------------------------------------------------------

    def _ending(self, filtered: str | None, unwanted: list[Route]) -> Evaluation:
        result = self._result
        if not result.deliveries:
            for route in unwanted:
                if route.on_no_match == "dead_letter":
                    for exit_ in route.to:
                        reason = f"the condition of the route {route.name} doesn't hold, and no other route wanted it"
                        result.deliveries.append(self._dead(route, exit_, NO_MATCH, "", reason))
        if result.deliveries:
            result.state = MessageState.ROUTED
            result.patients = self._received_patients() or self._lane_of_source()
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

    def _note(self, context: Context, before: Context | None = None) -> None:
        """Keep what steps left on the trace."""
        skipped, tags = (len(before.findings), len(before.tags)) if before is not None else (0, 0)
        self._result.findings.extend(context.findings[skipped:])
        self._result.findings.extend(f"tag:{word}" for word in context.tags[tags:])


_MSH_PROCESSING: Final = Path.parse("MSH-11.1")
_H_PROCESSING: Final = Path.parse("H-11")
_EVENT_OF_EVN: Final = Path.parse("EVN-1")
