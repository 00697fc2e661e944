"""What one router makes of a delivery that waits while its patients are parted: as it was, made anew, or dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.core.asking import Asked
from engine.core.changes import Remake
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag, show_delivery_id
from engine.errors import where
from engine.identity.crossreference import Unread
from engine.routes.parting import PARTED, Cause, made_anew, stands

if TYPE_CHECKING:
    from engine.core.asking import Answers
    from engine.core.messages import StoredMessage
    from engine.flow.router import Router

_log = structlog.get_logger(__name__)

_WHAT_NEXT = "its patients were parted after it was made; retry decides on it again by what it says, discard lets it go"


class Remaking:
    """The part of one router."""

    def __init__(self, router: Router) -> None:
        """Act on behalf of a router."""
        self._router = router

    async def remake(self, row: Delivery, message: StoredMessage, data: bytes) -> Remake:
        """
        Say what becomes of a delivery; it is to be submitted in the same turn of the loop.

        Args:
            row: Pending and marked (DeliveryFlag.PARTED).
            message: Its message.
            data: Its bytes.

        Raises:
            StoreError: Rows of patients can't be read.
        """

        def work(answers: Answers) -> Remake:
            return self._made(row, message, data, answers)

        try:
            return await self._router.answered(work)
        except RuntimeError as error:  # it would be asked for ever
            return self._faulty(row, error)

    def give_up(self, row: Delivery) -> Remake:
        """
        Make a dead letter of a delivery whose bytes are gone: nothing shows with which numbers it was to leave.

        Args:
            row: Pending and marked (DeliveryFlag.PARTED).
        """
        _log.error("a delivery without bytes", delivery=show_delivery_id(row.id))
        return self._dead(row, Cause("its bytes aren't on disk any more: `passerelle doctor` checks the store"))

    def _made(self, row: Delivery, message: StoredMessage, data: bytes, answers: Answers) -> Remake:
        router = self._router
        knowledge = router.evaluating.knowledge(expired=True, wide=True, recalls=True)
        if knowledge is None:
            return self._dead(row, Cause("the configuration has no section identity any more"))
        configuration, references = router.configuration, router.references
        try:
            if stands(configuration, message, row, data, references, knowledge):
                return self._as_it_was(row)
            now_ms = router.runtime.now_ms()
            made = made_anew(configuration, message, row, data, references, answers, knowledge, now_ms)
        except (Asked, Unread):
            raise
        except Exception as error:
            return self._faulty(row, error)
        if isinstance(made, Cause):
            return self._dead(row, made)
        if made.rendered == data and made.target == row.target:
            return self._as_it_was(row)
        view, identified = router.identities.view_number, knowledge.identified
        keys = () if identified is None else tuple(identified.keys)
        return Remake(made, row.attempts, rendered_again=True, view=view, keys=keys)

    def _as_it_was(self, row: Delivery) -> Remake:
        row.flags &= ~DeliveryFlag.PARTED
        return Remake(row, row.attempts, view=self._router.identities.view_number)

    def _dead(self, row: Delivery, cause: Cause) -> Remake:
        """Let a dead letter of class identity hold the lanes of all its patients; no result of theirs passes it."""
        router = self._router
        destination = router.configuration.destinations.get(row.destination)
        wait = destination.dead_letter.results_wait if destination is not None else 0.0
        row.state = DeliveryState.DEAD
        row.lanes = tuple(dict.fromkeys((*row.lanes, *cause.lanes)))
        row.flags |= DeliveryFlag.IDENTITY_EVENT
        row.due_ms = router.runtime.now_ms() + int(wait * 1000)
        row.code, row.field, row.reason = PARTED, cause.field, f"{cause.reason}; {_WHAT_NEXT}"
        return Remake(row, row.attempts, view=router.identities.view_number)

    def _faulty(self, row: Delivery, error: Exception) -> Remake:
        place = where(error)
        _log.error("internal fault", delivery=show_delivery_id(row.id), where=place)
        return self._dead(row, Cause(f"a fault of Passerelle: {place}; please report it"))
