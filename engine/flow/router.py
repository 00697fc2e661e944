"""
Router: one routing group's messages, in the order of their place, from custody to deliveries.

Takes the very objects of a commit when it has read up to them, otherwise pages through the store; marks
retransmissions; evaluates the routes (routes.evaluation, which is pure); commits the deliveries. Works in
short slices, so that acknowledgements and answers go on beside a backlog. After any failure of the store it
drops its memory and starts again from there, by the same path as after a crash.

Operators' intentions (retry, discard, restore) are executed here, one after the other, between two messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, Final

import structlog

from engine.core.asking import Answers, Asked, Sandbox
from engine.core.changes import Receipt, Reopen, Requeue, Route
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Arrival, Intention, StoredMessage, place_of
from engine.core.ports import Place, Received, Runtime, Store, Urgency
from engine.core.references import References
from engine.errors import ChangeRefused, StoreError, where
from engine.flow.acts import Acts, Refusal
from engine.flow.asking import Asking
from engine.flow.decisions import INTERNAL, decided, duplicate, faulty
from engine.flow.retransmissions import ARRIVALS_MAX, Original, Retransmissions
from engine.routes.configuration import Configuration
from engine.routes.decision import REJECTED, Evaluation
from engine.routes.evaluation import evaluate, render_again

_log = structlog.get_logger(__name__)

_SLICE_SECONDS: Final = 0.0005
_PAGE_MESSAGES: Final = 500
_PAGE_BYTES: Final = 4_000_000
_BUFFER_BYTES: Final = 16_000_000
_UNCOMMITTED_MAX: Final = 1_000
_EARLY_MAX: Final = 200
_RESTART_SECONDS: Final = 1.0


class Router:
    """One routing group's router."""

    def __init__(
        self,
        group: str,
        configuration: Configuration,
        store: Store,
        runtime: Runtime,
        references: References,
        *,
        groups: Iterable[str] = (),
        sandbox: Sandbox | None = None,
    ) -> None:
        """
        Prepare; `start` reads the store.

        Args:
            group: The routing group.
            configuration: Sites, sources and compiled routes.
            store: Where messages come from and deliveries go.
            runtime: Clock and tasks.
            references: Hashes lane keys and search keys.
            groups: All groups that have a router. The first of them also carries out what operators ask of messages
                whose group has none: their sources were removed.
            sandbox: Where code of the hospital's own runs; None: nowhere.
        """
        self.group = group
        self._groups = frozenset((group, *groups))
        self.configuration = configuration
        self._store = store
        self._runtime = runtime
        self._references = references
        self._asking = Asking(store, runtime, sandbox, self._routes_of)
        self._sources = [source for source in configuration.sources.values() if source.routing == group]
        self._buffer: deque[StoredMessage] = deque()
        self._early: list[Received] = []  # announced while a page is being read
        self._early_lost = False
        self._buffered_bytes = 0
        self._cursor: Place = 0
        self._behind = True
        self._reading = False
        self._waiting = False
        self._pumping = False
        self._started = False
        self._stopping = False
        self._paused = False
        self.decided: Place = 0
        """The last message that was decided on, in this run or before: what comes is behind it."""
        self._uncommitted = 0
        self._generation = 0
        self._memory = Retransmissions()
        self.counts: dict[str, int] = {}
        self.findings: dict[tuple[str, str], int] = {}
        store.on_received(group, self._received)
        self._acts = Acts(store, runtime, f"router {group}", self._carry_out)
        store.on_intentions("router", self._acts.add)

    async def start(self) -> None:
        """Remember recent arrivals, take up what was not routed, execute what operators asked meanwhile."""
        await self._restore()
        for intention in await self._store.intentions("router"):
            self._acts.add(intention)
        self._started = True
        self._wake()

    def stop(self) -> None:
        """Take no further message; what is committed is found at the next start."""
        self._stopping = True
        self._acts.stop()

    def pause(self) -> None:
        """Decide on nothing more until `resume`; what was decided may still be on its way to the disk (`under_way`)."""
        self._paused = True
        self._acts.pause()

    @property
    def under_way(self) -> bool:
        """Whether a decision or an operator's act isn't on disk yet."""
        return self._uncommitted > 0 or self._waiting or self._acts.under_way

    def know(self, groups: Iterable[str]) -> None:
        """Take the names of all groups that have a router."""
        self._groups = frozenset((self.group, *groups))

    def resume(self, configuration: Configuration) -> None:
        """Go on, between two messages, under this configuration."""
        self.configuration = configuration
        self._sources = [source for source in configuration.sources.values() if source.routing == self.group]
        self._paused = False
        self._acts.resume()
        self._wake()

    def facts(self) -> dict[str, Any]:
        """Return endings and findings since the start, for status."""
        return {
            "group": self.group,
            "cursor": self._cursor,
            "buffered": len(self._buffer),
            **self.counts,
            "findings": {f"{source}: {finding}": count for (source, finding), count in self.findings.items()},
        }

    # --- from the store

    def _received(self, batch: Received) -> None:
        if self._reading:
            if len(self._early) < _EARLY_MAX:
                self._early.append(batch)
            else:
                self._early_lost = True
        elif self._behind or not self._absorb(batch):
            self._behind = True  # these objects are dropped from memory and found by paging
        self._wake()

    def _absorb(self, batch: Received) -> bool:
        """Take a commit's objects if everything before them was read; tell whether they are covered."""
        if batch.before > self._cursor or self._buffered_bytes > _BUFFER_BYTES:
            return False
        if batch.high > self._cursor:
            fresh = [message for message in batch.messages if message.place > self._cursor]
            self._buffer.extend(fresh)
            self._buffered_bytes += sum(message.held_bytes for message in fresh)
            self._cursor = batch.high
        return True

    def _wake(self) -> None:
        if self._started and not self._pumping and not self._stopping and not self._paused:
            self._pumping = True
            self._store.meanwhile(self._pump)

    def _pump(self) -> None:
        """Route for at most one slice, then give the loop its turn."""
        self._pumping = False
        if not self._started or self._paused:
            return  # a failure, or a pause, came after this turn was asked for
        until = self._runtime.monotonic() + _SLICE_SECONDS
        buffer = self._buffer
        while buffer and self._uncommitted < _UNCOMMITTED_MAX and not self._waiting:
            message = buffer.popleft()
            self._buffered_bytes -= message.held_bytes
            self.decided = message.place
            self._route(message)
            if self._runtime.monotonic() > until:
                self._pumping = True
                self._runtime.call_soon(self._pump)
                return
        if not buffer and self._behind and not self._reading:
            self._reading = True
            self._runtime.spawn(self._read(), f"router {self.group} reads")

    async def _read(self) -> None:
        """Read one page; commits announced meanwhile are taken up when the page reached them."""
        generation = self._generation
        self._early.clear()
        self._early_lost = False
        try:
            page = await self._store.unrouted(self.group, self._cursor, _PAGE_MESSAGES, _PAGE_BYTES)
        except StoreError as error:
            self._reading = False
            self._failed(error)
            return
        self._reading = False
        if generation == self._generation:
            if not self.decided:
                self.decided = page.items[0].place - 1 if page.items else page.high
            self._buffer.extend(page.items)
            self._buffered_bytes += sum(message.held_bytes for message in page.items)
            self._cursor = max(self._cursor, page.high)
            self._behind = bool(page.items)  # there may be more, unless a later commit follows the page
            for batch in self._early:
                self._behind = not self._absorb(batch)
            self._behind = self._behind or self._early_lost
        self._early.clear()
        self._wake()

    # --- one message

    def _route(self, message: StoredMessage) -> None:
        source = self.configuration.sources.get(message.source)
        if source is not None:
            original = self._memory.original_of(message, source.dedupe * 1000)
            if original is not None:
                self._waiting = True
                self._runtime.spawn(self._compare(message, original), f"router {self.group} compares")
                return
        try:
            self._submit(self._evaluate(message))
        except Asked:
            self._waiting = True
            self._runtime.spawn(self._ask(message), f"router {self.group} asks")

    async def _ask(self, message: StoredMessage) -> None:
        """Decide on a message with replies of the hospital's own code; those behind wait."""
        generation = self._generation
        route = await self._asking.answered(lambda answers: self._evaluate(message, answers=answers))
        self._waiting = False
        if generation == self._generation:  # otherwise it is read again
            self._submit(route)
        self._wake()

    def _routes_of(self, file: str) -> list[str]:
        """Return the routes whose steps call a file of the hospital's own."""
        return [route.name for route in self.configuration.routes if file in route.calls]

    async def _compare(self, message: StoredMessage, original: Original) -> None:
        """
        Decide on what may be a retransmission; those behind wait.

        Its sender gets the answer that the first one got. With `ack: after_store` both get AA. With `after_route`
        a message that its sender was told to be in custody (AA, for want of time) and that a route then rejected is
        a dead letter of ours: the same again can't be refused. One that was refused (AE, AR) is its sender's, and is
        evaluated anew.
        """
        generation = self._generation
        try:
            fate = await self._store.fate(original.place)
        except StoreError as error:
            self._waiting = False
            self._failed(error)
            return
        told = fate is not None and fate.state is MessageState.DEAD and fate.code == REJECTED
        if original.is_repeated(fate):
            route = duplicate(message, original.place, self.configuration.hash)
        else:
            before = original.place if told else 0
            route = await self._asking.answered(lambda answers: self._evaluate(message, told=before, answers=answers))
        self._waiting = False
        if generation == self._generation:  # otherwise it is read again
            self._submit(route)
        self._wake()

    def _evaluate(
        self, message: StoredMessage, *, retried: bool = False, told: Place = 0, answers: Answers | None = None
    ) -> Route:
        """Run the routes; `told`: the same message before, which its sender was told to be in custody."""
        try:
            evaluation = evaluate(self.configuration, message, self._references, answers)
        except Asked:
            raise
        except Exception as error:
            return self._faulty(message, error)
        if evaluation.state is MessageState.REJECTED and told:
            return duplicate(message, told, self.configuration.hash)
        if evaluation.state is MessageState.REJECTED and (retried or self._was_answered(message)):
            evaluation.state, evaluation.code = MessageState.DEAD, REJECTED
            evaluation.reason = f"its sender was answered already when a route rejected it: {evaluation.reason}"
        for finding in evaluation.findings:
            key = (message.source, finding)
            self.findings[key] = self.findings.get(key, 0) + 1
        return self._decision(message, evaluation)

    def _decision(self, message: StoredMessage, evaluation: Evaluation) -> Route:
        """Make the change, and remember the message; a rejected one isn't ours: its sender may repeat it."""
        deliveries = evaluation.deliveries
        if len(deliveries) == 1:
            lanes: Collection[int] = deliveries[0].lanes
        else:
            lanes = {lane for delivery in deliveries for lane in delivery.lanes}
        if evaluation.state is not MessageState.REJECTED:
            live = any(delivery.state is DeliveryState.PENDING for delivery in deliveries)
            name = message.control_id or message.name
            between = frozenset((*lanes, *evaluation.patients))
            arrival = Arrival(message.place, name, message.digest, message.received_ms, between, live)
            self._memory.remember(message.source, arrival)
        return decided(message, evaluation, lanes, self.configuration.hash)

    def _was_answered(self, message: StoredMessage) -> bool:
        """
        Tell whether a sender that waits for the routes may have been told `AA` because its time was over.

        Half of `answer_within` is left for the commit: after it, a rejected message would be lost to both sides.
        """
        source = self.configuration.sources[message.source]
        if source.ack != "after_route":
            return True
        return self._runtime.now_ms() - message.received_ms > source.answer_within * 500

    def _faulty(self, message: StoredMessage, error: Exception) -> Route:
        """Make a message dead on which our own code fails; the place is told, never the exception's text."""
        place = where(error)
        _log.error("internal fault", place=message.place, source=message.source, where=place)
        return faulty(message, place, self.configuration.hash)

    def _submit(self, route: Route) -> None:
        name = route.state.name.lower()
        self.counts[name] = self.counts.get(name, 0) + 1
        self._uncommitted += 1
        self._store.submit(route, Urgency.SOON, partial(self._committed, route))

    def _committed(self, route: Route, result: Receipt | StoreError) -> None:
        self._uncommitted -= 1
        if isinstance(result, ChangeRefused):
            self._refused(route, result)
        elif not isinstance(result, Receipt):
            self._failed(result)
        if self._buffer:
            self._wake()

    def _refused(self, route: Route, refused: ChangeRefused) -> None:
        """
        Make one message dead whose decision breaks a rule of the store: it would break it again for ever.

        When that is refused too the message isn't waiting any more: it was decided on, or pruned.
        """
        name = route.state.name.lower()
        self.counts[name] -= 1
        self._memory.forget(route.source, route.place)
        _log.error("decision refused by the store", place=route.place, source=route.source, reason=str(refused))
        if route.code != INTERNAL:
            self._submit(faulty(route, str(refused), self.configuration.hash))

    def _failed(self, error: StoreError) -> None:
        """Drop everything and start again from the store."""
        self._generation += 1
        self._early.clear()
        self._buffer.clear()
        self._buffered_bytes = 0
        self._behind = True
        if not self._started or self._stopping:
            return
        _log.error("router starts again from the store", group=self.group, reason=str(error))
        self._started = False
        self._runtime.call_later(_RESTART_SECONDS, self._start_again)

    def _start_again(self) -> None:
        self._runtime.spawn(self._restart(), f"router {self.group} restarts")

    async def _restart(self) -> None:
        if self._uncommitted:  # their outcome is still to come: reading now would route them twice
            self._runtime.call_later(_RESTART_SECONDS, self._start_again)
            return
        self._cursor = 0
        self._behind = True
        try:
            await self._restore()
        except StoreError as error:
            _log.error("router can't read the store", group=self.group, reason=str(error))
            self._runtime.call_later(_RESTART_SECONDS, self._start_again)
            return
        self._started = True
        self._wake()

    async def _restore(self) -> None:
        self._memory = Retransmissions()
        now = self._runtime.now_ms()
        recent: list[tuple[str, Arrival]] = []
        for source in self._sources:
            since = now - int(source.dedupe * 1000)
            recent += [(source.name, arrival) for arrival in await self._store.recent(source.name, since, ARRIVALS_MAX)]
        self._memory.restore(recent)

    # --- operators

    async def _carry_out(self, intention: Intention) -> None:
        delivery, place = intention.arguments.get("delivery"), intention.arguments.get("message")
        if intention.verb == "retry" and isinstance(delivery, int):
            await self._retry_delivery(intention, delivery)
        elif intention.verb in _MESSAGE_VERBS and isinstance(place, int):
            await self._change_message(intention, place)
        else:
            raise Refusal(f"the router knows no {intention.verb} of this")

    def _answers_for(self, group: str) -> bool:
        return group == self.group or (group not in self._groups and self.group == min(self._groups))

    async def _retry_delivery(self, intention: Intention, delivery_id: int) -> None:
        row = await self._store.delivery(delivery_id)
        if row is None or row.state is not DeliveryState.DEAD:
            raise Refusal("this delivery is not dead: somebody treated it meanwhile")
        message = await self._store.message(place_of(delivery_id))
        if message is None:
            raise Refusal("the message's bytes were pruned: it can't be sent again")
        if not self._answers_for(message.group):
            return  # another group's router executes it
        again = await self._asking.answered(
            lambda answers: render_again(
                self.configuration,
                message,
                self._references,
                row.route,
                row.destination,
                delivery_id,
                row.part,
                answers,
            )
        )
        if again.state is not DeliveryState.PENDING:
            raise Refusal(" ".join(filter(None, ("it would die again:", again.code, again.field, again.reason))))
        await self._acts.fulfil(intention, "goes back to its place", [Requeue(again, rendered_again=True)])

    async def _change_message(self, intention: Intention, place: int) -> None:
        message = await self._store.message(place)
        if message is None:
            raise Refusal("this message never existed, or was pruned")
        if not self._answers_for(message.group):
            return
        allowed, state, outcome = _MESSAGE_VERBS[intention.verb]
        if message.state not in allowed:
            raise Refusal(f"the message is {message.state.name.lower()}: {intention.verb} doesn't apply")
        await self._acts.fulfil(intention, outcome, [Reopen(place, message.group, message.state, state)])
        # a router that isn't started, or starts again, finds it in the store
        if intention.verb == "retry" and self._started:
            message.state = MessageState.RECEIVED
            generation = self._generation
            route = await self._asking.answered(lambda answers: self._evaluate(message, retried=True, answers=answers))
            if generation == self._generation:
                self._submit(route)


_MESSAGE_VERBS: Final = {
    "retry": (
        frozenset({MessageState.DEAD, MessageState.FILTERED, MessageState.UNROUTED}),
        MessageState.RECEIVED,
        "goes through the routes again",
    ),
    "discard": (frozenset({MessageState.DEAD}), MessageState.DISCARDED, "discarded; restore brings it back"),
    "restore": (frozenset({MessageState.DISCARDED}), MessageState.DEAD, "dead again"),
}
