"""
Router: one routing group's messages, in the order of their place, from custody to deliveries.

Takes the very objects of a commit when it has read up to them, otherwise pages through the store; marks
retransmissions; evaluates the routes (routes.evaluation, which is pure); commits the deliveries. Works in
short slices, so that acknowledgements and answers go on beside a backlog. After any failure of the store it
drops its memory and starts again from there, by the same path as after a crash.

Operators' intentions (retry, discard, restore) are executed here, one after the other, between two messages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any, Final, TypeVar

import structlog

from engine.core.asking import Answers, Asked, Sandbox
from engine.core.changes import Route
from engine.core.lifecycle import MessageState
from engine.core.messages import StoredMessage
from engine.core.ports import Place, Received, Runtime, Store
from engine.core.references import References
from engine.errors import StoreError
from engine.flow.acts import Acts
from engine.flow.asking import Asking
from engine.flow.backlog import Backlog
from engine.flow.decisions import duplicate
from engine.flow.evaluating import Evaluating, Turn
from engine.flow.identities import Identities
from engine.flow.joining import IsFragment, Joining
from engine.flow.late import Behind, Late
from engine.flow.remaking import Remaking
from engine.flow.retransmissions import Original, Retransmissions
from engine.flow.submitting import Submitting
from engine.flow.treating import Treating
from engine.identity.crossreference import Unread
from engine.routes.configuration import Configuration
from engine.routes.decision import REJECTED

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)

_SLICE_SECONDS: Final = 0.0005
_AHEAD_MAX: Final = 64
"""Messages that are read ahead in one go: the loop does nothing else meanwhile."""
_ROUNDS_MAX: Final = 1_000
_RESTART_SECONDS: Final = 1.0
_UNDECIDED: Final = frozenset({MessageState.RECEIVED, MessageState.WAITING})
_AS_IT_COMES: Final = Turn()
_CATCHING_UP: Final = Turn(wide=True)


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
        identities: Identities | None = None,
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
            identities: What is known of patients, shared by all routers; None: this one is alone.
        """
        self.group = group
        self._groups = frozenset((group, *groups))
        self.configuration = configuration
        self.store = self._store = store
        self.runtime = self._runtime = runtime
        self.references = self._references = references
        self.identities = identities or Identities(store, runtime)
        self.identities.join(self)
        self.late = Late(store, self.answers_for)
        self._catching_up = True
        """The backlog of a start is being read: it may hold messages that waited, or were decided on before."""
        self._asking = Asking(store, runtime, sandbox, self._routes_of)
        self._sources = [source for source in configuration.sources.values() if source.routing == group]
        self._backlog = Backlog(group, store)
        self._waiting = False
        """For a message on which something must be asked or read first, those behind it wait."""
        self._late_next = False  # whose turn is next: a late message's, or one's that came
        self._pumping = self._started = self._stopping = self._paused = False
        self.decided: Place = 0
        """The last place on which was decided, in this run or before: what comes is behind it. It never goes back."""
        self._now = self._queued = 0  # the message that is decided on; at the start, the last with a queued delivery
        self._generation = 0
        self._memory = Retransmissions()
        self.evaluating = Evaluating(self, self._memory)
        self.joining = Joining(self, self._backlog.ahead)
        self.submitting = Submitting(self, self._memory)
        store.on_received(group, self._received)
        remaking = Remaking(self)
        self.remake, self.give_up = remaking.remake, remaking.give_up
        self.treating = Treating(self)
        self.acts = Acts(store, runtime, f"router {group}", self.treating.carry_out)
        store.on_intentions("router", self.acts.add)

    async def start(self) -> None:
        """Remember recent arrivals, take up what was not routed, execute what operators asked meanwhile."""
        await self.identities.start()
        await self._memory.read(self._store, self._sources, self._runtime.now_ms())
        self._queued = await self._store.last_queued(self.group)
        for intention in await self._store.intentions("router"):
            self.acts.add(intention)
        self._started = True
        self.identities.parting.look(self.configuration.destinations)
        self.wake()

    def stop(self) -> None:
        """Take no further message; what is committed is found at the next start."""
        self._stopping = True
        self.acts.stop()

    def pause(self) -> None:
        """Decide on nothing more until `resume`; what was decided may still be on its way to the disk (`under_way`)."""
        self._paused = True
        self.acts.pause()

    @property
    def under_way(self) -> bool:
        """Whether a decision or an operator's act isn't on disk yet."""
        return (
            self.submitting.under_way > 0 or self._waiting or self.acts.under_way or self.identities.parting.under_way
        )

    @property
    def rests(self) -> bool:
        """Whether it decides on nothing now: it is paused, stopped, or starts again."""
        return self._paused or self._stopping or not self._started

    @property
    def settled(self) -> Place:
        """The last place up to which everything is decided; only what waits for a patient may be left before it."""
        return self.decided - 1 if self._waiting and self._now == self.decided else self.decided

    @property
    def last_place(self) -> Place:
        """The last place on which any router has decided."""
        return max(one.settled for one in self.identities.routers)

    def came_between(self, keys: Iterable[int]) -> None:
        """Note that these references changed: the same message again may be news."""
        self._memory.came_between(keys)

    @property
    def started(self) -> bool:
        """Whether it decides; otherwise it finds in the store what there is to do."""
        return self._started

    def answers_for(self, group: str) -> bool:
        """Whether it carries out what operators ask of a group: its own, or one that has no router."""
        return group == self.group or (group not in self._groups and self.leads)

    @property
    def leads(self) -> bool:
        """Whether it carries out what concerns no group."""
        return self.group == min(self._groups)

    def take_up(self, places: Iterable[Place], *, expired: bool, keys: Collection[int] = ()) -> None:
        """Decide on messages that waited, each with its old place; those of other groups are left out."""
        self.late.add(places, expired=expired, keys=keys)
        self.wake()

    def know(self, groups: Iterable[str]) -> None:
        """Take the names of all groups that have a router."""
        self._groups = frozenset((self.group, *groups))

    def resume(self, configuration: Configuration) -> None:
        """Go on, between two messages, under this configuration."""
        self.configuration = configuration
        self._sources = [source for source in configuration.sources.values() if source.routing == self.group]
        self._memory.rename(self._sources)
        self.joining.forget()
        self._paused = False
        self.acts.resume()
        self.identities.parting.wake()
        self.wake()

    def facts(self) -> dict[str, Any]:
        """Return endings and findings since the start, for status."""
        return {
            "group": self.group,
            "cursor": self._backlog.cursor,
            "buffered": len(self._backlog),
            **self.submitting.counts,
            "findings": {
                f"{source}: {finding}": count for (source, finding), count in self.evaluating.findings.items()
            },
        }

    # --- from the store

    def _received(self, batch: Received) -> None:
        self._backlog.add(batch)
        self.wake()

    def wake(self) -> None:
        """Decide on what there is to decide, soon."""
        if self._started and not self._pumping and not self._stopping and not self._paused:
            self._pumping = True
            self._store.meanwhile(self._pump)

    def _pump(self) -> None:
        """Route for at most one slice, then give the loop its turn."""
        self._pumping = False
        if not self._started or self._paused:
            return  # a failure, or a pause, came after this turn was asked for
        until = self._runtime.monotonic() + _SLICE_SECONDS
        backlog, late = self._backlog, self.late
        while self.submitting.has_room and not self._waiting and self._decide_next():
            if self._runtime.monotonic() > until:
                self._pumping = True
                self._runtime.call_soon(self._pump)
                break
        if not backlog.reading:
            if backlog.wants_page:
                backlog.reading = True
                self._runtime.spawn(self._read(), f"router {self.group} reads")
            elif late and late.wants_read(backlog.cursor):
                late.reading = True
                self._runtime.spawn(self._read_late(), f"router {self.group} goes on")

    def _decide_next(self) -> bool:
        """Decide on one message, in turn one that waited and one that came; False: there is none."""
        for _ in range(2):
            self._late_next = not self._late_next
            if not self._late_next:
                message = self._backlog.take()
                if message is not None:
                    self.decided = max(self.decided, message.place)
                    self._route(message, _CATCHING_UP if self._catching_up else _AS_IT_COMES)
                    return True
            elif self.late and not self._backlog.reading and self.identities.parting.is_done:
                taken = self.late.take()
                if taken is not None:
                    self._route(taken[0], Turn(late=True, expired=taken[1], wide=True))
                    return True
        return False

    async def _read_late(self) -> None:
        """Read some of those that waited."""
        try:
            await self.late.read(self._backlog.cursor)
        except StoreError as error:
            self.store_failed(error)
            return
        self.wake()

    async def _read(self) -> None:
        """Read one page."""
        generation = self._generation
        try:
            page = await self._backlog.page()
        except StoreError as error:
            self.store_failed(error)
            return
        if generation == self._generation:
            before = page.items[0].place - 1 if page.items else page.high
            self.decided = self.decided or max(before, self._queued)
            self._backlog.take_page(page)
            self._catching_up = self._catching_up and bool(page.items)
            self.late.forget(message.place for message in page.items)
        self._backlog.reading = False
        self.wake()

    # --- one message

    def _route(self, message: StoredMessage, turn: Turn) -> None:
        """Decide on a message whose turn it is."""
        self._now = message.place
        source = self.configuration.sources.get(message.source)
        if source is not None and message.state is MessageState.RECEIVED:
            original = self._memory.original_of(message, source.dedupe * 1000)
            if original is not None and original.place != message.place:
                self._go_and(self._compare(message, original, turn), "compares")
                return
        try:
            self.submitting.submit(self.evaluating.route_of(message, turn))
        except (Asked, IsFragment):
            self._go_and(self._decide(message, turn), "asks")
        except Unread as unread:
            self._go_and(self._decide(message, turn, unread), "looks patients up")
        except Behind as behind:
            self.late.put_behind(message.place, behind.keys)

    def _go_and(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do what takes time for one message; those behind it wait."""
        self._waiting = True
        self._runtime.spawn(work, f"router {self.group} {what}")

    async def _decide(self, message: StoredMessage, turn: Turn, unread: Unread | None = None) -> None:
        """Decide on a message with replies of the hospital's own code, and rows of its patients; those behind wait."""
        generation = self._generation
        try:
            if unread is not None:
                await self.identities.read(unread, *self.evaluating.ahead(self._backlog.ahead(_AHEAD_MAX)))
            route = await self.decided_on(message, turn)
        except StoreError as error:
            self._waiting = False
            self.store_failed(error)
            return
        except Behind as behind:
            if generation == self._generation:
                self.late.put_behind(message.place, behind.keys)
        else:
            self.submit(route, generation)
        self._waiting = False
        self.wake()

    async def decided_on(self, message: StoredMessage, turn: Turn) -> Route:
        """
        Run the routes, and wait for what they ask.

        Raises:
            StoreError: Rows of patients, or the other parts of a longer message, can't be read.
            Behind: As of `Evaluating.route_of`.
            IsFragment: An operator tries a part of a longer message again: it is taken up between two messages.
        """

        def work(answers: Answers) -> Route:
            return self.evaluating.route_of(message, turn, answers)

        try:
            return await self.answered(work)
        except RuntimeError as error:  # it would be asked for ever, and those behind it wait
            return self.evaluating.faulty_of(message, error)
        except IsFragment as fragment:
            if turn.retried:
                raise
            return await self.joining.decided_on(message, fragment.evaluation, turn)

    async def answered(self, work: Callable[[Answers], Result]) -> Result:
        """
        Do work that asks the hospital's own code, and needs rows of patients.

        Raises:
            StoreError: They can't be read.
        """
        for _ in range(_ROUNDS_MAX):
            try:
                return await self._asking.answered(work)
            except Unread as unread:
                await self.identities.read(unread, *self.evaluating.ahead(self._backlog.ahead(_AHEAD_MAX)))
        raise RuntimeError("rows that were read are asked for without end")

    def submit(self, route: Route, generation: int) -> None:
        """Submit a decision, unless everything was dropped since: then its message is read again."""
        if generation == self._generation:
            self.submitting.submit(route)
        else:
            self.identities.abandon(route.identity)

    @property
    def generation(self) -> int:
        """Counts how often everything was dropped."""
        return self._generation

    def _routes_of(self, file: str) -> list[str]:
        """Return the routes whose steps call a file of the hospital's own."""
        return [route.name for route in self.configuration.routes if file in route.calls]

    async def _compare(self, message: StoredMessage, original: Original, turn: Turn) -> None:
        """
        Decide on what may be a retransmission; those behind wait.

        Its sender gets the answer that the first one got. With `ack: after_store` both get AA. With `after_route`
        a message that its sender was told to be in custody (AA, for want of time) and that a route then rejected is
        a dead letter of ours: the same again can't be refused. One that was refused (AE, AR) is a new try.
        """
        generation = self._generation
        try:
            fate = await self._store.fate(original.place)
            undecided = fate is not None and fate.state in _UNDECIDED
            barred = undecided and await self.joining.is_barred(message)
        except StoreError as error:
            self._waiting = False
            self.store_failed(error)
            return
        if generation != self._generation:  # everything was dropped since: it comes again
            self._waiting = False
            self.wake()
            return
        told = fate is not None and fate.state is MessageState.DEAD and fate.code == REJECTED
        if barred or not original.is_repeated(fate):
            await self._decide(message, turn._replace(told=original.place if told else 0))
            return
        self._waiting = False
        self.submit(duplicate(message, original.place, self.configuration.hash), generation)
        self.wake()

    def go_on(self) -> None:
        """Decide on what there is already; a decision has ended."""
        if self._backlog or self.late:
            self.wake()

    def store_failed(self, error: StoreError) -> None:
        """Take a failure of the store: what is known of patients is let go with the rest."""
        self.identities.forget()
        self.start_over(str(error))

    def start_over(self, reason: str) -> None:
        """Drop everything and start again from the store."""
        self._generation += 1
        self._backlog.clear()
        self.late.clear()
        self.joining.forget()
        self._catching_up = True
        if not self._started or self._stopping:
            return
        _log.error("router starts again from the store", group=self.group, reason=reason)
        self._started = False
        self._runtime.call_later(_RESTART_SECONDS, self._start_again)

    def _start_again(self) -> None:
        self._runtime.spawn(self._restart(), f"router {self.group} restarts")

    async def _restart(self) -> None:
        if self.submitting.under_way:  # their outcome is still to come: reading now would route them twice
            self._runtime.call_later(_RESTART_SECONDS, self._start_again)
            return
        self._backlog.restart()
        try:
            await self._memory.read(self._store, self._sources, self._runtime.now_ms())
        except StoreError as error:
            _log.error("router can't read the store", group=self.group, reason=str(error))
            self._runtime.call_later(_RESTART_SECONDS, self._start_again)
            return
        self._started = True
        self.identities.parting.wake()
        self.wake()
