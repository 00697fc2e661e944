"""The words of one code."""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """What an operator reads of a code."""

    code: str
    stands: str
    """On what it is met: a refusal, a dead letter, a filtered message, an attempt, an alert."""
    what: str
    """What happened."""
    then: str
    """What to do next."""
