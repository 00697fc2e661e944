"""
The everyday message: one patient, known by his number, of whom nothing new is said.

It answers only what the other rules would answer without a change, and leaves everything else to them: a test holds
the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.core.identities import IdentifierKind
from engine.identity.deciding.asserting import agrees, says_nothing_new
from engine.identity.deciding.decision import Decision, Outcome

if TYPE_CHECKING:
    from engine.core.identities import PatientRow
    from engine.identity.claimed import ClaimedIns, Claims, Person
    from engine.identity.crossreference import CrossReference
    from engine.identity.policy import IdentityPolicy

_LOCAL: Final = IdentifierKind.LOCAL


def everyday(claims: Claims, view: CrossReference, policy: IdentityPolicy) -> Decision | None:
    """Return the decision on an everyday message; None: it isn't one."""
    if len(claims.persons) != 1:
        return None
    person = claims.persons[0]
    if person.replaces or person.federation or len(person.local) != 1:
        return None
    local = person.local[0]
    row = view.identifier(local.hash)
    if row is None or row.kind is not _LOCAL or row.value != local.value or row.authority != local.authority:
        return None
    patient = view.patient(row.patient)
    if patient is None or any(_is_news(one, patient) for one in person.ins):
        return None
    if not claims.is_source:
        return Decision(Outcome.KNOWN, (patient,)) if agrees(person, claims, patient) else None
    if not policy.allows(local.site, claims.site) or not _same_stays(person, view):
        return None
    return Decision(Outcome.KNOWN, (patient,)) if says_nothing_new(person, claims, patient) else None


def _is_news(claimed: ClaimedIns, patient: PatientRow) -> bool:
    """Whether an INS says something that isn't known of the patient; one of the spaces for tests says nothing."""
    return claimed.hash not in patient.identifiers and (claimed.usable or claimed.ins.deleted)


def _same_stays(person: Person, view: CrossReference) -> bool:
    """Whether the stays are known under the person's number."""
    local = person.local[0].hash
    for stay in (*person.accounts, *person.visits):
        known = view.identifier(stay.hash)
        if known is None or known.under != local or known.value != stay.value:
            return False
    return True
