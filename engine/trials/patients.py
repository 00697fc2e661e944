"""
Who the patients of a trial are: nobody at first, or whoever the running engine knows today; nothing is changed.

Of a test's messages, whom one makes known the next ones find. A stored message is tried with today's cross-reference:
its rows are read as they are asked for, and what the trial decides is forgotten with it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Protocol, TypeVar

from engine.core.identities import IdentityRows
from engine.core.references import References
from engine.identity.crossreference import Known, Unread
from engine.routes.identifying import Knowledge, knows_nobody

Result = TypeVar("Result")


class Rows(Protocol):
    """Reads what is known today; asked in any thread but the loop's."""

    def __call__(self, unread: Unread) -> IdentityRows:
        """Read rows, as `Store.identities` does."""

    def next_patient(self) -> int:
        """Return the id that the next patient would get."""


REFERENCES = References(b"trials have no data directory: their references lead nowhere"[:32])
"""Lane keys of trials that know nobody."""


class Patients:
    """Whom trials know."""

    def __init__(self, references: References = REFERENCES, rows: Rows | None = None) -> None:
        """
        Begin.

        Args:
            references: The data directory's, with `rows`.
            rows: Reads what is known today; None: nobody is.
        """
        self.references = references
        self._rows = rows

    def known(self, work: Callable[[Knowledge], Result]) -> Result:
        """Do work that asks who patients are; what it decides is forgotten."""
        if self._rows is None:
            return work(knows_nobody())
        view, numbers = Known(), count(self._rows.next_patient())
        while True:
            try:
                return work(Knowledge(view, lambda: next(numbers)))
            except Unread as unread:
                view.take(self._rows(unread), unread.identifiers, unread.patients, unread.traits)


NOBODY = Patients()
"""Knows nobody."""
