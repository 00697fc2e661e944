"""
Who the patients of a message are that was decided on before: looked up, and nothing is decided again.

A delivery that waits while its patients are parted is made anew by what is known since then. To decide again would undo
what an officer has just said: the INS by which two were joined still stands in the message, and so does the merge.

A number says who is meant only as long as it stands for the same person. So what the message says of the person must
agree with what is said of whoever has the number now; where nobody has said anything of him yet, nothing shows that it
is his (IDENTITY, decision 7: nothing is guessed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.identity.deciding.asserting import own_assertion
from engine.identity.deciding.decision import Code, Decision, Outcome, stay_patients, territorial
from engine.identity.deciding.judging import believed_assertion
from engine.identity.events import IDENTITY_EVENTS, MERGES
from engine.identity.traits import Trait, Verdict, compare_traits, traits_of, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.identities import Assertion, PatientRow
    from engine.identity.claimed import Claims, Person
    from engine.identity.crossreference import CrossReference

_TELLING: Final = (Trait.BIRTH_NAME, Trait.FIRST_NAME, Trait.BIRTH_DATE)
"""One of them at least must be the same: the sex alone tells nobody."""


def holds_together(claims: Claims, view: CrossReference) -> bool:
    """
    Tell whether the numbers with which a message is to leave name one patient each time, by what is known now.

    Raises:
        Unread: The view never read one of its numbers.
    """
    merges = claims.event in MERGES
    for person in claims.persons:
        if any(view.identifier(one.hash) is None for one in person.federation):
            return False  # a number of the group that nobody has any more
        found = _named(person, view, merges=merges)
        if not person.local:
            found |= dict.fromkeys(stay_patients(person, view))
        if len(found) > 1:
            return False
    return True


def recall(claims: Claims, view: CrossReference, *, passes: bool) -> Decision:
    """
    Look up who the patients of a message are.

    Args:
        claims: What it says.
        view: What is known.
        passes: It may leave when nobody knows its patient.

    Returns:
        Known, or dead (E-ID-PARTED): its numbers are those of several, of nobody, or of a person who, by what is said
        of him, isn't the one of whom it speaks. Without any event.

    Raises:
        Unread: The view never read one of its numbers.
    """
    if len(claims.persons) > 1 and claims.event in IDENTITY_EVENTS:
        return _dead(claims, (), "it says something of two patients, of whom another decision was taken since")
    merges = claims.event in MERGES
    patients: list[PatientRow | None] = []
    for person in claims.persons:
        ids = list(_named(person, view, merges=merges)) or list(stay_patients(person, view))
        if len(ids) > 1:
            return _dead(claims, ids, "it names by its numbers two people, who were one when it came")
        patient = view.patient(ids[0]) if ids else None
        if patient is None and not passes:
            return _dead(claims, ids, "nobody has its patient's numbers any more")
        doubt = "" if patient is None else _doubt(person, claims.site, patient)
        if doubt:
            return _dead(claims, ids, doubt)
        patients.append(patient)
    known = all(one is not None for one in patients)
    return Decision(Outcome.KNOWN if known else Outcome.PASS, tuple(patients))


def _named(person: Person, view: CrossReference, *, merges: bool) -> dict[int, None]:
    """Return the patients of a person's numbers; of a merge also of the number that ends."""
    numbers = [*person.federation, *person.local]
    if merges or person.fusion:
        numbers += [*person.prior_federation, *person.prior]
    rows = [view.identifier(one.hash) for one in numbers]
    return dict.fromkeys(row.patient for row in rows if row is not None)


def _doubt(person: Person, site: str, patient: PatientRow) -> str:
    """
    Say why a message may not be about the patient to whom its number leads now; empty: it is.

    The word of its own site counts, else that of all others.
    """
    own = own_assertion(patient, site)
    said = [own] if own is not None else [one for one in patient.assertions if believed_assertion(one)]
    if not said:
        return "its number is another patient's now, and no hospital has said yet who that is"
    if all(_agree(person, one) for one in said):
        return ""
    return "its number is another patient's now, and names, dates or sex of the message aren't known to be his"


def _agree(person: Person, said: Assertion) -> bool:
    """Whether a person is the one of whom a site speaks: within tolerance, a usual name being no other name."""
    traits = traits_of(said)
    if person.traits == traits:
        return True
    compared = compare_traits(person.traits, traits)
    verdicts = dict(compared.verdicts)
    if said.birth_name and any(words(name) == words(said.birth_name) for name in person.names):
        verdicts[Trait.BIRTH_NAME] = Verdict.SAME
    different = [one for one, verdict in verdicts.items() if verdict is Verdict.DIFFERENT]
    beyond = len(set(different) - {Trait.BIRTH_PLACE}) > 1 or Trait.FIRST_NAME in compared.far
    return not beyond and any(verdicts[one] is Verdict.SAME for one in _TELLING)


def _dead(claims: Claims, ids: Iterable[int], reason: str) -> Decision:
    parked = tuple(territorial(claims.references, id_) for id_ in ids)
    return Decision(Outcome.DEAD, code=Code.PARTED, reason=reason, parked=parked)
