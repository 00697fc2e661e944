"""
The nouns of what one message says of patients: numbers, INS, stays, traits, and what it replaces.

Only numbers of declared authorities are claims: archive numbers, third parties and unknown types stay in the message
and say nothing of who a patient is. Values are opaque. The hash of a local number is the lane key of a patient who
isn't known (identity.patients), so one look-up serves both.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.identities import IdentifierKind
from engine.identity.ins import InsKind
from engine.identity.policy import IDENTITY_TYPES
from engine.identity.statuses import IdentityStatus, Status
from engine.identity.traits import StrictTraits, trait_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.references import References
    from engine.identity.ins import Ins


_SILENT: Final = IdentityStatus(Status.UNSAID)
_NOTHING: Final = StrictTraits()


class Claimed(NamedTuple):
    """One number of a declared authority."""

    hash: int
    kind: IdentifierKind
    authority: str
    """Authority.key."""
    value: str
    site: str
    """Whose authority it is; empty: the group's."""


class ClaimedIns(NamedTuple):
    """One INS."""

    hash: int
    ins: Ins

    @property
    def usable(self) -> bool:
        """Whether it may lead to a patient: of the production spaces, fifteen characters of the right kind."""
        authority = self.ins.authority
        return not (self.ins.deleted or authority.obsolete or authority.test or "ins-form" in self.ins.remarks())


class Person:
    """One patient of a message: a PID with what stands behind it, or HPRIM's P."""

    __slots__ = (
        "accounts", "alternates", "federation", "fusion", "ins", "local", "mother", "names", "prior", "prior_accounts",
        "prior_alternates", "prior_federation", "prior_ins", "prior_visits", "replaces", "status", "traits", "visits",
    )  # fmt: skip

    def __init__(self, traits: StrictTraits = _NOTHING, status: IdentityStatus = _SILENT) -> None:
        self.traits = traits
        self.status = status
        self.names: tuple[str, ...] = ()
        """Every family name that it says, whatever its type."""
        self.local: list[Claimed] = []
        """PID-3, HPRIM P-2."""
        self.federation: list[Claimed] = []
        self.ins: list[ClaimedIns] = []
        self.accounts: list[Claimed] = []
        """PID-18, HPRIM P-4: stays."""
        self.visits: list[Claimed] = []
        """PV1-19."""
        self.alternates: list[Claimed] = []
        """PV1-50."""
        self.prior: list[Claimed] = []
        """MRG-1."""
        self.prior_federation: list[Claimed] = []
        self.prior_ins: list[ClaimedIns] = []
        self.prior_accounts: list[Claimed] = []
        """MRG-3."""
        self.prior_visits: list[Claimed] = []
        """MRG-5."""
        self.prior_alternates: list[Claimed] = []
        """MRG-6."""
        self.mother: list[Claimed] = []
        """PID-21: for order only."""
        self.replaces = False
        """There is an MRG, or a fusion in P-2."""
        self.fusion = False
        """HPRIM's P-2 says that one number ends in the other."""

    @property
    def deletes_ins(self) -> bool:
        """Whether the message asks to delete the INS (PAM France, A47)."""
        return any(one.ins.deleted for one in self.ins)

    @property
    def best_ins(self) -> ClaimedIns | None:
        """The INS that counts: a NIR before a NIA (PAM France)."""
        usable = [one for one in self.ins if one.usable]
        return min(usable, key=lambda one: one.ins.authority.kind is not InsKind.NIR, default=None)

    def without_stays(self) -> Person:
        """Return the same person with neither stay nor visit."""
        other = copy(self)
        other.accounts, other.visits = [], []
        return other

    def hashes(self) -> Iterable[int]:
        """All keys under which something may be known."""
        for group in (
            self.local, self.federation, self.ins, self.accounts, self.visits, self.prior, self.prior_federation,
            self.prior_ins, self.prior_accounts, self.prior_visits, self.alternates, self.prior_alternates,
        ):  # fmt: skip
            for one in group:
                yield one.hash


class Claims:
    """What one message says of patients."""

    __slots__ = ("_traits", "event", "lanes", "persons", "references", "site", "type")

    def __init__(
        self, persons: list[Person], references: References, *, site: str, type_: str, event: str,
        lanes: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        self.persons = persons
        self.references = references
        self.site = site
        self.type = type_
        self.event = event
        self.lanes = lanes
        """The keys of the message's patients while nobody knows them, as identity.patients gives them."""
        self._traits: dict[Person, int] = {}

    @property
    def is_source(self) -> bool:
        """Whether the message is a source of identity; a result only refers to one."""
        return self.type in IDENTITY_TYPES

    @property
    def keys(self) -> tuple[int, ...]:
        """Every hash to look up, each once."""
        found = dict.fromkeys(self.lanes)
        for person in self.persons:
            found.update(dict.fromkeys(person.hashes()))
        return tuple(found)

    @property
    def trait_key(self) -> int:
        """Hash of the first patient's strict traits; 0: not comparable."""
        return self.traits_of(self.persons[0]) if self.persons else 0

    def traits_of(self, person: Person) -> int:
        """Hash the strict traits of one patient, once; 0: not comparable."""
        found = self._traits.get(person)
        if found is None:
            found = trait_hash(person.traits, self.references) if person.status.comparable else 0
            self._traits[person] = found
        return found
