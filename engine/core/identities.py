"""
What is remembered of patients across the establishments: identifiers, patients, events, reviews, waits.

A *patient* is one person as the group knows him: a federation identifier, and what each site says of him. Rows are
values: a decision replaces them, never edits them, and its event keeps them as they were before and after. So an event
can be undone exactly, as long as nothing later has touched its rows.

Hashes are those of core.references: `patient` for local identifiers and the federation identifier (the same hash is
the lane key of a patient who isn't known), `ins`, `stay`, `traits`; `territorial` with the patient's id is the lane key
of one who is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final


class IdentifierKind(IntEnum):
    """What an identifier numbers. The numbers are stored: never reuse one."""

    LOCAL = 0
    """A patient, by one site (CX-5 PI)."""
    FEDERATION = 1
    """A patient, by the group (CX-5 PN)."""
    INS = 2
    """A patient, by the nation; asserted as qualified by at least one site."""
    STAY = 3
    """A stay or visit of one site (CX-5 AN, VN); never among `PatientRow.identifiers`: there may be hundreds."""
    ALIAS = 4
    """A local number that its site replaced (A40, A47): it still leads to its patient, but is no longer his number."""


@dataclass(frozen=True, slots=True)
class IdentifierRow:
    """One identifier and the patient to whom it belongs today."""

    hash: int
    kind: IdentifierKind
    authority: str
    """Normal form (identity.authorities.Authority.key); of an INS its OID."""
    value: str
    """Opaque, as received."""
    patient: int
    """Today's patient: flattened at each decision, no chains. 0 for a stay: it is whose number `under` is."""
    under: int = 0
    """Of a stay: hash of the local number under which its site gave it. So a stay goes wherever that number goes."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What one site says of one patient; one site's status is never copied to another's (RNIV 1 v2.0, 4.9.2)."""

    site: str
    status: str
    """RNIV: identity.statuses.Status."""
    attributes: tuple[str, ...]
    """identity.statuses.Attribute, sorted."""
    birth_name: str
    first_name: str
    first_names: str
    """The list of birth given names (XPN-3), the first one included; empty: not said."""
    birth_date: str
    """As the site writes it: YYYYMMDD, partial, or lunar."""
    sex: str
    birth_place: str
    """COG of INSEE; empty: not said."""
    ins: int
    """Hash of the INS that the site asserts with it; 0: none."""
    traits: int
    """Hash of the five strict traits in normal form; 0: not comparable (anonymous, fictive, incomplete…)."""
    place: int
    """The message that said it last."""
    at_ms: int
    firm: tuple[str, ...] = ()
    """The traits of which the site was sure last (identity.traits.StrictTraits), while it isn't sure of those above:
    provisional, doubtful, fictive…; empty: it is sure of them, or never was of any."""


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One patient."""

    id: int
    """From 1; never given twice."""
    number: str
    """Federation identifier; empty where another registry numbers and hasn't said it yet."""
    assertions: tuple[Assertion, ...] = ()
    """One a site, sorted by site."""
    identifiers: tuple[int, ...] = ()
    """Hashes of its identifiers of every kind but STAY, sorted."""
    apart: tuple[int, ...] = ()
    """Patients of whom an identity officer said that they are others: never proposed again."""


class ReviewState(IntEnum):
    """Where a pair on the review list stands."""

    OPEN = 0
    LINKED = 1
    APART = 2
    """An identity officer: these are two people."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A pair of patients that a person must look at; one row a pair."""

    low: int
    """The lower patient id."""
    high: int
    rule: str
    """Why: `same-traits`, `merge`, `ins-no-contract`… (identity.deciding.terms.SENTENCES)."""
    sentence: str
    """For people; no value of a message."""
    place: int
    at_ms: int
    state: ReviewState = ReviewState.OPEN


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which pairs of the review list are meant; what isn't given narrows nothing."""

    state: ReviewState | None = ReviewState.OPEN
    """None: any."""
    rule: str = ""
    site: str = ""
    """One that says something of one of the two."""
    since_ms: int = 0
    """On the list, for this reason, since then."""
    patient: int = 0
    """One of the two."""
    living: bool = False
    """Only while both are there: of one who was joined to another, nothing is to be decided."""


OPEN_PAIRS: Final = Pairs()


@dataclass(slots=True)
class IdentityEvent:
    """
    One decision: append-only, by a rule or by an operator.

    The maps hold what it touched, each as (before, after); None: there is no such row.
    """

    rule: str
    """`mint`, `attach`, `link-ins`, `merge`, `rename`, `move-stay`, `assert`, `unlink`, `import`, `undo`…"""
    place: int
    """The message; for an act of an operator, the last place decided before it."""
    at_ms: int
    who: str = ""
    """Empty: a rule."""
    reason: str = ""
    undoes: int = 0
    """Id of the event that this one undoes."""
    identifiers: dict[int, tuple[IdentifierRow | None, IdentifierRow | None]] = field(default_factory=dict)
    patients: dict[int, tuple[PatientRow | None, PatientRow | None]] = field(default_factory=dict)
    reviews: dict[tuple[int, int], tuple[ReviewRow | None, ReviewRow | None]] = field(default_factory=dict)
    id: int = 0
    """Given by the store."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when a message waits for what isn't there yet, and for what: an identifier, or another fragment."""

    hashes: tuple[int, ...]
    """Any of these identifiers; of a fragment, its two pointers (flow.joining)."""
    until_ms: int


@dataclass(slots=True)
class IdentityRows:
    """What a store knows of some keys; a key that is missing isn't known."""

    identifiers: Mapping[int, IdentifierRow]
    patients: Mapping[int, PatientRow]
    """Those of the identifiers, and those asked for."""
    alike: Mapping[int, tuple[int, ...]]
    """Hash of strict traits -> ids of the patients of whom a site asserts them, lowest first; bounded."""
    reviews: Mapping[tuple[int, int], ReviewRow]
    """Of the pairs among the patients above and those asked for, who may have been joined since."""


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """What a start must know of the cross-reference."""

    next_patient: int
    """Id of the next patient: higher than every one ever given."""
    identifiers: int
    patients: int
    events: int
    open_reviews: int
    waiting: int
    """Messages that wait for an identifier."""
    next_wait_ms: int
    """When the first of these waits is over; 0: none waits."""
