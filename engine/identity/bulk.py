"""
An existing cross-reference, taken row by row: which identifier belongs to which number of the group.

A row says one local number, the federation identifier of its patient, and what its site says of him. Nothing is
guessed: a row that would give a number to a second patient, or make one person of two, is refused with the reason, and
the others are taken. A row that says what is known already changes nothing, so that a file can be taken again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.identities import Assertion, IdentifierKind, IdentifierRow, IdentityEvent, PatientRow
from engine.identity.deciding.draft import Draft
from engine.identity.deciding.joining import rows_of
from engine.identity.ins import INS_AUTHORITIES, authority_of, matricule_fault
from engine.identity.policy import Registry
from engine.identity.statuses import Attribute, Status
from engine.identity.traits import StrictTraits, compare_traits, normal_date, trait_hash, traits_of

if TYPE_CHECKING:
    from engine.core.references import References
    from engine.identity.authorities import Authority
    from engine.identity.crossreference import CrossReference
    from engine.identity.policy import IdentityPolicy

COLUMNS: Final = (
    "number", "authority", "value", "kind", "status", "attributes", "birth_name", "first_name", "first_names",
    "birth_date", "sex", "birth_place", "ins_oid", "ins",
)  # fmt: skip
"""Of the file; `number`, `authority` and `value` are in every row, all others may be empty."""
REQUIRED: Final = COLUMNS[:3]
ADDED: Final = "added"
KNOWN: Final = "known"
_STATUSES: Final = {one.value for one in Status}
_ATTRIBUTES: Final = {one.value for one in Attribute}
_VALUE_MAX: Final = 100
_NOTHING: Final = StrictTraits()


class Unfit(Exception):
    """A row that isn't taken; the sentence holds no value of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the file, read."""

    number: str
    authority: Authority
    value: str
    alias: bool = False
    """A number that its site replaced."""
    status: str = ""
    attributes: tuple[str, ...] = ()
    traits: StrictTraits = _NOTHING
    ins_oid: str = ""
    ins: str = ""

    @property
    def says_something(self) -> bool:
        """Whether it says more than the number."""
        return bool(any(self.traits) or self.status or self.attributes)


def names_of(authorities: Iterable[Authority]) -> dict[str, Authority]:
    """Return local authorities of patients by every name that a file may give them: `cha/ipp`, `OID|PI`, the OID."""
    named: dict[str, Authority] = {}
    for one in authorities:
        if one.of_patients and one.site:
            for name in (f"{one.site}/{one.name}", one.key, one.oid):
                named.setdefault(name, one)
    named.pop("", None)
    return named


def read_entry(cells: Mapping[str, str], authorities: Mapping[str, Authority]) -> Entry:
    """
    Read one row.

    Args:
        cells: By column.
        authorities: `names_of`.

    Raises:
        Unfit: It isn't written as it must be.
    """
    for name in REQUIRED:
        if not cells.get(name):
            raise Unfit(f"the column {name} is empty")
    authority = authorities.get(cells["authority"])
    if authority is None:
        raise Unfit("no hospital declares this authority: write SITE/NAME as in routes.yaml, or its OID")
    if max(map(len, cells.values())) > _VALUE_MAX:
        raise Unfit(f"a value is longer than {_VALUE_MAX} characters")
    if cells.get("kind", "") not in ("", "local", "alias"):
        raise Unfit("the column kind is empty, local or alias")
    status, attributes = cells.get("status", ""), tuple(sorted(filter(None, cells.get("attributes", "").split())))
    if status not in _STATUSES:
        raise Unfit("the column status is empty, PROV, VALI, RECUP or QUAL")
    if not set(attributes) <= _ATTRIBUTES:
        raise Unfit(f"attributes are {', '.join(sorted(_ATTRIBUTES))}, with blanks between them")
    if cells.get("birth_date") and not normal_date(cells["birth_date"]):
        raise Unfit("the birth date is none: write YYYYMMDD; zeros, or 99, where month or day isn't known")
    ins_oid, ins = _ins(cells, status)
    traits = StrictTraits(*(cells.get(name, "") for name in StrictTraits._fields))
    return Entry(
        number=cells["number"], authority=authority, value=cells["value"], alias=cells.get("kind") == "alias",
        status=status, attributes=attributes, traits=traits, ins_oid=ins_oid, ins=ins,
    )  # fmt: skip


def _ins(cells: Mapping[str, str], status: str) -> tuple[str, str]:
    oid, value = cells.get("ins_oid", ""), cells.get("ins", "")
    if not oid and not value:
        return "", ""
    known = INS_AUTHORITIES.get(oid)
    if not value or known is None or known.obsolete or known.test or matricule_fault(value) == "ins-form":
        raise Unfit("the INS isn't fifteen characters under an OID of the INS in production")
    if status != Status.QUALIFIED:
        raise Unfit("an INS stands for a qualified identity only (status QUAL): leave it out")
    return oid, value


class Keyed(NamedTuple):
    """An entry with its hashes, made once."""

    entry: Entry
    number: int
    local: int
    ins: int
    """0: none."""
    traits: int
    """0: not comparable, or not said."""


class Bulk:
    """Takes entries over a view, and gives what changed as events."""

    def __init__(
        self, view: CrossReference, policy: IdentityPolicy, references: References, *, next_patient: int, at_ms: int
    ) -> None:
        """
        Begin.

        Args:
            view: What is known; the keys of the entries were read.
            policy: The group's rules.
            references: Makes hashes.
            next_patient: Id of the next patient.
            at_ms: Now.
        """
        assert policy.federation is not None, "a cross-reference needs the group's authority"
        self._draft = Draft(view)
        self._policy = policy
        self._group = policy.federation.key
        self._references = references
        self._form_length = len(policy.number.write(1))
        self._at_ms = at_ms
        self._alike: dict[int, set[int]] = {}
        self.next_patient = next_patient

    def keyed(self, entry: Entry) -> Keyed:
        """Hash what an entry says."""
        make = self._references.hash
        comparable = not entry.alias and set(entry.attributes) <= {Attribute.HOMONYM.value}
        return Keyed(
            entry, make("patient", self._group, entry.number), make("patient", entry.authority.key, entry.value),
            make("ins", entry.ins_oid, entry.ins) if entry.ins else 0,
            trait_hash(entry.traits, self._references) if comparable else 0,
        )  # fmt: skip

    def take(self, keyed: Keyed) -> str:
        """
        Take one entry.

        Returns:
            ADDED or KNOWN.

        Raises:
            Unfit: It can't be taken; nothing of it was.
            Unread: Rows are missing; nothing of it was taken: read them, and take it again.
        """
        draft, entry = self._draft, keyed.entry
        group, local = draft.identifier(keyed.number), draft.identifier(keyed.local)
        if local is not None:
            if group is None or group.patient != local.patient:
                raise Unfit(f"the identifier is known, as one of patient {local.patient}, who has another number")
            return KNOWN
        patient = draft.living(group.patient) if group is not None else None
        self._check(keyed, patient)
        alike = self._alike_of(patient.id if patient is not None else 0, keyed.traits)
        if patient is not None:
            for other in alike:  # what isn't read is told before anything is put
                draft.review(min(patient.id, other), max(patient.id, other))
        if patient is None:
            patient = self._mint(keyed)
        kind = IdentifierKind.ALIAS if entry.alias else IdentifierKind.LOCAL
        draft.put(IdentifierRow(keyed.local, kind, entry.authority.key, entry.value, patient.id))
        if entry.says_something and not entry.alias:
            self._say(keyed, patient.id)
        draft.did("import")
        return ADDED

    def events(self, place: int, *, who: str, reason: str) -> list[IdentityEvent]:
        """Return what changed, as acts of an operator: one a patient, so that each has his own history."""
        whole = self._draft.event(place, self._at_ms, who=who, reason=reason)
        found: dict[int, IdentityEvent] = {}

        def of(id_: int) -> IdentityEvent:
            if id_ not in found:
                found[id_] = IdentityEvent("import", place, self._at_ms, who=who, reason=reason)
            return found[id_]

        if whole is not None:
            for id_, rows in whole.patients.items():
                of(id_).patients[id_] = rows
            for key, (before, after) in whole.identifiers.items():
                assert after is not None, "an import forgets nothing"
                of(after.patient).identifiers[key] = before, after
            for pair, review in whole.reviews.items():
                of(max(pair)).reviews[pair] = review
        return [found[id_] for id_ in sorted(found)]

    # --- what forbids it

    def _check(self, keyed: Keyed, patient: PatientRow | None) -> None:
        """
        Refuse what would make one person of two.

        Raises:
            Unfit: It would.
        """
        entry = keyed.entry
        if patient is None:
            self._check_number(entry.number)
        rows = rows_of(self._draft, patient) if patient is not None else []
        if not entry.alias and any(
            row.kind is IdentifierKind.LOCAL and row.authority == entry.authority.key for row in rows
        ):
            raise Unfit("this hospital has another number in use for the patient: one of the two is kind alias")
        if keyed.ins:
            self._check_ins(keyed, patient, rows)
        for assertion in patient.assertions if patient is not None else ():
            compared = compare_traits(entry.traits, traits_of(assertion))
            if compared.beyond_tolerance and not entry.alias:
                names = ", ".join(compared.different)
                raise Unfit(f"{names} aren't those that {assertion.site} says of the patient: perhaps another person")

    def _check_number(self, number: str) -> None:
        """Refuse a number that looks like ours and was mistyped."""
        form = self._policy.number
        ours = number.startswith(form.prefix) and len(number) == self._form_length and self._owns
        if ours and form.read(number) is None:
            raise Unfit("the number has the form of the group's, and its check digits don't fit: mistyped")

    def _check_ins(self, keyed: Keyed, patient: PatientRow | None, rows: list[IdentifierRow]) -> None:
        entry, held = keyed.entry, self._draft.identifier(keyed.ins)
        if held is not None and (patient is None or held.patient != patient.id):
            raise Unfit(f"the INS is that of patient {held.patient}")
        kind = authority_of(entry.ins_oid).kind
        for row in rows:
            if row.kind is IdentifierKind.INS and authority_of(row.authority).kind is kind and row.value != entry.ins:
                raise Unfit("the patient has another INS, which a hospital has qualified")

    # --- what is done

    def _mint(self, keyed: Keyed) -> PatientRow:
        entry = keyed.entry
        counter = self._policy.number.read(entry.number) if self._owns else None
        patient = PatientRow(self.next_patient, entry.number)
        self.next_patient = max(self.next_patient, counter or 0) + 1  # no number is given twice
        self._draft.mint(patient)
        self._draft.put(IdentifierRow(keyed.number, IdentifierKind.FEDERATION, self._group, entry.number, patient.id))
        return patient

    def _say(self, keyed: Keyed, id_: int) -> None:
        draft, entry = self._draft, keyed.entry
        site = entry.authority.site
        if any(one.site == site for one in draft.living(id_).assertions):
            return
        if keyed.ins and draft.identifier(keyed.ins) is None:
            draft.put(IdentifierRow(keyed.ins, IdentifierKind.INS, entry.ins_oid, entry.ins, id_))
        assertion = Assertion(
            site,
            entry.status,
            entry.attributes,
            *entry.traits,
            ins=keyed.ins,
            traits=keyed.traits,
            place=0,
            at_ms=self._at_ms,
        )
        draft.put_assertion(id_, assertion)
        if keyed.traits:
            self._propose(id_, keyed.traits)

    def _propose(self, id_: int, traits: int) -> None:
        """Put pairs with the same strict traits on the review list (docs/developers/identity.md, rule 4)."""
        for other in self._alike_of(id_, traits):
            sentence = "the same strict traits, in a cross-reference that was taken over"
            self._draft.propose(id_, other, "same-traits", sentence, 0, self._at_ms)
        self._alike.setdefault(traits, set()).add(id_)

    def _alike_of(self, id_: int, traits: int) -> list[int]:
        """Return the other patients of whom a hospital says these strict traits."""
        if not traits:
            return []
        found = {*self._draft.alike(traits), *self._alike.get(traits, ())} - {id_}
        return sorted(other for other in found if self._draft.patient(other) is not None)

    @property
    def _owns(self) -> bool:
        return self._policy.registry is Registry.OWN
