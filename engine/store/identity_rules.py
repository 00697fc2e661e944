"""What identity events may do to the cross-reference, said once for all stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from engine.core.changes import Change, Fulfil, Identify, Remake, Requeue, Route, events_of
from engine.core.identities import (
    IdentifierKind,
    IdentifierRow,
    IdentityEvent,
    PatientRow,
    ReviewRow,
    ReviewState,
)
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DELIVERIES_MAX, Delivery, DeliveryKind, delivery_id, place_of
from engine.errors import ChangeRefused
from engine.store.counting import IDENTITY, CounterKey, Tally

ALIKE_MAX: Final = 20
"""Patients returned for one hash of strict traits: more of one name and birth date are no help to anybody."""
FENCES_END: Final = 3 << 14
"""Fences of one place have ordinals from DELIVERIES_MAX to below this; walls come from the end."""

_BY_KIND: Final[dict[int, CounterKey]] = {
    kind.value: (IDENTITY, "identifier", kind.name.lower()) for kind in IdentifierKind
}
_BY_STATE: Final[dict[int, CounterKey]] = {
    state.value: (IDENTITY, "review", state.name.lower()) for state in ReviewState
}
_BY_PRESENCE: Final[dict[int, CounterKey]] = {1: (IDENTITY, "patient", "total")}

_DECIDING: Final = frozenset({MessageState.ROUTED, MessageState.FILTERED, MessageState.UNROUTED})


def has_identity(route: Route) -> bool:
    """Tell whether a routing decision has to do with identities: most have not, and cost nothing here."""
    return bool(
        route.identity
        or route.fences
        or route.releases
        or route.wait is not None
        or route.state is MessageState.WAITING
        or route.expected is MessageState.WAITING
    )


class Views:
    """Which views on patients were wrong, or given up, since the start: what was decided on one of them is refused."""

    __slots__ = ("_wrong",)

    def __init__(self) -> None:
        self._wrong = 0
        """The last one; earlier ones were given up before it."""

    def check(self, changes: Iterable[Change]) -> None:
        """
        Check on what changes were decided; costs nothing as long as no decision on patients was refused.

        Raises:
            ChangeRefused: On something that isn't so.
        """
        if self._wrong and any(0 < part.view <= self._wrong for change in changes for part in _parts_of(change)):
            raise ChangeRefused("a decision on patients before this one was refused: decide again")

    def refused(self, change: Change) -> None:
        """Note that a change was refused: what it said of patients isn't so."""
        for part in _parts_of(change):
            if isinstance(part, (Route, Identify)) and events_of(part):
                self._wrong = max(self._wrong, part.view)

    def lost(self, changes: Iterable[Change]) -> None:
        """
        Note that changes weren't stored, because nothing can be at the moment.

        Who submitted them may submit others before he hears of it, which would come before what is decided again.
        """
        views = (part.view for change in changes for part in _parts_of(change))
        self._wrong = max(self._wrong, max(views, default=0))


def _parts_of(change: Change) -> Iterable[Route | Identify | Requeue | Remake]:
    """Return what a change decides on patients, or for patients who are known."""
    if isinstance(change, Route):
        return (change,)
    if isinstance(change, Fulfil):
        return [part for part in change.changes if isinstance(part, (Identify, Requeue))]
    return (change,) if isinstance(change, (Identify, Requeue, Remake)) else ()


def check_identity(route: Route) -> None:
    """
    Check the identity part of a routing decision in itself.

    Raises:
        ChangeRefused: What dies or waits decides something, or a wait is missing where the state says that it waits.
    """
    if (route.wait is None) != (route.state != MessageState.WAITING):
        raise ChangeRefused(f"message {route.place}: who waits says for what and until when, and nobody else does")
    if route.state not in _DECIDING and any(each.identifiers or each.patients for each in route.identity):
        raise ChangeRefused(f"message {route.place} is {route.state.name.lower()}: it decides nothing on identities")
    check_fences(route.fences)


def check_fences(fences: Sequence[Delivery]) -> None:
    """
    Check proposed fences.

    Raises:
        ChangeRefused: One of them is none.
    """
    for each in fences:
        if each.kind != DeliveryKind.FENCE or not each.lanes:
            raise ChangeRefused(f"a fence proposed at {each.place} is none")


def fence_base(place: int) -> int:
    """Return the id of the first fence at a place."""
    return delivery_id(place, DELIVERIES_MAX)


def fence_end(place: int) -> int:
    """Return the id behind the last fence at a place: every delivery that may stand before one is below."""
    return delivery_id(place, FENCES_END)


def number_fence(fence: Delivery, key: int) -> None:
    """Give a fence that is kept its id."""
    if key >= fence_end(place_of(key)):
        raise ChangeRefused(f"there is no room for another fence at {place_of(key)}")
    fence.id = key
    fence.queued = True
    fence.copies = 2  # says `not alone`, so that it isn't counted as a copy of its message when it ends


class Current:
    """Rows of the cross-reference as the store has them, and as events leave them, one after the other."""

    def __init__(
        self,
        identifiers: dict[int, IdentifierRow],
        patients: dict[int, PatientRow],
        reviews: dict[tuple[int, int], ReviewRow],
    ) -> None:
        """Begin with what the store has of the keys that the events touch."""
        self.identifiers = identifiers
        self.patients = patients
        self.reviews = reviews

    def apply(self, event: IdentityEvent, tally: Tally) -> None:
        """
        Apply an event; its rows before must be those that are there.

        Raises:
            ChangeRefused: Another event came in between.
        """
        for table, touched, what in (
            (self.identifiers, event.identifiers, "an identifier"),
            (self.patients, event.patients, "a patient"),
            (self.reviews, event.reviews, "a pair of the review list"),
        ):
            _apply(table, touched, what, event)
        count_event(event, tally)


def _apply(table: dict[Any, Any], touched: dict[Any, tuple[Any, Any]], what: str, event: IdentityEvent) -> None:
    for key, (before, after) in touched.items():
        if table.get(key) != before:
            raise ChangeRefused(f"{what} of the decision `{event.rule}` is another now: somebody changed it meanwhile")
        if after is None:
            table.pop(key, None)
        else:
            table[key] = after


def count_event(event: IdentityEvent, tally: Tally) -> None:
    """Count what an event adds, moves and takes away."""
    tally.add((IDENTITY, "event", event.rule))
    for one, two in event.identifiers.values():
        _move(tally, _BY_KIND, one.kind if one else None, two.kind if two else None)
    for before, after in event.patients.values():
        _move(tally, _BY_PRESENCE, 1 if before else None, 1 if after else None)
    for old, new in event.reviews.values():
        _move(tally, _BY_STATE, old.state if old else None, new.state if new else None)


def _move(tally: Tally, keys: Mapping[int, CounterKey], before: int | None, after: int | None) -> None:
    if before != after:
        if before is not None:
            tally.add(keys[before], -1)
        if after is not None:
            tally.add(keys[after])


def count_rows(
    patients: int, kinds: Mapping[int, int], rules: Mapping[str, int], states: Mapping[int, int]
) -> dict[CounterKey, int]:
    """
    Return the counters that rows found by scanning must have.

    Args:
        patients: How many patients there are.
        kinds: How many identifiers, by kind.
        rules: How many events, by rule.
        states: How many pairs on the review list, by state.
    """
    found: dict[CounterKey, int] = {_BY_PRESENCE[1]: patients}
    found |= {_BY_KIND[kind]: n for kind, n in kinds.items()}
    found |= {(IDENTITY, "event", rule): n for rule, n in rules.items()}
    found |= {_BY_STATE[state]: n for state, n in states.items()}
    return {key: n for key, n in found.items() if n}


MARKED: Final = frozenset({DeliveryState.PENDING, DeliveryState.DEAD})
"""States in which a delivery with bytes is marked PARTED: what is dead may come back to its place."""


def traits_of(row: PatientRow | None) -> set[int]:
    """Return the hashes of strict traits under which a patient is found."""
    return set() if row is None else {each.traits for each in row.assertions if each.traits}


def keys_of(event: IdentityEvent) -> list[int]:
    """
    Return under which keys an event is found later: few, because each identifier is another page of an index.

    Its patients, and its identifiers but those that only came to one of them: that is found under the patient
    (`owners_of`).
    """
    found = list(event.patients)
    for key, (before, after) in event.identifiers.items():
        if before is not None or after is None or after.patient not in event.patients:
            found.append(key)
    return found


def owners_of(hash_: int, row: IdentifierRow | None, events: Iterable[IdentityEvent]) -> set[int]:
    """
    Return the patients under whom the history of an identifier is found.

    Args:
        hash_: Of the identifier.
        row: Its row of today.
        events: Those found under the identifier itself.
    """
    touched = (each.identifiers.get(hash_, ()) for each in events)
    rows = [row, *(each for pair in touched for each in pair)]
    return {each.patient for each in rows if each is not None and each.patient}


def next_patient(events: Iterable[IdentityEvent]) -> int:
    """Return an id above those of all patients that events make; 1 where they make none."""
    made = (key for event in events for key, (before, _) in event.patients.items() if before is None)
    return max(made, default=0) + 1
