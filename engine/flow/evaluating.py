"""From a message to the router's decision on it: the routes run, and what their result means for custody."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

import structlog

from engine.core.asking import Answers, Asked
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Arrival, Delivery, StoredMessage
from engine.core.ports import Place
from engine.errors import where
from engine.flow.decisions import decided, duplicate, faulty
from engine.flow.joining import IsFragment
from engine.flow.late import Behind
from engine.identity.crossreference import Unread
from engine.identity.deciding.decision import Code
from engine.routes.decision import REJECTED, Evaluation
from engine.routes.evaluation import evaluate, look_ahead
from engine.routes.fences import fences
from engine.routes.identifying import Knowledge

if TYPE_CHECKING:
    from engine.core.changes import Route
    from engine.flow.retransmissions import Retransmissions
    from engine.flow.router import Router

_log = structlog.get_logger(__name__)


class Turn(NamedTuple):
    """How a message comes to be decided on."""

    late: bool = False
    """It is of those that are decided on beside what comes, or an operator's: nothing goes before it."""
    expired: bool = False
    """It waited, and its time is over (routes.identifying.Knowledge)."""
    wide: bool = False
    """Others may have come behind it already (routes.identifying.Knowledge)."""
    retried: bool = False
    """An operator asked for it."""
    told: Place = 0
    """The same message before, which its sender was told to be in custody."""


class Evaluating:
    """Decides for one router."""

    def __init__(self, router: Router, memory: Retransmissions) -> None:
        """
        Begin without findings.

        Args:
            router: Whose configuration, references, identities and clock are used.
            memory: Remembers each message on which was decided.
        """
        self._router = router
        self._memory = memory
        self.findings: dict[tuple[str, str], int] = {}
        """(source, finding) -> how often."""
        self._looked: Place = 0
        """The last message that was read ahead, for the view at hand."""
        self._looked_for: object = None

    def route_of(self, message: StoredMessage, turn: Turn, answers: Answers | None = None) -> Route:
        """
        Run the routes.

        Args:
            message: To route.
            turn: How it comes to be decided on.
            answers: Replies of the hospital's own code.

        Raises:
            Behind: Earlier messages of its patients are to be decided on first.
            IsFragment: It is a part of a longer message, and the source joins them.
        """
        knowledge = self.knowledge(expired=turn.expired, wide=turn.wide)
        try:
            evaluation = evaluate(
                self._router.configuration, message, self._router.references, answers, knowledge,
                self._router.runtime.now_ms(),
            )  # fmt: skip
        except (Asked, Unread):
            raise
        except Exception as error:
            return self.faulty_of(message, error)
        if evaluation.fragment is not None:
            raise IsFragment(evaluation)
        if evaluation.state is MessageState.REJECTED and turn.told:
            return duplicate(message, turn.told, self._router.configuration.hash)
        if evaluation.state is MessageState.REJECTED and (turn.retried or self._was_answered(message)):
            evaluation.state, evaluation.code = MessageState.DEAD, REJECTED
            evaluation.reason = f"its sender was answered already when a route rejected it: {evaluation.reason}"
        for finding in evaluation.findings:
            key = (message.source, finding)
            self.findings[key] = self.findings.get(key, 0) + 1
        return self.decision(message, evaluation, late=turn.late)

    def decision(self, message: StoredMessage, evaluation: Evaluation, *, late: bool) -> Route:
        """Make the change, and remember the message; a rejected one isn't ours: its sender may repeat it."""
        deliveries = evaluation.deliveries
        if len(deliveries) == 1:
            lanes: Collection[int] = deliveries[0].lanes
        else:
            lanes = {lane for delivery in deliveries for lane in delivery.lanes}
        if not late:
            self._check(evaluation, lanes)
        if evaluation.state is not MessageState.REJECTED:
            live = any(delivery.state is DeliveryState.PENDING for delivery in deliveries)
            live = live or evaluation.state is MessageState.WAITING
            name = message.control_id or message.name
            between = frozenset((*lanes, *evaluation.patients))
            if message.joins:  # a part that is sent again is no news, whatever came between
                self._memory.came_between(between)
                between = frozenset((message.digest,))
            arrival = Arrival(message.place, name, message.digest, message.received_ms, between, live)
            self._memory.remember(message.source, arrival)
        if self._router.configuration.identity is not None:
            if any(one.code == Code.NOT_ASSERTED for one in deliveries):
                self._router.identities.trespassing.by(message.source)
            lanes = ()  # those of persons: the numbers under which a message left are among its keys
        route = decided(message, evaluation, lanes, self._router.configuration.hash)
        route.view = self._router.identities.view_number  # also where nothing is known: all is decided again together
        if evaluation.changed:
            route.fences = self.fences(evaluation.changed, place=message.place, deliveries=deliveries)
            for one in self._router.identities.routers:
                one.late.joined(evaluation.changed)
        return route

    def _check(self, evaluation: Evaluation, lanes: Collection[int]) -> None:
        """
        Check that nothing of its patients is to be decided on before it; what it decided is taken back otherwise.

        Raises:
            Behind: There is.
        """
        changed = (key for pair in evaluation.changed for key in pair)
        try:
            self._router.late.check({*lanes, *evaluation.patients, *changed})
        except Behind:
            self._router.identities.abandon(evaluation.identity, last=True)
            raise

    def _was_answered(self, message: StoredMessage) -> bool:
        """
        Tell whether a sender that waits for the routes may have been told `AA` because its time was over.

        Half of `answer_within` is left for the commit: after it, a rejected message would be lost to both sides.
        """
        source = self._router.configuration.sources[message.source]
        if source.ack != "after_route" or message.state is MessageState.WAITING:
            return True
        return self._router.runtime.now_ms() - message.received_ms > source.answer_within * 500

    def faulty_of(self, message: StoredMessage, error: Exception) -> Route:
        """Make a message dead on which our own code fails; the place is told, never the exception's text."""
        place = where(error)
        _log.error("internal fault", place=message.place, source=message.source, where=place)
        return faulty(message, place, self._router.configuration.hash)

    def fences(
        self, changed: Iterable[tuple[int, int]], *, place: Place, deliveries: Collection[Delivery] = ()
    ) -> list[Delivery]:
        """Propose the fences of references that a decision changed."""
        changed = list(changed)
        keys = {key for pair in changed for key in pair}
        places: list[Place] = []
        for one in self._router.identities.routers:
            if one is not self._router or place < one.settled:  # late, or tried again: others came behind it
                places.append(one.settled)
            places += one.late.before(keys)
        return fences(changed, self._router.configuration, places, place=place, deliveries=deliveries)

    def knowledge(self, *, expired: bool = False, wide: bool = False, recalls: bool = False) -> Knowledge | None:
        """Return what an evaluation may know of patients; None: the configuration knows none."""
        if self._router.configuration.identity is None:
            return None
        known = self._router.identities
        return Knowledge(
            known.view, known.next_patient, known.give_back, expired=expired, wide=wide, usual=known.usual,
            recalls=recalls,
        )  # fmt: skip

    def ahead(self, messages: Iterable[StoredMessage]) -> tuple[list[int], list[int]]:
        """Return the identifiers and the traits for which messages that come next will ask."""
        knowledge = self.knowledge()
        identifiers: list[int] = []
        traits: list[int] = []
        if knowledge is None:
            return identifiers, traits
        if self._looked_for is not knowledge.view:  # all was let go
            self._looked_for, self._looked = knowledge.view, 0
        for message in messages:
            if message.place <= self._looked:
                continue
            self._looked = message.place
            try:
                claims = look_ahead(self._router.configuration, message, self._router.references, knowledge)
            except Exception:  # noqa: S112 - its own turn tells
                continue
            if claims is not None:
                identifiers += claims.keys
                if claims.is_source and claims.trait_key:
                    traits.append(claims.trait_key)
        return identifiers, traits
