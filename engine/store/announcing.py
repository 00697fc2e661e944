"""
Who hears of a commit, and in which order: one set of listeners for all stores.

Runs in the loop only. After a commit (or its failure) the store first calls the `done` of its receptions, for whose
answers senders wait; then, once those have left, that of each other change, both in order of submission; then the
listeners. The marks `before` and `high` chain from one announcement to the next, so that
a stage knows whether it may take the very objects just committed or must page them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from engine.core.changes import Change, Configure, Fulfil, Identify, Intend, Receipt, Receive, Remake, Requeue, Route
from engine.core.messages import Delivery, Intention, StoredMessage
from engine.core.ports import Done, Queued, Received
from engine.errors import StoreError

DONE = Receipt()
"""The receipt of changes that have nothing to say; shared, never changed."""

Submitted = tuple[Change, Done | None]
Outcome = tuple[Change, Done | None, Receipt | StoreError]


@dataclass(slots=True)
class _Commit:
    """What one commit has to say, by listener."""

    received: dict[str, list[StoredMessage]] = field(default_factory=dict)
    queued: dict[str, list[Delivery]] = field(default_factory=dict)
    routed: dict[str, list[Route]] = field(default_factory=dict)
    parted: dict[str, set[int]] = field(default_factory=dict)
    intentions: list[Intention] = field(default_factory=list)
    configured: list[Configure] = field(default_factory=list)

    def add(self, change: Change) -> None:
        if isinstance(change, Receive):
            self.received.setdefault(change.message.group, []).append(change.message)
        elif isinstance(change, Route):
            self._add_route(change)
        elif isinstance(change, (Requeue, Remake)):
            self.queued.setdefault(change.delivery.destination, []).append(change.delivery)
        elif isinstance(change, Intend):
            self.intentions.append(change.intention)
        elif isinstance(change, Configure):
            self.configured.append(change)
        elif isinstance(change, Identify):
            self._add_fences(change.fences)
            self._add_parted(change)
        elif isinstance(change, Fulfil):
            for part in change.changes:
                if isinstance(part, (Requeue, Identify)):
                    self.add(part)

    def _add_route(self, route: Route) -> None:
        self.routed.setdefault(route.group, []).append(route)
        for delivery in route.deliveries:
            # What takes no place in a lane (dead with the policy `pass`) is nothing to the lanes.
            if delivery.queued:
                self.queued.setdefault(delivery.destination, []).append(delivery)
        if route.fences:
            self._add_fences(route.fences)
        self._add_parted(route)

    def _add_parted(self, change: Route | Identify) -> None:
        for destination, ids in change.parted:
            self.parted.setdefault(destination, set()).update(ids)

    def _add_fences(self, fences: list[Delivery]) -> None:
        for fence in fences:
            self.queued.setdefault(fence.destination, []).append(fence)


class Announcer:
    """Listeners of a store, and the highest place or delivery announced to each."""

    def __init__(self) -> None:
        self.high_places: dict[str, int] = {}
        """By routing group."""
        self.high_deliveries: dict[str, int] = {}
        """By destination."""
        self.first_high = 0
        """Highest place in the store at `open`: the mark of a group of which nothing was announced yet."""
        self._received: dict[str, list[Callable[[Received], None]]] = {}
        self._deliveries: dict[str, list[Callable[[Queued], None]]] = {}
        self._routed: dict[str, list[Callable[[Sequence[Route]], None]]] = {}
        self._intentions: dict[str, list[Callable[[Intention], None]]] = {}
        self._trouble: list[Callable[[StoreError | None], None]] = []

    def on_received(self, group: str, listener: Callable[[Received], None]) -> None:
        """Announce each commit's messages of a routing group."""
        self._received.setdefault(group, []).append(listener)

    def on_deliveries(self, destination: str, listener: Callable[[Queued], None]) -> None:
        """Announce each commit's new or requeued deliveries of a destination."""
        self._deliveries.setdefault(destination, []).append(listener)

    def on_routed(self, group: str, listener: Callable[[Sequence[Route]], None]) -> None:
        """Announce each commit's routing decisions of a group."""
        self._routed.setdefault(group, []).append(listener)

    def on_intentions(self, stage: str, listener: Callable[[Intention], None]) -> None:
        """Announce each new intention for a stage."""
        self._intentions.setdefault(stage, []).append(listener)

    def on_trouble(self, listener: Callable[[StoreError | None], None]) -> None:
        """Announce that the store became unavailable, and (None) that it works again."""
        self._trouble.append(listener)

    def high_place(self, group: str) -> int:
        """Return the highest place of a group that was announced, or found at `open`."""
        return self.high_places.get(group, self.first_high)

    def trouble(self, error: StoreError | None) -> None:
        """Tell that the store became unavailable, or works again."""
        for listener in self._trouble:
            listener(error)

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """
        Call everybody concerned.

        Raises:
            Exception: The first of those that were raised; one doesn't keep the others from hearing.
        """
        try:
            self.answer(outcomes)
        finally:
            self.publish(outcomes)

    def answer(self, outcomes: Iterable[Outcome]) -> None:
        """
        Call `done` of every reception, in order.

        Raises:
            Exception: The first of those that were raised; one doesn't keep the others from hearing.
        """
        _call_all([(done, outcome) for change, done, outcome in outcomes if done and type(change) is Receive])

    def publish(self, outcomes: Iterable[Outcome]) -> None:
        """
        Call `done` of everything but receptions, in order, then every listener concerned; after `answer`.

        Raises:
            Exception: The first of those that were raised; one doesn't keep the others from hearing.
        """
        commit = _Commit()
        calls: list[tuple[Callable[..., None], object]] = []
        for change, done, outcome in outcomes:
            if outcome is DONE or type(outcome) is Receipt:
                commit.add(change)
            if done is not None and type(change) is not Receive:
                calls.append((done, outcome))
        try:
            _call_all(calls)
        finally:
            _call_all(self._calls(commit))

    def _calls(self, commit: _Commit) -> list[tuple[Callable[..., None], object]]:
        calls: list[tuple[Callable[..., None], object]] = []
        for change in commit.configured:
            self._raise_marks(change)
        for group, messages in commit.received.items():
            before = self.high_place(group)
            high = self.high_places[group] = messages[-1].place
            calls += [(listener, Received(messages, before, high)) for listener in self._received.get(group, ())]
        for group, routes in commit.routed.items():
            calls += [(listener, routes) for listener in self._routed.get(group, ())]
        for destination in dict.fromkeys((*commit.queued, *sorted(commit.parted))):
            deliveries = sorted(commit.queued.get(destination, ()), key=_by_id)
            below = self.high_deliveries.get(destination, 0)
            top = self.high_deliveries[destination] = max(below, deliveries[-1].id if deliveries else 0)
            queued = Queued(deliveries, below, top, frozenset(commit.parted.get(destination, ())))
            calls += [(listener, queued) for listener in self._deliveries.get(destination, ())]
        for intention in commit.intentions:
            calls += [(listener, intention) for listener in self._intentions.get(intention.stage, ())]
        return calls

    def _raise_marks(self, change: Configure) -> None:
        """
        Put what came into a queue without being announced before its mark: lanes read up to there first.

        Else the next delivery would be taken as the one that follows those in memory, and would pass a wall, or what
        came under another name.
        """
        marks = self.high_deliveries
        for former, name in change.moved.items():
            marks[name] = max(marks.get(name, 0), marks.get(former, 0))
        for name, ids in change.walls.items():
            marks[name] = max(marks.get(name, 0), *ids, 0)


def _call_all(calls: Iterable[tuple[Callable[..., None], object]]) -> None:
    """Call each with its argument; the first error is raised at the end, so that the loop reports it."""
    failure: Exception | None = None
    for call, argument in calls:
        try:
            call(argument)
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure


def _by_id(delivery: Delivery) -> int:
    return delivery.id
