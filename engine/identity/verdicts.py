"""What a comparison says: the same, different, or that it can't be said. Never a score."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of one comparison."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One side says nothing, or not enough to tell."""


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Join verdicts: one difference makes a difference, then one unknown an unknown; of none, unknown."""
    given = set(verdicts)
    if Verdict.DIFFERENT in given:
        return Verdict.DIFFERENT
    return Verdict.SAME if given == {Verdict.SAME} else Verdict.UNKNOWN
