"""What validation says: where, by which rule, how bad, in one sentence without any value of the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

ERROR: Final = "error"
WARNING: Final = "warning"
IGNORE: Final = "ignore"
SEVERITIES: Final = (ERROR, WARNING, IGNORE)

RULES: Final[Mapping[str, str]] = {
    # the message
    "version": WARNING, "event": WARNING, "structure": WARNING,
    # its segments
    "missing-segment": ERROR, "missing-group": ERROR, "segment-repeated": ERROR, "segment-order": ERROR,
    "unexpected-segment": WARNING, "unknown-segment": WARNING, "no-segment": ERROR,
    # their fields
    "required": ERROR, "forbidden": ERROR, "withdrawn": WARNING, "repeated": ERROR, "too-few": ERROR,
    "beyond-last": WARNING,
    "length": WARNING, "type": ERROR, "table": WARNING, "user-table": WARNING, "pattern": ERROR, "value-type": ERROR,
    "required-component": WARNING, "extra-component": WARNING, "unescaped": WARNING,
    # what a standard says beyond its tables
    "ins-key": WARNING, "ins-test": WARNING, "finess-key": WARNING,
}  # fmt: skip
"""Rules that are built in, with their severity unless a profile says otherwise; a profile's own rules have theirs."""

FINDINGS_MAX: Final = 500
"""In one message; a message of another standard would have one a field."""


class Place(NamedTuple):
    """A place in one message."""

    segment: int = -1
    """Position among all its segments, from 0; -1: the message itself."""
    field: int = 0
    repetition: int = 0
    """From 1; 0: the field as a whole."""
    component: int = 0
    subcomponent: int = 0


class Finding(NamedTuple):
    """One thing that is not as the profile wants it."""

    rule: str
    severity: str
    path: str
    """In the notation of routes (`OBX[2]-5`, `PID-3[2].4`); a segment's name; `segment 7` where it has none."""
    sentence: str
    """Holds no value of the message."""
    place: Place

    def as_json(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return {"severity": self.severity, "rule": self.rule, "path": self.path, "sentence": self.sentence}


def path_of(segment: str, rank: int, count: int, place: Place, *, repeated: bool = True) -> str:
    """
    Write a place as routes do.

    Args:
        segment: The segment's name.
        rank: Which of its name, from 1.
        count: How many there are; a single one has no rank in the path.
        place: The place.
        repeated: Whether the field has several repetitions.
    """
    path = f"{segment}[{rank}]" if count > 1 else segment
    if place.field:
        path += f"-{place.field}"
        if place.repetition and repeated:
            path += f"[{place.repetition}]"
        if place.component:
            path += f".{place.component}"
            if place.subcomponent:
                path += f".{place.subcomponent}"
    return path
