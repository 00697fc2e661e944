"""Whom a stored message names: the hashes of numbers, as they stand in search keys; by today's configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from engine.identity.crossreference import Known
from engine.routes.evaluation import look_ahead
from engine.routes.identifying import Knowledge

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.operations.desk import Desk

_NUMBERS_MAX: Final = 20
"""Of a message; more are looked up by nobody."""


async def numbers_of(desk: Desk, stored: StoredMessage) -> list[int]:
    """
    Return the numbers that a message names, and those under which its stays were given.

    Args:
        desk: Where.
        stored: The message.

    Returns:
        Hashes; none where the configuration knows no patients, or the source is gone.
    """
    keys = _named(desk, stored)
    rows = (await desk.store.identities(keys[:_NUMBERS_MAX])).identifiers if keys else {}
    return list(dict.fromkeys((*keys, *(row.under for row in rows.values() if row.under))))


async def all_numbers_of(desk: Desk, stored: StoredMessage) -> list[int]:
    """
    Return the numbers that a message names, and all others of the patients whose they are.

    Args:
        desk: Where.
        stored: The message.
    """
    keys = await numbers_of(desk, stored)
    patients = (await desk.store.identities(keys[:_NUMBERS_MAX])).patients if keys else {}
    return list(dict.fromkeys((*keys, *(hash_ for row in patients.values() for hash_ in row.identifiers))))


def _named(desk: Desk, stored: StoredMessage) -> list[int]:
    configuration, references = desk.configuration(), desk.references
    if configuration is None or references is None or configuration.policies.get(stored.source) is None:
        return []
    nobody = Knowledge(Known(), lambda: 0)
    claims = look_ahead(configuration, replace(stored, alone=True), references, nobody)
    return list(claims.keys) if claims is not None else []
