"""What a decision says, how it ends early, and the lane keys that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from engine.core.identities import IdentifierKind, IdentifierRow, IdentityEvent, PatientRow, Wait

if TYPE_CHECKING:
    from engine.core.references import References
    from engine.identity.claimed import Claims, Person
    from engine.identity.crossreference import CrossReference


Edit = tuple[bytes, int, int, bytes]
"""Name of a segment, its rank among those of that name, number of a field, and the field as it leaves."""


class Outcome(StrEnum):
    """What becomes of the message."""

    KNOWN = "known"
    """Its patients are known, and nothing new is remembered."""
    DECIDED = "decided"
    """Its patients are known, and something new is remembered."""
    PASS = "pass"  # noqa: S105 - no password
    """It goes on, although nobody knows its patient."""
    WAIT = "wait"
    DEAD = "dead"


class Code(StrEnum):
    """Why a message of class identity is dead."""

    NOT_ASSERTED = "E-ID-NOT-ASSERTED"
    """Rule 0: the source speaks of numbers that aren't its own."""
    UNKNOWN = "E-ID-UNKNOWN"
    NOBODY = "E-ID-NOBODY"
    """It names no number by which a patient could ever be known."""
    TWO_PATIENTS = "E-ID-TWO-PATIENTS"
    TWO_NUMBERS = "E-ID-TWO-NUMBERS"
    INS_ELSEWHERE = "E-ID-INS-ELSEWHERE"
    TWO_INS = "E-ID-TWO-INS"
    TRAITS = "E-ID-TRAITS"
    TAKEN = "E-ID-TAKEN"
    APART = "E-ID-APART"
    CYCLE = "E-ID-CYCLE"
    UNPAIRED = "E-ID-UNPAIRED"
    EVENT = "E-ID-EVENT"
    STAY = "E-ID-STAY"
    HASH = "E-ID-HASH"
    NUMBERS = "E-ID-NUMBERS"
    PARTED = "E-ID-PARTED"
    """It waited at a destination while its patients were parted, and can't be made anew."""


@dataclass(slots=True)
class Decision:
    """What was decided of one message."""

    outcome: Outcome
    patients: tuple[PatientRow | None, ...] = ()
    """One a person of the claims, as they stand after the events."""
    events: list[IdentityEvent] = field(default_factory=list)
    """To be committed with the message. Of a dead one: at most the one that puts the pair on the review list."""
    code: str = ""
    reason: str = ""
    """For people; no value of a message."""
    emits: list[tuple[str, str]] = field(default_factory=list)
    """Derived A40: (federation identifier that ends, the one that goes on)."""
    parked: tuple[int, ...] = ()
    """References of both sides of a conflict."""
    findings: list[str] = field(default_factory=list)
    wait: Wait | None = None
    send_to: str = ""
    """Destination after a wait that nobody ended."""
    left_out: frozenset[tuple[str, str]] = frozenset()
    """(authority, value): numbers of somebody else, with which it doesn't leave (deciding.recalling)."""
    edits: list[Edit] | None = None
    """How the identifiers leave, once the verb made it: the same for each message on which this is the decision."""

    @property
    def patient(self) -> PatientRow | None:
        """That of the first person."""
        return self.patients[0] if self.patients else None


class Ended(Exception):
    """
    A decision ends here.

    Attributes:
        outcome, code, reason, wait, send_to: As in Decision.
        pair: The patients of a conflict; both are parked, and go to the review list.
        keys: References to park beside those of the pair.
        rule: Of the pair on the review list.
    """

    def __init__(
        self, outcome: Outcome, code: Code | None = None, reason: str = "", *, pair: tuple[int, int] | None = None,
        keys: tuple[int, ...] = (), rule: str = "conflict", wait: Wait | None = None, send_to: str = "",
    ) -> None:  # fmt: skip
        super().__init__(reason)
        self.outcome = outcome
        self.code = code
        self.reason = reason
        self.pair = pair
        self.keys = keys
        self.rule = rule
        self.wait = wait
        self.send_to = send_to


def conflict(code: Code, reason: str, one: int = 0, other: int = 0, *, keys: tuple[int, ...] = ()) -> Ended:
    """Make the end of a message in conflict (docs/developers/identity.md, rule 7)."""
    pair = (min(one, other), max(one, other)) if one and other and one != other else None
    alone = one or other
    return Ended(Outcome.DEAD, code, reason, pair=pair or ((alone, alone) if alone else None), keys=keys)


def territorial(references: References, patient: int) -> int:
    """Return the lane key of a patient who is known."""
    return references.hash("territorial", "", str(patient))


def references_of(claims: Claims, view: CrossReference) -> tuple[int, ...]:
    """
    Return the lane keys of a message, by what is known now (ARCHITECTURE.md, Order).

    Of each local number that it names, prior ones and a newborn's mother included, its patient's key where he is
    known, else the number's own; of a message without number that of its stay's patient. The INS is never one.

    Raises:
        Unread: The view never read one of its numbers.
    """
    found: dict[int, None] = {}
    for key in claims.lanes:
        row = view.identifier(key)
        found[territorial(claims.references, row.patient) if row is not None else key] = None
    if not found:
        for person in claims.persons:
            for patient in stay_patients(person, view):
                found[territorial(claims.references, patient)] = None
    return tuple(found)


def stay_patients(person: Person, view: CrossReference) -> tuple[int, ...]:
    """Return the patients under whose numbers a person's stays are known."""
    found: dict[int, None] = {}
    for claimed in (*person.accounts, *person.visits):
        stay = view.identifier(claimed.hash)
        if stay is not None and stay.kind is IdentifierKind.STAY and stay.value == claimed.value:
            owner = view.identifier(stay.under)
            if owner is not None:
                found[owner.patient] = None
    return tuple(found)


def touched(event: IdentityEvent, references: References) -> list[tuple[int, int]]:
    """
    Return the references that an event changed, as (before, after): what a fence must hold together.

    Of a number that became known its own key and its patient's; of one that went to another patient both of these;
    of one that is forgotten its patient's and its own.
    """
    pairs: dict[tuple[int, int], None] = {}
    for key, (before, after) in event.identifiers.items():
        if not _leads(before or after):
            continue
        was, now = (territorial(references, row.patient) if row is not None else key for row in (before, after))
        if was != now:
            pairs[was, now] = None
    return list(pairs)


def _leads(row: IdentifierRow | None) -> bool:
    return row is not None and row.kind in _LANE_KINDS


_LANE_KINDS: Final = frozenset({IdentifierKind.LOCAL, IdentifierKind.ALIAS, IdentifierKind.FEDERATION})
