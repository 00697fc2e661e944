"""
One message to its deliveries: the router's decision. Pure: no clock, no chance, no store.

Walk: parse, processing id, site, keys, then each route of the source in the order of the file. A step that
fails stops its route for this message (under one entry of `to:`, that entry only); each stopped destination
gets a dead delivery without bytes, which takes its place in the lane of the message as received.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.core.asking import Answers, Asked, Question
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import (
    DELIVERIES_MAX,
    Delivery,
    StoredMessage,
)
from engine.core.own_ids import Former
from engine.core.references import References
from engine.errors import OperationRefused, ParseError, StepFailed
from engine.identity.claimed import Claims
from engine.identity.events import flags_of
from engine.parsers import open_message
from engine.parsers.hl7v2.message import Message
from engine.parsers.paths import Path
from engine.routes.configuration import Configuration, Exit, Route, Source, variant_of
from engine.routes.decision import NO_MATCH, REJECTED, Evaluation
from engine.routes.deriving import derived, is_named
from engine.routes.identifying import Identified, Knowledge
from engine.routes.making import Making
from engine.routes.multiplying import Part, chosen, other_parts, run
from engine.routes.stopping import before_routes, site_of
from engine.transforms.identifying import SentElsewhere, Waits
from engine.transforms.step import Context, Dropped, Rejected


def evaluate(
    configuration: Configuration, stored: StoredMessage, references: References, answers: Answers | None = None,
    knowledge: Knowledge | None = None, at_ms: int = 0,
) -> Evaluation:  # fmt: skip
    """
    Decide on one message.

    Args:
        configuration: As loaded.
        stored: The message, with its place.
        references: Hashes identifiers with the data directory's key.
        answers: Replies of the hospital's own code, where it was asked.
        knowledge: What is known of patients, where the configuration has a section `identity`; what is decided is
            laid over its view. None: nobody is known.
        at_ms: When: it stands in the ids under which deliveries leave (core.own_ids). 0: on trial.

    Returns:
        The decision. REJECTED comes with the code of table 0008 for the sender, `AE` or `AR`.

    Raises:
        Asked: A step needs replies: evaluate again with them.
        Unread: Rows of the cross-reference are needed: read them, and evaluate again.

    An error of our own is raised as it is: the router makes the message dead with E-INTERNAL, and logs where. Whatever
    is raised, nothing is left over the view.
    """
    source = configuration.sources.get(stored.source)
    if source is None:
        return Evaluation(MessageState.DEAD, code="E-SOURCE", reason="the configuration has no such source any more")
    walk = _Walk(configuration, source, stored, references, answers, knowledge)
    walk.at(at_ms)
    try:
        return walk.run()
    except ParseError as error:
        walk.take_back()
        return Evaluation(MessageState.DEAD, code="E-PARSE", field=error.location, reason=error.reason)
    except BaseException:
        walk.take_back()
        raise


def look_ahead(
    configuration: Configuration, stored: StoredMessage, references: References, knowledge: Knowledge
) -> Claims | None:
    """
    Return what a message says of its patients before any step: for what its evaluation will ask.

    Returns:
        None: its walk ends before the routes, or it can't be read.
    """
    source = configuration.sources.get(stored.source)
    if source is None:
        return None
    walk = _Walk(configuration, source, stored, references, None, knowledge)
    try:
        refusal = walk.prepare()
    except ParseError:
        return None
    return None if refusal is not None or walk.identified is None else walk.identified.claims(walk.context)


def render_again(
    configuration: Configuration, stored: StoredMessage, references: References, route_name: str, destination: str,
    id_: int, part: tuple[int, int] = (0, 0), answers: Answers | None = None, knowledge: Knowledge | None = None,
    at_ms: int = 0, former: Former | None = None,
) -> Delivery:  # fmt: skip
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
        knowledge: As for `evaluate`; what is decided stands in its `identified`. A retry doesn't wait.
        at_ms: As for `evaluate`.
        former: What it was; it keeps its id only where it is made of the same bytes.

    Returns:
        The delivery, ready to send, or dead without bytes when a step fails again.

    Raises:
        OperationRefused: Route, destination or source are no more, the site isn't known, the message can't
            be read, or the route makes another number of messages of it today.
        Asked, Unread: As `evaluate`.
    """
    source = configuration.sources.get(stored.source)
    route = next((one for one in configuration.routes if one.name == route_name), None)
    exit_ = None if route is None else route.exit_to(destination)
    if source is None or route is None or exit_ is None:
        raise OperationRefused(
            f"the configuration has no route {route_name} from {stored.source} to {destination} any more; "
            "discard the delivery, or retry its message"
        )
    alone = replace(stored, alone=True)  # what has a delivery waits for no other part any more
    walk = _Walk(configuration, source, alone, references, answers, knowledge)
    walk.at(at_ms, former)
    try:
        refusal = walk.prepare()
        if refusal is not None:
            raise OperationRefused(f"the message can't be routed: {refusal.reason}")
        return walk.again(route, exit_, id_, part)
    except ParseError as error:
        walk.take_back()
        raise OperationRefused(f"the message can't be read: {error}") from None
    except BaseException:
        walk.take_back()
        raise


class _Walk(Making):
    """One message under one configuration."""

    __slots__ = (
        "_answers", "_begun", "_questions",
    )  # fmt: skip

    def __init__(
        self,
        configuration: Configuration,
        source: Source,
        stored: StoredMessage,
        references: References,
        answers: Answers | None,
        knowledge: Knowledge | None,
    ) -> None:
        super().__init__(configuration, references, source, stored, knowledge)
        self._answers = answers
        self._questions: list[Question] = []
        self._result = Evaluation(MessageState.UNROUTED)
        self._raw_message = None
        self._flags = 0
        self._again_id = None
        self._at_ms = 0
        self._former = None
        self._deriving = False
        self._begun = 0
        """How many deliveries there were when the route at hand began."""

    # --- the walk ------------------------------------------------------------------------------------------

    def at(self, at_ms: int, former: Former | None = None) -> None:
        """Say when deliveries are made, and what one was before."""
        self._at_ms, self._former = at_ms, former

    def run(self) -> Evaluation:
        """Walk."""
        refusal = self.prepare()
        if refusal is not None:
            return self._with_facts(refusal)
        self._result.keys = self.search_keys()
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
            except Waits as waits:
                return self._with_facts(self._wait(waits))
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
        self.identify()
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
        except SentElsewhere as elsewhere:
            delivery = self._again_elsewhere(route, exit_, elsewhere.destination)
        if self.identified is not None and delivery.state is not DeliveryState.PENDING:
            self.identified.take_back()
        return delivery

    def _again_elsewhere(self, route: Route, exit_: Exit, destination: str) -> Delivery:
        if exit_.destination == destination:
            return self._deliver(route, exit_, self.context, touched=False, last=False, part=None)
        reason = f"nobody knows its patient: it goes to {destination} instead"
        return self._dead(route, exit_, StepFailed("E-ID-ELSEWHERE", reason))

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
            variant=self._variant, answers=self._answers, attachments=stored.attachments, identities=self.identified,
        )  # fmt: skip

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
        self._begun = len(self._result.deliveries)
        try:
            done = run(self.context, route.steps.get(self._variant, ()), self._message)
            if isinstance(done, list):
                return self._route_parts(route, done)
            touched = done is not self.context
            if touched:
                self._note(done)
            return self._exits(route, done, touched=touched)
        except Dropped as dropped:
            return dropped.reason
        except SentElsewhere as elsewhere:
            self._send_elsewhere(route, elsewhere.destination)
            return None

    def _send_elsewhere(self, route: Route, destination: str) -> None:
        """Deliver the message as it came to one destination, in place of those of the route."""
        del self._result.deliveries[self._begun :]
        delivery = self._deliver(
            route, Exit(destination=destination), self.context, touched=False, last=False, part=None
        )
        self._result.deliveries.append(delivery)

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
        open_ = route.to_of(self._site)
        last = len(open_) - 1
        merges = self._merges(context)
        for rank, exit_ in enumerate(open_):
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
        for merge in merges:
            self._deriving = True
            self._exits(route, merge, touched=True)
            self._deriving = False
        return reason

    def _merges(self, context: Context) -> list[Context]:
        """Return the merges that follow from what the message decided, where it leaves under the group's numbers."""
        identified = self.identified
        if identified is None or self._deriving:
            return []
        return [
            derived(context, ended, living, identified.group, rank)
            for rank, (ended, living) in enumerate(identified.emits, 1)
            if is_named(context, living)
        ]

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

    # --- the ending ----------------------------------------------------------------------------------------

    def _ending(self, filtered: str | None, unwanted: list[Route]) -> Evaluation:
        result = self._result
        if not result.deliveries:
            for route in unwanted:
                if route.on_no_match == "dead_letter":
                    for exit_ in route.to_of(self._site):
                        reason = f"the condition of the route {route.name} doesn't hold, and no other route wanted it"
                        result.deliveries.append(self._dead(route, exit_, StepFailed(NO_MATCH, reason)))
        if len(result.deliveries) > DELIVERIES_MAX:
            self.take_back()
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
        if self.identified is not None:
            self._settle(self.identified)
        return result

    def _settle(self, identified: Identified) -> None:
        """Keep what was decided, unless nothing of the message goes on: what dies decides nothing."""
        result = self._result
        lives = any(one.state is DeliveryState.PENDING for one in result.deliveries)
        if not lives and result.state is not MessageState.FILTERED:
            identified.take_back(keep_conflicts=result.state is MessageState.ROUTED)
        result.keys.extend(identified.keys)
        events = identified.events
        if events:
            result.identity, result.releases = events, identified.releases
            result.changed = tuple(identified.changed)

    def _wait(self, waits: Waits) -> Evaluation:
        """Let the message wait as a whole: nothing of it leaves, and nothing is decided."""
        result = self._result
        self.take_back()
        result.deliveries.clear()
        result.state, result.code, result.reason, result.wait = (
            MessageState.WAITING,
            "E-ID-WAITING",
            waits.reason,
            waits.wait,
        )
        result.patients = self.received_patients() or self.lane_of_source()
        return result

    def _reject(self, rejected: Rejected) -> Evaluation:
        """Take nothing: what other routes made of the message isn't delivered either."""
        result = self._result
        self.take_back()
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
