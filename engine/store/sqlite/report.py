"""What the writer says of one commit, to the loop: outcomes, and what it knows that the loop must know too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.core.changes import Change, Receipt
from engine.errors import StoreError
from engine.store.counting import CounterKey

Pending = tuple[Change, Any, int]
"""
A change, by what the one who submitted it knows it, its size.

The second is carried through unseen: in a thread it is what to call, in a process of its own a number.
"""
Outcome = tuple[Change, Any, Receipt | StoreError]
"""The first two of a Pending, and what became of it."""


@dataclass(slots=True)
class Report:
    """What the loop hears of one commit."""

    outcomes: list[Outcome]
    number: int
    """Of the commit; reads that began before it was announced wait for it."""
    size: int
    trouble: list[StoreError | None] = field(default_factory=list)
    """Announced after the outcomes: what broke, or None when it works again."""
    counters: dict[CounterKey, int] = field(default_factory=dict)
    """Counters that changed, as they are now."""
    names: dict[int, str] = field(default_factory=dict)
    """Names that are new."""
    next_place: int = 0
    """Place of the next message; 0: nothing was committed."""
    seconds: float = 0.0
    """What the commit took; 0: there was none."""
