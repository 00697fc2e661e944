"""
Rows as a decision would leave them, over the view; the view isn't touched.

What comes out is one event with every row before and after: to undo it is to put the rows before back.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from engine.core.identities import (
    Assertion,
    IdentifierKind,
    IdentifierRow,
    IdentityEvent,
    PatientRow,
    ReviewRow,
    ReviewState,
)

if TYPE_CHECKING:
    from engine.identity.crossreference import CrossReference


class Draft:
    """A CrossReference with changes of its own."""

    __slots__ = ("_identifiers", "_numbered", "_patients", "_reviews", "_view", "minted", "rules")

    def __init__(self, view: CrossReference) -> None:
        self._view = view
        self._identifiers: dict[int, IdentifierRow | None] = {}
        self._patients: dict[int, PatientRow | None] = {}
        self._reviews: dict[tuple[int, int], ReviewRow | None] = {}
        self.minted: set[int] = set()
        """Patients who begin here."""
        self._numbered: set[int] = set()
        """Hashes of their federation identifiers, for which the view was never asked."""
        self.rules: list[str] = []
        """Those that changed something, in order."""

    # --- the view --------------------------------------------------------------------------------------------

    def identifier(self, key: int) -> IdentifierRow | None:
        """As CrossReference says."""
        return self._identifiers[key] if key in self._identifiers else self._view.identifier(key)

    def patient(self, id_: int) -> PatientRow | None:
        """As CrossReference says."""
        return self._patients[id_] if id_ in self._patients else self._view.patient(id_)

    def alike(self, traits: int) -> tuple[int, ...]:
        """As CrossReference says, without this decision's own changes: who asks has made none of traits yet."""
        return self._view.alike(traits)

    def review(self, low: int, high: int) -> ReviewRow | None:
        """As CrossReference says."""
        return self._reviews[low, high] if (low, high) in self._reviews else self._reviewed(low, high)

    def living(self, id_: int) -> PatientRow:
        """Return a patient to whom a row leads."""
        found = self.patient(id_)
        assert found is not None, f"a row leads to patient {id_}, who isn't there"
        return found

    # --- changes ---------------------------------------------------------------------------------------------

    def did(self, rule: str) -> None:
        """Note a rule that changed something."""
        self.rules.append(rule)

    def put(self, row: IdentifierRow) -> None:
        """Put an identifier, and keep the patients' lists of theirs."""
        before = self.identifier(row.hash)
        if before is not None and before.patient != row.patient and before.patient:
            self._unlist(before)
        self._identifiers[row.hash] = row
        if row.kind is not IdentifierKind.STAY:
            patient = self.living(row.patient)
            if row.hash not in patient.identifiers:
                identifiers = list(patient.identifiers)
                insort(identifiers, row.hash)
                self._patients[patient.id] = replace(patient, identifiers=tuple(identifiers))

    def drop(self, row: IdentifierRow) -> None:
        """Forget an identifier."""
        self._unlist(row)
        self._identifiers[row.hash] = None

    def put_patient(self, patient: PatientRow) -> None:
        """Put a patient."""
        self._patients[patient.id] = patient

    def end_patient(self, id_: int) -> None:
        """Let a patient end: he was joined to another."""
        self._patients[id_] = None

    def put_assertion(self, id_: int, assertion: Assertion) -> None:
        """Put what a site says of a patient."""
        patient = self.living(id_)
        others = [one for one in patient.assertions if one.site != assertion.site]
        self._patients[id_] = replace(patient, assertions=tuple(sorted([*others, assertion], key=lambda one: one.site)))

    def propose(self, one: int, other: int, rule: str, sentence: str, place: int, at_ms: int) -> bool:
        """
        Put a pair on the review list, unless it was there, or an officer said that they are two people.

        An open entry is told anew where there is a stronger reason now.

        Returns:
            Whether it was put there now.
        """
        low, high = min(one, other), max(one, other)
        if low == high or high in self.living(low).apart:
            return False
        found = self.review(low, high)
        if found is not None and (found.state is not ReviewState.OPEN or strength(found.rule) >= strength(rule)):
            return False
        self._reviews[low, high] = ReviewRow(low, high, rule, sentence, place, at_ms)
        return True

    def close(self, one: int, other: int, state: ReviewState) -> None:
        """Close a pair that is on the review list."""
        low, high = min(one, other), max(one, other)
        found = self.review(low, high)
        if found is not None and found.state is not state:
            self._reviews[low, high] = replace(found, state=state)

    def put_review(self, row: ReviewRow) -> None:
        """Put an entry of the review list."""
        self._reviews[row.low, row.high] = row

    def event(self, place: int, at_ms: int, *, who: str = "", reason: str = "") -> IdentityEvent | None:
        """Return what changed as one event; None: nothing did."""
        view = self._view
        identifiers = {
            key: (row, after) for key, after in self._identifiers.items()
            if (row := None if key in self._numbered else view.identifier(key)) != after
        }  # fmt: skip
        patients = {
            id_: (patient, after) for id_, after in self._patients.items() if (patient := self._before(id_)) != after
        }
        reviews = {
            pair: (review, after) for pair, after in self._reviews.items()
            if (review := self._reviewed(*pair)) != after
        }  # fmt: skip
        if not identifiers and not patients and not reviews:
            return None
        rule = next((one for one in self.rules if one != "assert"), self.rules[0] if self.rules else "review")
        return IdentityEvent(
            rule, place, at_ms, who=who, reason=reason, identifiers=identifiers, patients=patients, reviews=reviews
        )

    def mint(self, patient: PatientRow, number: IdentifierRow | None = None) -> None:
        """Put a new patient, with his federation identifier: the view is never asked for them."""
        self._patients[patient.id] = patient
        self.minted.add(patient.id)
        if number is not None:
            self._numbered.add(number.hash)
            self._identifiers[number.hash] = None
            self.put(number)

    def _before(self, id_: int) -> PatientRow | None:
        return None if id_ in self.minted else self._view.patient(id_)

    def _reviewed(self, low: int, high: int) -> ReviewRow | None:
        return None if low in self.minted or high in self.minted else self._view.review(low, high)

    def _unlist(self, row: IdentifierRow) -> None:
        patient = self.patient(row.patient)
        if patient is not None and row.hash in patient.identifiers:
            left = tuple(key for key in patient.identifiers if key != row.hash)
            self._patients[patient.id] = replace(patient, identifiers=left)


def strength(rule: str) -> int:
    """Say how much a reason on the review list weighs: an equal identity, an INS, an event of a site, a conflict."""
    return _STRENGTHS.get(rule, 2)


_STRENGTHS: Final = {"same-traits": 0, "stay-elsewhere": 1, "merge": 3, "link": 3, "conflict": 4}
