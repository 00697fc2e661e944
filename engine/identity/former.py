"""
Which of the group's numbers belong to numbers of hospitals that an officer unlinks: those of before the link.

Whoever received the person before the link knows him by that number. It goes along only where all is as it was: the
decision that let a patient end in another is found, and what is unlinked is all that came from him and is still there.
Part of it, or something beside it, may be another person's: then the number stays where it leads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.core.identities import IdentifierKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from engine.core.identities import IdentifierRow, IdentityEvent, PatientRow

NUMBERS: Final = (IdentifierKind.LOCAL, IdentifierKind.ALIAS)


def stale(patient: PatientRow, rows: Iterable[IdentifierRow]) -> list[IdentifierRow]:
    """Return the group's numbers of a patient that aren't today's: those of whom he was joined with."""
    return [row for row in rows if row.kind is IdentifierKind.FEDERATION and row.value != patient.number]


def going_along(
    patient: PatientRow, rows: Collection[IdentifierRow], moved: Collection[int], events: Iterable[IdentityEvent]
) -> list[IdentifierRow]:
    """
    Return the group's numbers that go along with numbers that get a patient of their own.

    Args:
        patient: From whom they are unlinked.
        rows: All his identifiers.
        moved: Hashes of the numbers that go.
        events: Decisions that touched his former numbers of the group (`stale`).

    Returns:
        First the number of who ended in him with just these numbers, then those that had ended in that one before;
        none: no such decision is among the events, or something is otherwise.
    """
    theirs = {row.hash: row for row in stale(patient, rows)}
    for event in sorted({one.id: one for one in events}.values(), key=lambda one: -one.id):
        for id_, (ended, after) in event.patients.items():
            if ended is None or after is not None or not ended.number:
                continue
            came = {key: before for key, (before, _) in event.identifiers.items() if before and before.patient == id_}
            back = [theirs[key] for key in came if key in theirs]
            back.sort(key=lambda row: (row.value != ended.number, row.value))
            if back and back[0].value == ended.number and _numbers(came) == set(moved):
                return back
    return []


def _numbers(rows: dict[int, IdentifierRow]) -> set[int]:
    """Return those that hospitals gave to the patient himself."""
    return {key for key, row in rows.items() if row.kind in NUMBERS}
