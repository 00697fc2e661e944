"""Why a route wants a stored message, or doesn't: each clause with what it saw. Masked unless revealed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engine.errors import PathError
from engine.operations.acts import require_reason
from engine.operations.asking import asker
from engine.operations.desk import Answer, Desk
from engine.operations.masking import Masking, known_words, mask
from engine.operations.trying import patients_today, stored_for

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.routes.configuration import Configuration
    from engine.trials.explaining import Show
    from engine.trials.patients import Patients
    from engine.trials.running import Ask


async def message_explain(
    desk: Desk,
    who: str,
    id: str,  # noqa: A002 - the command line's word
    route: str,
    routes: str = "",
    reveal: bool = False,
    reason: str = "",
) -> Answer:
    """
    Ask the conditions of a route about a stored message.

    Args:
        desk: Where.
        who: Name of the operator.
        id: Of the message.
        route: Name of the route.
        routes: Absolute path of the configuration to ask; empty: the running one.
        reveal: With the values; needs a reason, and stands in the audit trail before anything is shown.
        reason: Why.

    Returns:
        As trials.explaining.told.
    """
    stored, configuration = await stored_for(desk, id, route, routes)
    if reveal:
        await desk.audit(who, "reveal", f"message {id} in an explanation", require_reason(reason))
    show = plain if reveal else _masked(configuration)
    return {"v": 1, "masked": not reveal} | await asyncio.to_thread(
        _explain, configuration, route, stored, show, asker(desk), patients_today(desk)
    )


def plain(path: str, value: str) -> str:
    """Show a value as it is."""
    del path
    return value


def _explain(
    configuration: Configuration, route: str, stored: StoredMessage, show: Show, ask: Ask, patients: Patients
) -> dict[str, Any]:
    from engine.trials.explaining import explain, told

    return told(explain(configuration, route, stored, str(stored.place), ask, patients), show)


def _masked(configuration: Configuration) -> Show:
    from engine.parsers.paths import Path
    from engine.routes.when import CONTEXT_KEYS

    masking = Masking(None, known_words(configuration))

    def show(path: str, value: str) -> str:
        if path in CONTEXT_KEYS:
            return value
        try:
            read = Path.parse(path)
        except PathError:  # a declared key: the identifier of somebody
            return mask(value)
        return masking.leaf(read.segment, read.field, value) if read.field else value

    return show
