"""
Who the patients of a message are that was decided on before: looked up, and nothing is decided again.

A delivery that waits while its patients are parted is made anew by what is known since then. To decide again would undo
what an officer has just said: the INS by which two were joined still stands in the message, and so does the merge.

A number says who is meant only as long as it stands for the same person. So what the message says of the person must
agree with what is said of whoever has the number now; where nobody has said anything of him yet, nothing shows that it
is his (docs/developers/identity.md, rule 7: nothing is guessed).

The registry that is followed says itself who has its numbers, and for all others it corrects itself: it has moved a
hospital's number to another patient since. So its list is still about whom it numbers, and leaves without what is
somebody else's now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.identity.deciding.asserting import own_assertion
from engine.identity.deciding.decision import Code, Decision, Outcome, stay_patients, territorial
from engine.identity.deciding.following import is_registry
from engine.identity.deciding.judging import believed_assertion
from engine.identity.events import IDENTITY_EVENTS, MERGES
from engine.identity.traits import Trait, Verdict, compare_traits, traits_of, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from engine.core.identities import Assertion, PatientRow
    from engine.identity.claimed import Claims, Person
    from engine.identity.crossreference import CrossReference
    from engine.identity.policy import IdentityPolicy

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


def is_about(sent: Claims, received: Claims, view: CrossReference, policy: IdentityPolicy) -> bool:
    """
    Tell whether what is to leave names those of whom its message speaks, by what is known now.

    A route may leave numbers out: one of the group alone says nothing of the number by which it was found.

    Args:
        sent: What the bytes that are to leave say.
        received: What the message said when it came.
        view: What is known.
        policy: Of its source.

    Raises:
        Unread: The view never read one of its numbers.
    """
    if len(sent.persons) != len(received.persons):
        return False
    registry = is_registry(received, policy)
    return all(
        set(_named(leaves, view) or stay_patients(leaves, view)) <= set(_meant(came, received.site, view, registry))
        for leaves, came in zip(sent.persons, received.persons, strict=True)
    )


def doubt(claims: Claims, view: CrossReference, policy: IdentityPolicy) -> str:
    """
    Say why a message that names somebody by the group's number alone may not be about who has it now.

    His patient was parted: whoever wrote the number may have meant either. Empty: it is about him, or names no such.

    Raises:
        Unread: The view never read one of its numbers.
    """
    registry = is_registry(claims, policy)
    for person in claims.persons:
        if not person.federation or any(view.identifier(one.hash) for one in person.local):
            continue
        ids = list(_named(person, view))
        patient = view.patient(ids[0]) if len(ids) == 1 else None
        said = "" if patient is None or stay_patients(person, view) else _doubt(person, claims.site, patient, registry)
        if said:
            return said
    return ""


def recall(claims: Claims, view: CrossReference, policy: IdentityPolicy, *, passes: bool) -> Decision:
    """
    Look up who the patients of a message are.

    Args:
        claims: What it says.
        view: What is known.
        policy: Of its source.
        passes: It may leave when nobody knows its patient.

    Returns:
        Known, or dead (E-ID-PARTED): its numbers are those of several, of nobody, or of a person who, by what is said
        of him, isn't the one of whom it speaks. Without any event.

    Raises:
        Unread: The view never read one of its numbers.
    """
    if len(claims.persons) > 1 and claims.event in IDENTITY_EVENTS:
        return _dead(claims, (), "it says something of two patients, of whom another decision was taken since")
    merges, registry = claims.event in MERGES, is_registry(claims, policy)
    patients: list[PatientRow | None] = []
    left_out: set[tuple[str, str]] = set()
    for person in claims.persons:
        if registry and person.federation and claims.event not in IDENTITY_EVENTS:
            ids = _numbered(person, view)
            left_out |= _others_of(person, ids, view)
        else:
            ids = list(_named(person, view, merges=merges)) or list(stay_patients(person, view))
        if len(ids) > 1:
            return _dead(claims, ids, "it names by its numbers two people, who were one when it came")
        patient = view.patient(ids[0]) if ids else None
        if patient is None and (not passes or (registry and person.federation)):
            return _dead(claims, ids, "nobody has its patient's numbers any more")
        said = "" if patient is None else _doubt(person, claims.site, patient, registry)
        if said:
            return _dead(claims, ids, said)
        patients.append(patient)
    known = all(one is not None for one in patients)
    outcome = Outcome.KNOWN if known else Outcome.PASS
    return Decision(outcome, tuple(patients), left_out=frozenset(left_out))


def _numbered(person: Person, view: CrossReference) -> list[int]:
    """Return the patients whom the registry numbers so; none where nobody has one of the numbers any more."""
    rows = [view.identifier(one.hash) for one in person.federation]
    return list(dict.fromkeys(row.patient for row in rows if row is not None)) if all(rows) else []


def _others_of(person: Person, ids: list[int], view: CrossReference) -> set[tuple[str, str]]:
    """Return the hospitals' numbers of a person that are somebody else's now, as (authority, value)."""
    rows = ((one, view.identifier(one.hash)) for one in person.local)
    return {(one.authority, one.value) for one, row in rows if row is not None and row.patient not in ids}


def _meant(person: Person, site: str, view: CrossReference, registry: bool) -> Iterable[int]:
    """Return who a person is: by the registry's own number, by his site's, by any other; else by his stay."""
    if registry and person.federation:
        return _numbered(person, view)
    rows = [view.identifier(one.hash) for one in person.local if one.site == site]
    own = dict.fromkeys(row.patient for row in rows if row is not None)
    return own or _named(person, view) or stay_patients(person, view)


def _named(person: Person, view: CrossReference, *, merges: bool = False) -> dict[int, None]:
    """Return the patients of a person's numbers; of a merge also of the number that ends."""
    numbers = [*person.federation, *person.local]
    if merges or person.fusion:
        numbers += [*person.prior_federation, *person.prior]
    rows = [view.identifier(one.hash) for one in numbers]
    return dict.fromkeys(row.patient for row in rows if row is not None)


def _doubt(person: Person, site: str, patient: PatientRow, registry: bool) -> str:
    """
    Say why a message may not be about the patient to whom its number leads now; empty: it is.

    The word of its own site counts, else that of all others. What the registry says of whom it numbers is doubtful only
    where it has said another thing since.
    """
    own = own_assertion(patient, site)
    if registry and person.federation:
        return _CONTRADICTED if own is not None and not _within(person, own) else ""
    said = [own] if own is not None else [one for one in patient.assertions if believed_assertion(one)]
    if not said:
        return "its number is another patient's now, and no hospital has said yet who that is"
    if all(_agree(person, one) for one in said):
        return ""
    return _CONTRADICTED


_CONTRADICTED: Final = (
    "its number is another patient's now, and names, dates or sex of the message aren't known to be his"
)


def _agree(person: Person, said: Assertion) -> bool:
    """
    Whether a person is the one of whom a site speaks: within tolerance, and a name or the date the same.

    Where the group's number alone names him nothing may differ: it was that of two people, who may be alike.
    """
    tolerant = bool(person.local) or not person.federation
    return person.traits == traits_of(said) or _within(person, said, _TELLING, tolerant=tolerant)


def _within(person: Person, said: Assertion, telling: Collection[Trait] = (), *, tolerant: bool = True) -> bool:
    """Whether traits differ within tolerance, or not at all, one of some being the same; a usual name is no other."""
    compared = compare_traits(person.traits, traits_of(said))
    verdicts = dict(compared.verdicts)
    if said.birth_name and any(words(name) == words(said.birth_name) for name in person.names):
        verdicts[Trait.BIRTH_NAME] = Verdict.SAME
    different = [one for one, verdict in verdicts.items() if verdict is Verdict.DIFFERENT]
    beyond = len(set(different) - {Trait.BIRTH_PLACE}) > 1 or Trait.FIRST_NAME in compared.far
    beyond = beyond or (bool(different) and not tolerant)
    return not beyond and (not telling or any(verdicts[one] is Verdict.SAME for one in telling))


def _dead(claims: Claims, ids: Iterable[int], reason: str) -> Decision:
    parked = tuple(territorial(claims.references, id_) for id_ in ids)
    return Decision(Outcome.DEAD, code=Code.PARTED, reason=reason, parked=parked)
