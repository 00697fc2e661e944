"""Which message types and trigger events there are in any version: what lint asks of conditions."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

from engine.dictionary.rows import HL7, PAM_FR_FOLDER, all_rows

_TYPES: Final = "0076"
_EVENTS: Final = "0003"
_LATER: Final = frozenset(f"O{number}" for number in range(49, 61))
"""Events of orders that the last versions added in their chapters, beyond the tables of the data files."""


@cache
def message_types() -> Collection[str]:
    """Return what MSH-9.1 may be in some version of HL7, sorted; Z types of partners aside."""
    return tuple(sorted({*_codes(_TYPES), *(type_ for type_, _ in _pairs())}))


@cache
def trigger_events() -> Collection[str]:
    """Return what MSH-9.2 may be in some version of HL7 or in PAM France, sorted; Z events of partners aside."""
    return tuple(sorted({*_codes(_EVENTS), *(event for _, event in _pairs() if event), *_LATER}))


def _codes(table: str) -> set[str]:
    codes = {row[1] for row, _ in all_rows(HL7, "tables") if row[0] == table}
    return {code for code in codes if code.isupper() or code.isdecimal()}  # `varies` is said of both, and is neither


def _pairs() -> set[tuple[str, str]]:
    return {(row[0], row[1]) for folder in (HL7, PAM_FR_FOLDER) for row, _ in all_rows(folder, "events")}
