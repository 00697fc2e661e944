"""
Whether what a site says now can be the person of whom it spoke before, and of whom the others speak.

Beyond tolerance (traits.Comparison) is a conflict: the message dies, and leaves the patient as he was
(docs/developers/identity.md, rule 7). A site's number stands for whom the site was sure of last: what it says meanwhile
without being sure (provisional, doubtful, fictive…) covers that, and doesn't take its place (Assertion.firm). Hidden
identities (PD1-12) are the person's own and only not shown. Anonymous and fictive ones are *masks*: they may be quite
other traits, and nobody else's number may come under one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.identities import IdentifierKind
from engine.identity.deciding.asserting import merged_traits, own_assertion, repeats
from engine.identity.deciding.decision import Code, conflict
from engine.identity.deciding.joining import rows_of
from engine.identity.deciding.judging import believed_assertion, believed_traits, firm_traits, masked_assertion
from engine.identity.traits import Comparison, StrictTraits, Trait, Verdict, compare_traits, traits_of, words

if TYPE_CHECKING:
    from engine.core.identities import Assertion, PatientRow
    from engine.identity.claimed import Person
    from engine.identity.deciding.terms import Terms

_CORRECTED_MAX: Final = 3
"""So many of birth name, first given name, birth date and sex are no correction, but another person."""
_IN_USE: Final = frozenset({IdentifierKind.LOCAL})
_NUMBERS: Final = frozenset({IdentifierKind.LOCAL, IdentifierKind.ALIAS})
_HEAVY: Final = frozenset(Trait) - {Trait.BIRTH_PLACE}


class _Ground(NamedTuple):
    """Something that a site said of a number, against which a message is held."""

    traits: StrictTraits
    firm: bool
    """The site was sure of it."""
    masked: bool
    """Anonymous, fictive."""


def check_same_person(person: Person, terms: Terms, patient: PatientRow) -> None:
    """
    Make sure that a known number still stands for the person for whom it stood (rule 7).

    Compared is what the site said until now; where the message names several persons (A24), what it said before all of
    them too: one within tolerance of the other, and that of a third, would be a way from one person to another.

    Args:
        person: As the message says.
        terms: Of the message, its merges and renames done.
        patient: Whose number it is.

    Raises:
        Ended: The traits disagree beyond tolerance.
    """
    traits = person.traits
    if not (traits.birth_name or traits.first_name or traits.birth_date or person.names):
        return
    for before in _said_before(terms, patient):
        if terms.claims.is_source:
            different = _contradicted(person, terms, patient, before)
        else:
            different = _not_meant(person, terms, patient, before)
        if different:
            raise conflict(
                Code.TRAITS,
                f"{', '.join(sorted(different))} of the message are not those that {before.site} asserted for this "
                "number, when it was sure of them last: have the site check for whom it stands; if it is another "
                "person now, identity unlink with --ipp and --another-person, then retry", patient.id,
            )  # fmt: skip


def _said_before(terms: Terms, patient: PatientRow) -> list[Assertion]:
    """Return what the site said of a patient until now, and before the message."""
    rows = [patient]
    if len(terms.claims.persons) > 1 and patient.id not in terms.draft.minted:
        known = terms.view.patient(patient.id)
        rows += [known] if known is not None else []
    said = [own for row in rows if (own := own_assertion(row, terms.claims.site)) is not None]
    return list(dict.fromkeys(said))


# --- a site of its own number --------------------------------------------------------------------------------


def _contradicted(person: Person, terms: Terms, patient: PatientRow, before: Assertion) -> set[Trait]:
    """Return the traits by which a site speaks of another person under its number; none: it may be the same."""
    if repeats(person, terms.claims, before):
        return set()
    traits = merged_traits(person.traits, before)
    for ground in _grounds(before):
        different = _different(person, traits, ground.traits)
        far = Trait.FIRST_NAME in compare_traits(traits, ground.traits).far
        if different and _is_another(different, ground, person, terms, patient, far=far):
            return different
        if not different and ground.firm and not believed_assertion(before):
            break  # it is again who it was: what was doubted in between isn't held against it
    return set()


def _grounds(before: Assertion) -> list[_Ground]:
    """Return of what a site was sure last, and what stands over it; a mask over it says nothing."""
    firm, masked = firm_traits(before), masked_assertion(before)
    grounds = [_Ground(firm, firm=True, masked=False)] if firm is not None else []
    if firm is None or (before.firm and not masked):
        grounds.append(_Ground(traits_of(before), firm=False, masked=masked))
    return grounds


def _is_another(
    different: set[Trait], ground: _Ground, person: Person, terms: Terms, patient: PatientRow, *, far: bool
) -> bool:
    """
    Tell whether other traits mean another person.

    The number's own site may correct an identity, all of it while it was never sure of one; not where it says so under
    one of several numbers, or while it replaces one by another: what it said under the others would be the new
    person's. There one trait is too much when it is quite another given name (`far`), or when nothing that the message
    says is the same.
    """
    masked = person.status.masked or ground.masked
    if ground.firm and not person.status.masked and len(different) >= _CORRECTED_MAX:
        return True
    said = compare_traits(person.traits, ground.traits)
    same = any(said.verdicts[trait] is Verdict.SAME for trait in _HEAVY)
    if len(different) == 1 and not far and same:
        return False
    if masked and not _is_retired(person, terms):
        return _has_more_numbers(person, terms, patient, _IN_USE)
    return person.replaces or _has_more_numbers(person, terms, patient, _NUMBERS)


def _is_retired(person: Person, terms: Terms) -> bool:
    """Whether a person comes under a number that ended: whoever it is now, he isn't taken for the former unseen."""
    rows = [terms.look(one) for one in person.local]
    return any(row is not None and row.kind is IdentifierKind.ALIAS for row in rows)


def _has_more_numbers(person: Person, terms: Terms, patient: PatientRow, kinds: frozenset[IdentifierKind]) -> bool:
    """Whether numbers of the site lead to a patient beside the one that the message names."""
    named = {one.authority: one.hash for one in person.local if one.site == terms.claims.site}
    return not named or any(
        row.kind in kinds and row.hash != named.get(row.authority, row.hash) for row in rows_of(terms.draft, patient)
    )


# --- a result ------------------------------------------------------------------------------------------------


def _not_meant(person: Person, terms: Terms, patient: PatientRow, before: Assertion) -> set[Trait]:
    """
    Return the traits by which a result means somebody else; none: it may mean the patient.

    It refers to somebody: two that differ are enough to doubt. It may know him by what the site says now, or by that of
    which it was sure last. Who was never more than doubtful or masked may be called otherwise, under his one number.
    """
    different = _different(person, person.traits, traits_of(before))
    if len(different) < 2 or (before.firm and len(_different(person, person.traits, StrictTraits(*before.firm))) < 2):
        return set()
    if believed_traits(before) is None and (
        masked_assertion(before) or not _has_more_numbers(person, terms, patient, _NUMBERS)
    ):
        return set()
    if person.status.masked and not _has_more_numbers(person, terms, patient, _IN_USE):
        return set()
    return different


def _different(person: Person, traits: StrictTraits, ground: StrictTraits) -> set[Trait]:
    """Return the traits that differ and weigh; a usual name that is the known birth name is no difference."""
    different = _HEAVY.intersection(compare_traits(traits, ground).different)
    if any(words(name) == words(ground.birth_name) for name in person.names):
        different -= {Trait.BIRTH_NAME}
    return set(different)


# --- the other sites -----------------------------------------------------------------------------------------


def check_others_agree(terms: Terms, patient: int, before: Assertion | None) -> None:
    """
    Make sure that what a site says now can still be the person of whom the other sites speak (rule 7).

    Args:
        terms: Of the message.
        patient: Whose assertions are compared; of others what they believe, or were sure of last. A mask is compared
            with nothing.
        before: What the site said until now: who disagreed already, in all that disagrees now, was joined by people
            who knew. What the site itself didn't believe was let in unseen, and excuses nothing that it believes now.

    Raises:
        Ended: It disagrees beyond tolerance, which it didn't before.
    """
    row = terms.draft.living(patient)
    own = own_assertion(row, terms.claims.site)
    if own is None or own == before or masked_assertion(own):
        return
    excuse = believed_traits(before)
    if before is not None and not believed_assertion(own):
        excuse = traits_of(before)
    for other in row.assertions:
        theirs = believed_traits(other)
        if other.site == own.site or theirs is None:
            continue
        compared = compare_traits(traits_of(own), theirs)
        if not compared.beyond_tolerance:
            continue
        if excuse is not None and _was_known(compared, compare_traits(excuse, theirs)):
            continue
        raise conflict(
            Code.TRAITS,
            f"{', '.join(compared.different)} of the message are not those that {other.site} asserts for the same "
            "patient: if they are two people, identity unlink with --ipp and --another-person, then retry; else have "
            "the wrong identity corrected, then retry",
            patient,
        )  # fmt: skip


def _was_known(now: Comparison, before: Comparison) -> bool:
    """Whether a disagreement beyond tolerance says nothing that wasn't disagreed on beyond tolerance before."""
    return before.beyond_tolerance and set(now.different) <= set(before.different)
