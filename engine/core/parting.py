"""Whom a decision parts, and by which numbers what waits of them is found: one rule for all stores and who asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.core.identities import IdentifierKind, IdentityEvent

_NUMBERS: Final = frozenset({IdentifierKind.LOCAL, IdentifierKind.ALIAS, IdentifierKind.FEDERATION})


def parted_by(events: Iterable[IdentityEvent]) -> set[int]:
    """
    Return the numbers under which deliveries of patients are found whom events part.

    Of each patient who loses a number to somebody else, or to nobody, all the numbers that he had: what waits may carry
    any two of them. A patient who ends in another loses none: all his numbers lead there.
    """
    found: set[int] = set()
    for event in events:
        for key, (before, after) in event.identifiers.items():
            if before is None or before.kind not in _NUMBERS or (after is not None and after.patient == before.patient):
                continue
            had, has = event.patients.get(before.patient, (None, None))
            if after is None or had is None or has is not None:
                found.add(key)
                found.update(had.identifiers if had is not None else ())
    return found
