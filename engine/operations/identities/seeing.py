"""Rows of the cross-reference as people read them: identifiers as pseudonyms and traits masked, unless revealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.core.identities import IdentifierKind
from engine.identity.ins import INS_AUTHORITIES
from engine.identity.traits import StrictTraits, Trait, compare_traits, normal_form, traits_of
from engine.operations.masking import mask
from engine.operations.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from engine.core.identities import Assertion, IdentifierRow, IdentityEvent, PatientRow
    from engine.core.references import References
    from engine.routes.configuration import Configuration

_KINDS: Final = {
    IdentifierKind.LOCAL: "in use", IdentifierKind.ALIAS: "replaced", IdentifierKind.FEDERATION: "group",
    IdentifierKind.INS: "INS", IdentifierKind.STAY: "stay",
}  # fmt: skip
_CHANGES_SHOWN: Final = 20


class Seeing:
    """How rows are shown."""

    def __init__(self, configuration: Configuration, references: References, *, reveal: bool = False) -> None:
        """
        Keep what names authorities and identifiers.

        Args:
            configuration: Today's: names of authorities.
            references: For pseudonyms.
            reveal: Show the values themselves.
        """
        self._reveal = reveal
        self._pseudonyms = Pseudonyms(references)
        self._names = {one.key: f"{one.site or 'group'}/{one.name}" for one in configuration.authorities.all()}
        self._names |= {oid: f"INS {one.kind.value}" for oid, one in INS_AUTHORITIES.items()}

    def authority(self, key: str) -> str:
        """Return an authority's name in routes.yaml, else its OID."""
        return self._names.get(key, key)

    def value(self, authority: str, value: str) -> str:
        """Return an identifier, or its pseudonym."""
        if self._reveal or not value:
            return value
        return self._pseudonyms.of(authority, value)

    def identifier(self, row: IdentifierRow) -> dict[str, Any]:
        """Show one identifier."""
        return {
            "kind": _KINDS[row.kind], "authority": self.authority(row.authority),
            "value": self.value(row.authority, row.value),
        }  # fmt: skip

    def assertion(self, one: Assertion) -> dict[str, Any]:
        """Show what a site says."""
        shown = {
            "site": one.site, "status": one.status, "attributes": list(one.attributes),
            "traits": self._traits(traits_of(one)), "message": str(one.place) if one.place else "",
            "at_ms": one.at_ms,
        }  # fmt: skip
        return shown | ({"was_sure_of": self._traits(StrictTraits(*one.firm))} if one.firm else {})

    def _traits(self, traits: StrictTraits) -> dict[str, str]:
        show = (lambda text: text) if self._reveal else mask
        return {name: show(value) for name, value in traits._asdict().items() if value}

    def patient(self, patient: PatientRow, rows: list[IdentifierRow]) -> dict[str, Any]:
        """Show a patient with his identifiers; `number` is the group's."""
        group = next((row.authority for row in rows if row.kind is IdentifierKind.FEDERATION), "")
        return {
            "id": str(patient.id),
            "number": self.value(group, patient.number),
            "identifiers": [self.identifier(row) for row in rows],
            "assertions": [self.assertion(one) for one in patient.assertions],
            "apart": [str(one) for one in patient.apart],
        }

    def event(self, event: IdentityEvent, about: int = 0) -> dict[str, Any]:
        """Show one event: what changed, without values; about one patient, or all."""
        return {
            "id": str(event.id),
            "at_ms": event.at_ms,
            "rule": event.rule,
            "who": event.who,
            "message": str(event.place) if event.place and not event.who else "",
            "reason": event.reason,
            "undoes": str(event.undoes) if event.undoes else "",
            "changes": self.changes(event, about),
        }

    def changes(self, event: IdentityEvent, about: int = 0) -> list[str]:
        """Say what an event changed, a sentence for each row: those of one patient, or all."""
        found = []
        for id_, (one, two) in event.patients.items():
            if about in (0, id_) and (one is None or two is None):
                found.append(f"patient {id_} {'begins' if one is None else 'ends'}")
            if about in (0, id_) and one is not None and two is not None:
                found += [f"what {site} said of patient {id_} is forgotten" for site in _forgotten(event, one)]
        for before, after in event.identifiers.values():
            row = after or before
            assert row is not None, "a row was there before or after"
            owners = {one.patient for one in (before, after) if one is not None}
            if row.kind is IdentifierKind.STAY or (about and about not in owners):
                continue
            name = f"{self.value(row.authority, row.value)} of {self.authority(row.authority)}"
            if before is None:
                found.append(f"{name} is one of patient {row.patient}")
            elif after is None:
                found.append(f"{name} is forgotten")
            elif before.patient != after.patient:
                found.append(f"{name} goes from patient {before.patient} to {after.patient}")
            elif before.kind != after.kind:
                found.append(f"{name} is now {_KINDS[after.kind]}")
        for pair, (_, review) in event.reviews.items():
            if about and about not in pair:
                continue
            words = review.state.name.lower() if review is not None else "no more"
            found.append(f"{pair[0]} and {pair[1]} are {words} on the review list")
        if not found:
            found = [f"what a hospital says of patient {id_}" for id_ in event.patients if about in (0, id_)]
        more = len(found) - _CHANGES_SHOWN
        return found if more <= 0 else [*found[:_CHANGES_SHOWN], f"and {more:,} more"]


def _forgotten(event: IdentityEvent, before: PatientRow) -> list[str]:
    """Return the sites whose assertion of a patient nobody has after an event, neither he nor another."""
    kept = {one.site for _, patient in event.patients.values() if patient is not None for one in patient.assertions}
    return [one.site for one in before.assertions if one.site not in kept]


def compared(one: PatientRow, other: PatientRow) -> str:
    """Say how what hospitals assert of two patients compares, without a value: the pair that differs least."""
    pairs = [(traits_of(mine), traits_of(theirs)) for mine in one.assertions for theirs in other.assertions]
    if not pairs:
        return "no hospital says who they are"
    found = [(compare_traits(*pair), pair) for pair in pairs]
    best, closest = min(found, key=lambda each: (len(each[0].different), len(each[0].unknown)))
    same = [trait for trait in best.verdicts if trait not in best.different and trait not in best.unknown]
    if len(same) == len(best.verdicts):
        return "all strict traits are the same"
    unknown = list(best.unknown)
    shorter = Trait.FIRST_NAME in unknown and all(normal_form(traits).first for traits in closest)
    if shorter:
        unknown.remove(Trait.FIRST_NAME)
    parts = (("different", best.different), ("the same", same), ("not known", unknown))
    said = [f"{', '.join(traits)} {words}" for words, traits in parts if traits]
    return "; ".join([*said, *(["one has fewer given names than the other, otherwise the same"] if shorter else [])])
