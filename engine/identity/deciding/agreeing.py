"""
Whether what a site says now can be the person of whom it spoke before, and of whom the others speak.

Beyond tolerance (traits.Comparison) is a conflict: the message dies, and leaves the patient as he was (IDENTITY,
decision 7). Compared is what the site believes itself: a hidden identity (PD1-12) is the person's own and is only not
shown; of anonymous, fictive, doubtful… ones it says that they aren't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.core.identities import IdentifierKind
from engine.identity.deciding.asserting import own_assertion
from engine.identity.deciding.decision import Code, conflict
from engine.identity.deciding.joining import rows_of
from engine.identity.deciding.judging import believed_assertion
from engine.identity.statuses import Status
from engine.identity.traits import Trait, compare_traits, traits_of, words

if TYPE_CHECKING:
    from engine.core.identities import Assertion, PatientRow
    from engine.identity.claimed import Person
    from engine.identity.deciding.terms import Terms
    from engine.identity.traits import Comparison

_CORRECTED_MAX: Final = 3
"""So many of birth name, first given name, birth date and sex are no correction, but another person."""
_NUMBERS: Final = frozenset({IdentifierKind.LOCAL, IdentifierKind.ALIAS})


def check_same_person(person: Person, terms: Terms, patient: PatientRow) -> None:
    """
    Make sure that a known number still stands for the person for whom it stood (IDENTITY, decision 7).

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
    if not person.status.believed and not _is_retired(person, terms):
        return
    if not (traits.birth_name or traits.first_name or traits.birth_date or person.names):
        return
    for before in _said_before(terms, patient):
        if not believed_assertion(before) or traits == traits_of(before):
            continue
        compared = compare_traits(traits, traits_of(before))
        different = set(compared.different) - {Trait.BIRTH_PLACE}
        if any(words(name) == words(before.birth_name) for name in person.names):
            different.discard(Trait.BIRTH_NAME)
        if _is_another(different, compared, person, terms, patient, before):
            raise conflict(
                Code.TRAITS,
                f"{', '.join(sorted(different))} of the message are not those that {before.site} asserted for this "
                "number: have the site check for whom it stands; if it is another person now, identity unlink with "
                "--ipp and --another-person, then retry", patient.id,
            )  # fmt: skip


def _is_retired(person: Person, terms: Terms) -> bool:
    """Whether a person comes under a number that ended: whoever it is now, he isn't taken for the former unseen."""
    rows = [terms.look(one) for one in person.local]
    return any(row is not None and row.kind is IdentifierKind.ALIAS for row in rows)


def _said_before(terms: Terms, patient: PatientRow) -> list[Assertion]:
    """Return what the site said of a patient until now, and before the message."""
    rows = [patient]
    if len(terms.claims.persons) > 1 and patient.id not in terms.draft.minted:
        known = terms.view.patient(patient.id)
        rows += [known] if known is not None else []
    said = [own for row in rows if (own := own_assertion(row, terms.claims.site)) is not None]
    return list(dict.fromkeys(said))


def check_others_agree(terms: Terms, patient: int, before: Assertion | None) -> None:
    """
    Make sure that what a site says now can still be the person of whom the other sites speak (IDENTITY, decision 7).

    Args:
        terms: Of the message.
        patient: Whose assertions are compared.
        before: What the site said until now: who disagreed already was joined by people who knew. What can't be
            compared (fictive, doubtful) was let in unseen and excuses nothing.

    Raises:
        Ended: It disagrees beyond tolerance, which it didn't before.
    """
    row = terms.draft.living(patient)
    own = own_assertion(row, terms.claims.site)
    if own is None or own == before or not believed_assertion(own):
        return
    for other in row.assertions:
        if other.site == own.site or not believed_assertion(other):
            continue
        compared = compare_traits(traits_of(own), traits_of(other))
        if not compared.beyond_tolerance:
            continue
        if (
            before is not None
            and believed_assertion(before)
            and compare_traits(traits_of(before), traits_of(other)).beyond_tolerance
        ):
            continue
        raise conflict(
            Code.TRAITS,
            f"{', '.join(compared.different)} of the message are not those that {other.site} asserts for the same "
            "patient: if they are two people, identity unlink with --ipp and --another-person, then retry; else have "
            "the wrong identity corrected, then retry",
            patient,
        )  # fmt: skip


def _is_another(
    different: set[Trait], compared: Comparison, person: Person, terms: Terms, patient: PatientRow, before: Assertion
) -> bool:
    """
    Tell whether other traits mean another person.

    A result refers to somebody: two that differ are enough to doubt. The number's own site may correct an identity, all
    of it while it is provisional; not where it says so under one of several numbers, or while it replaces one by
    another: what it said under the others would be the new person's.
    """
    if not different:
        return False
    if not terms.claims.is_source:
        return len(different) > 1
    if len(different) >= _CORRECTED_MAX and before.status != Status.PROVISIONAL:
        return True
    beyond = len(different) > 1 or Trait.FIRST_NAME in compared.far
    return beyond and (person.replaces or _has_more_numbers(person, terms, patient))


def _has_more_numbers(person: Person, terms: Terms, patient: PatientRow) -> bool:
    """Whether numbers of the site lead to a patient, former ones too, beside the one that the message names."""
    named = {one.authority: one.hash for one in person.local if one.site == terms.claims.site}
    return not named or any(
        row.kind in _NUMBERS and row.hash != named.get(row.authority, row.hash) for row in rows_of(terms.draft, patient)
    )
