"""
The view on what is known of patients: rows that were read, with decisions not yet on disk over them.

A decision asks for rows by their keys. What nobody has read yet can't be answered: the view raises `Unread` with the
keys, whoever decides reads them, and decides again (as core.asking does with questions). A row in memory is never
older than the store's, so what is read again never replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from engine.core.identities import IdentifierRow, IdentityEvent, IdentityRows, PatientRow, ReviewRow


class Unread(Exception):
    """
    A decision needs rows that were never read.

    Attributes:
        identifiers, patients, traits: Their keys, as `Store.identities` takes them.
    """

    def __init__(
        self, identifiers: Collection[int] = (), patients: Collection[int] = (), traits: Collection[int] = ()
    ) -> None:
        super().__init__(f"{len(identifiers)} identifiers, {len(patients)} patients, {len(traits)} sets of traits")
        self.identifiers = tuple(identifiers)
        self.patients = tuple(patients)
        self.traits = tuple(traits)

    def with_identifiers(self, identifiers: Iterable[int]) -> Unread:
        """Return the same question, with identifiers that will be asked for next: one read, not one for each."""
        return Unread(tuple(dict.fromkeys((*self.identifiers, *identifiers))), self.patients, self.traits)


class CrossReference(Protocol):
    """What a decision may ask; each raises Unread where the answer was never read."""

    def identifier(self, key: int) -> IdentifierRow | None:
        """Return an identifier by its hash; None: nobody knows it."""

    def patient(self, id_: int) -> PatientRow | None:
        """Return a patient; None: there is none, or he was joined to another."""

    def alike(self, traits: int) -> tuple[int, ...]:
        """Return the patients of whom a site asserts these strict traits, lowest first."""

    def review(self, low: int, high: int) -> ReviewRow | None:
        """Return the entry of a pair on the review list."""


def read_together(
    view: CrossReference, identifiers: Iterable[int] = (), patients: Iterable[int] = (),
    pairs: Iterable[tuple[int, int]] = (),
) -> None:  # fmt: skip
    """
    Make sure that rows were read, so that they are asked for once and not one after the other.

    Args:
        view: What is known.
        identifiers: Hashes that will be looked up.
        patients: Patients likewise.
        pairs: Entries of the review list likewise.

    Raises:
        Unread: With all of those that were not.
    """
    missing: tuple[dict[int, None], dict[int, None]] = ({}, {})
    asks: list[tuple[Callable[..., object], tuple[int, ...]]] = [
        *((view.identifier, (key,)) for key in identifiers), *((view.patient, (id_,)) for id_ in patients),
        *((view.review, pair) for pair in pairs),
    ]  # fmt: skip
    for ask, keys in asks:
        try:
            ask(*keys)
        except Unread as unread:
            missing[0].update(dict.fromkeys(unread.identifiers))
            missing[1].update(dict.fromkeys(unread.patients))
    if any(missing):
        raise Unread(tuple(missing[0]), tuple(missing[1]))


class Known:
    """The view over dictionaries."""

    __slots__ = (
        "_alike",
        "_identifiers",
        "_minted",
        "_pairs",
        "_patients",
        "_read",
        "_reviews",
        "_takes",
        "_traits",
        "_wanted",
    )

    def __init__(self) -> None:
        self._identifiers: dict[int, IdentifierRow | None] = {}
        self._patients: dict[int, PatientRow | None] = {}
        self._reviews: dict[tuple[int, int], ReviewRow | None] = {}
        self._pairs: dict[int, set[tuple[int, int]]] = {}
        """Patient -> his pairs among the reviews: there may be thousands, of whom he has few."""
        self._alike: dict[int, dict[int, bool]] = {}
        """Hash of traits -> patient -> whether he has them; what events say goes before what is read."""
        self._traits: set[int] = set()
        """Hashes of traits that were read."""
        self._takes = 0
        self._read: dict[int, int] = {}
        """Patient -> the last take that brought him: two of one take have all their reviews in it."""
        self._minted: set[int] = set()
        """Patients who began in memory: nothing of them is anywhere else."""
        self._wanted: set[tuple[int, int]] = set()
        """Pairs that were asked for: the take that brings both says whether they are on the review list."""

    # --- the view ------------------------------------------------------------------------------------------

    def identifier(self, key: int) -> IdentifierRow | None:
        """Return an identifier by its hash; None: nobody knows it."""
        try:
            return self._identifiers[key]
        except KeyError:
            raise Unread(identifiers=(key,)) from None

    def patient(self, id_: int) -> PatientRow | None:
        """Return a patient; None: there is none, or he was joined to another."""
        try:
            return self._patients[id_]
        except KeyError:
            raise Unread(patients=(id_,)) from None

    def alike(self, traits: int) -> tuple[int, ...]:
        """Return the patients of whom a site asserts these strict traits, lowest first."""
        if traits not in self._traits:
            raise Unread(traits=(traits,))
        return tuple(sorted(id_ for id_, has in self._alike.get(traits, {}).items() if has))

    def review(self, low: int, high: int) -> ReviewRow | None:
        """Return the entry of a pair on the review list."""
        found = self._reviews.get((low, high))
        if found is not None or (low, high) in self._reviews:
            return found
        if low in self._minted or high in self._minted:
            return None
        take = self._read.get(low)
        if take is None or take != self._read.get(high):
            self._wanted.add((low, high))
            raise Unread(patients=(low, high))
        return None

    # --- what fills it -------------------------------------------------------------------------------------

    def take(
        self, rows: IdentityRows, identifiers: Iterable[int] = (), patients: Iterable[int] = (),
        traits: Iterable[int] = (),
    ) -> None:  # fmt: skip
        """
        Take what a store knows.

        Args:
            rows: Its answer.
            identifiers: The keys that it was asked for: what isn't in the answer isn't known.
            patients: Likewise.
            traits: Likewise.
        """
        self._takes += 1
        for key, identifier in rows.identifiers.items():
            self._identifiers.setdefault(key, identifier)
        for key in identifiers:
            self._identifiers.setdefault(key, None)
        for id_, patient in rows.patients.items():
            self._patients.setdefault(id_, patient)
            self._read[id_] = self._takes
        for id_ in patients:
            self._patients.setdefault(id_, None)
            self._read[id_] = self._takes
        for key, ids in rows.alike.items():
            alike = self._alike.setdefault(key, {})
            for id_ in ids:
                alike.setdefault(id_, True)
        self._traits.update(rows.alike)
        self._traits.update(traits)
        for pair, review in rows.reviews.items():
            if pair not in self._reviews:
                self._put_review(pair, review)
        for pair in [one for one in self._wanted if all(self._read.get(id_) == self._takes for id_ in one)]:
            self._wanted.discard(pair)
            if pair not in self._reviews:
                self._put_review(pair, None)

    def apply(self, event: IdentityEvent) -> None:
        """Lay a decision over what was read."""
        for key, (_, identifier) in event.identifiers.items():
            self._identifiers[key] = identifier
        for id_, (before, after) in event.patients.items():
            self._put_patient(id_, before, after)
        for pair, (_, review) in event.reviews.items():
            self._put_review(pair, review)

    def revert(self, event: IdentityEvent) -> None:
        """Take a decision back that was never committed, the last one first."""
        for key, (identifier, _) in event.identifiers.items():
            self._identifiers[key] = identifier
        for id_, (before, after) in event.patients.items():
            self._put_patient(id_, after, before)
        for pair, (review, _) in event.reviews.items():
            self._put_review(pair, review)

    def forget(self, identifiers: Iterable[int] = (), patients: Iterable[int] = (), traits: Iterable[int] = ()) -> None:
        """Let go of rows that are on disk as they are here; asked for again, they are read again."""
        for key in identifiers:
            self._identifiers.pop(key, None)
        for id_ in set(patients):
            self._patients.pop(id_, None)
            self._read.pop(id_, None)
            self._minted.discard(id_)
            for pair in self._pairs.pop(id_, ()):
                self._reviews.pop(pair, None)
                self._unpair(pair, pair[0] if pair[1] == id_ else pair[1])
        for key in traits:
            self._alike.pop(key, None)
            self._traits.discard(key)

    def _put_review(self, pair: tuple[int, int], review: ReviewRow | None) -> None:
        self._reviews[pair] = review
        for id_ in pair:
            self._pairs.setdefault(id_, set()).add(pair)

    def _unpair(self, pair: tuple[int, int], id_: int) -> None:
        """Forget a pair of somebody who stays."""
        theirs = self._pairs.get(id_)
        if theirs is not None:
            theirs.discard(pair)
            if not theirs:
                del self._pairs[id_]

    def _put_patient(self, id_: int, before: PatientRow | None, after: PatientRow | None) -> None:
        self._patients[id_] = after
        if before is None and id_ not in self._read:
            self._minted.add(id_)
        for assertion in before.assertions if before is not None else ():
            if assertion.traits:
                self._alike.setdefault(assertion.traits, {})[id_] = False
        for assertion in after.assertions if after is not None else ():
            if assertion.traits:
                self._alike.setdefault(assertion.traits, {})[id_] = True
