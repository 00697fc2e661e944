"""Try a stored message on a route, step by step; nothing is sent. Masked unless revealed with a reason."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.core.messages import StoredMessage
from engine.errors import OperationRefused
from engine.operations.acts import require_reason
from engine.operations.asking import Today, asker
from engine.operations.assigners import assigners_of
from engine.operations.candidate import candidate
from engine.operations.desk import Answer, Desk
from engine.operations.masking import Masking, known_words, separators_of
from engine.operations.pseudonyms import Pseudonyms
from engine.operations.rows import read_place

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration
    from engine.trials.difference import Change
    from engine.trials.patients import Patients
    from engine.trials.running import Ask
    from engine.trials.telling import Show

_FIELD: Final = re.compile(r"[^-]+-\d+")


async def message_try(
    desk: Desk,
    who: str,
    id: str,  # noqa: A002 - the command line's word
    route: str,
    routes: str = "",
    reveal: bool = False,
    reason: str = "",
) -> Answer:
    """
    Put a stored message through a route, and tell what each step changed.

    Args:
        desk: Where.
        who: Name of the operator.
        id: Of the message.
        route: Name of the route.
        routes: Absolute path of the configuration to try; empty: the running one.
        reveal: With the values; needs a reason, and stands in the audit trail before anything is shown.
        reason: Why.

    Returns:
        As trials.telling; `masked`: changes are told by whole fields, masked.
    """
    stored, configuration = await stored_for(desk, id, route, routes)
    if reveal:
        await desk.audit(who, "reveal", f"message {id} in a trial", require_reason(reason))
    show = None if reveal else masked(desk, configuration, stored)
    told = await asyncio.to_thread(_follow, configuration, route, stored, show, asker(desk), patients_today(desk))
    return {"v": 1, "masked": not reveal} | told


async def stored_for(desk: Desk, id_: str, route: str, routes: str) -> tuple[StoredMessage, Configuration]:
    """
    Return a stored message and the configuration in which it is put to a route.

    Raises:
        OperationRefused: The message isn't kept, or the route takes nothing from its source.
    """
    place = read_place(id_)
    stored = await desk.store.message(place)
    if stored is None:
        raise OperationRefused(f"there is no message {place}, or its body is no longer kept")
    configuration = await candidate(desk, routes)
    require_route(configuration, route, stored.source)
    return stored, configuration


def require_route(configuration: Configuration, route: str, source: str) -> None:
    """
    Check that a route takes from a source.

    Raises:
        OperationRefused: It doesn't, or one of them is not declared.
    """
    found = next((one for one in configuration.routes if one.name == route), None)
    if found is None:
        names = ", ".join(one.name for one in configuration.routes)
        raise OperationRefused(f"there is no route {route}; there are {names}")
    declared = configuration.sources.get(source)
    if declared is None or declared.name not in found.sources:
        sentence = f"the route {route} takes nothing from {source}; it takes from {', '.join(found.sources)}"
        raise OperationRefused(sentence)


def _follow(
    configuration: Configuration, route: str, stored: StoredMessage, show: Show | None, ask: Ask, patients: Patients
) -> dict[str, Any]:
    from engine.trials.following import follow
    from engine.trials.telling import plain, told

    followed = follow(configuration, route, stored, str(stored.place), ask, patients)
    return told(followed, configuration, show or plain, bodies=show is None)


def patients_today(desk: Desk) -> Patients:
    """Return whom the engine knows today, for a trial in a thread beside the loop."""
    from engine.trials.patients import NOBODY, Patients

    return Patients(desk.references, Today(desk)) if desk.references is not None else NOBODY


def masked(desk: Desk, configuration: Configuration, stored: StoredMessage) -> Show:
    """Return what shows changes by whole fields, masked as `msg show` masks them."""
    pseudonyms = Pseudonyms(desk.references) if desk.references is not None else None
    assigners = assigners_of(configuration, stored.site, stored.source)
    masking = Masking(pseudonyms, known_words(configuration), assigners)
    separators = separators_of(b"MSH|^~\\&|" if stored.format == "hl7v2" else stored.raw, stored.format)

    def show(changes: Sequence[Change]) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for one in changes:
            match = _FIELD.match(one.path)
            path = match[0] if match is not None else one.path
            before, after = one.whole if one.field else (one.old or "", one.new or "")
            old, new = (masking.field(one.segment, one.field, text, separators) or None for text in (before, after))
            rows[path] = {"path": path, "old": old, "new": new}
        return list(rows.values())

    return show
