"""
What becomes of a router's decisions on their way to the disk.

A decision that the store refuses broke a rule of the store, and would break it again for ever: its message is dead.
What one says of patients may be refused because somebody else was faster: everything is decided again, this message
once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from engine.core.changes import Receipt
from engine.core.lifecycle import MessageState
from engine.core.ports import Urgency
from engine.errors import ChangeRefused, StoreError
from engine.flow.decisions import INTERNAL, faulty

if TYPE_CHECKING:
    from engine.core.changes import Route
    from engine.core.ports import Place
    from engine.flow.retransmissions import Retransmissions
    from engine.flow.router import Router

_UNDER_WAY_MAX: Final = 1_000

_log = structlog.get_logger(__name__)


class Submitting:
    """Of one router."""

    def __init__(self, router: Router, memory: Retransmissions) -> None:
        """
        Begin with nothing under way.

        Args:
            router: Whose decisions they are.
            memory: Forgets messages whose decision was refused.
        """
        self._router = router
        self._memory = memory
        self._again: set[Place] = set()
        """Messages whose decision was refused with what it says of patients: once more, and they are dead."""
        self.under_way = 0
        """Decisions that aren't on disk yet."""
        self.counts: dict[str, int] = {}
        """Endings since the start, by name."""

    @property
    def has_room(self) -> bool:
        """Whether further decisions may be made before these are on disk."""
        return self.under_way < _UNDER_WAY_MAX

    def submit(self, route: Route) -> None:
        """Submit a decision; what it says of patients is believed from now on."""
        router = self._router
        self._count(route, 1)
        self.under_way += 1
        router.joining.adopt(route)
        router.identities.adopt(route.identity)
        router.store.submit(route, Urgency.SOON, partial(self._ended, route))

    def _count(self, route: Route, change: int) -> None:
        for name, number in ((route.state.name.lower(), 1), ("joined", len(route.joins)), ("dead", len(route.ends))):
            if number:
                self.counts[name] = self.counts.get(name, 0) + change * number

    def _ended(self, route: Route, result: Receipt | StoreError) -> None:
        router = self._router
        self.under_way -= 1
        router.joining.resolved(route, stored=isinstance(result, Receipt))
        overtaken = route.view not in (0, router.identities.view_number)
        router.identities.resolved(route.identity, stored=isinstance(result, Receipt))
        if isinstance(result, Receipt):
            self._stored(route)
        elif isinstance(result, ChangeRefused):
            self._refused(route, result, overtaken=overtaken)
        else:
            router.store_failed(result)
        router.go_on()

    def _stored(self, route: Route) -> None:
        router = self._router
        self._again.discard(route.place)
        router.late.ended(route.place)
        router.identities.released(route, route.identity, router.references)
        if route.wait is not None:
            router.identities.waits.look_at(route.wait.until_ms)

    def _refused(self, route: Route, refused: ChangeRefused, *, overtaken: bool) -> None:
        """
        Make one message dead whose decision breaks a rule of the store.

        When that is refused too the message isn't waiting any more: it was decided on, or pruned.

        Args:
            route: The decision.
            refused: Why.
            overtaken: What was known of patients when it was made was given up since: it breaks no rule itself.
        """
        router = self._router
        self._count(route, -1)
        self._memory.forget(route.source, route.place)
        if overtaken:
            router.start_over(str(refused))
            return
        if (route.identity or route.joins or route.ends) and route.place not in self._again:
            self._again.add(route.place)
            if not route.identity:  # else all routers start over (Identities.resolved)
                router.start_over(str(refused))
            return
        self._again.discard(route.place)
        if route.expected is MessageState.WAITING and router.late.is_released(route.place):
            return  # while it was decided that its time is over: it is decided on again
        _log.error("decision refused by the store", place=route.place, source=route.source, reason=str(refused))
        if route.code != INTERNAL:
            self.submit(faulty(route, str(refused), router.configuration.hash))
        else:
            router.late.ended(route.place)
