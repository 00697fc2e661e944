"""Which rules an event asks: HL7 v2.5 table 0003, PAM France 2.11.1 (docs/developers/identity.md, rules 5 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.identity.deciding.decision import Code, Ended, Outcome
from engine.identity.deciding.following import follow, is_registry
from engine.identity.deciding.ins import change_ins
from engine.identity.deciding.knowing import know
from engine.identity.deciding.merging import link, merge, move, rename, unlink
from engine.identity.deciding.moving import merge_stays, move_stays, paired, record_ended_stays, rename_stays
from engine.identity.events import MERGES, RENAMES
from engine.identity.policy import Unknown

if TYPE_CHECKING:
    from engine.identity.claimed import Person
    from engine.identity.deciding.terms import Terms

_STAYS: Final = frozenset({"A35", "A41", "A42", "A44", "A45", "A49", "A50", "A51"})
_BOTH: Final = frozenset({"A18", "A36"})
"""Merge the stay too, where they name one that ends: HL7 v2.5 § 3.3.18, 3.3.36."""
_WITH_MRG: Final = frozenset({"A06", "A07"})
"""HL7 v2.5 § 3.3.6, 3.3.7: MRG when the stay's number changes with the class of the patient."""


def decide_events(terms: Terms) -> list[int]:
    """
    Decide on every person of a message.

    Returns:
        Ids of their patients; 0: the message passes without that one.

    Raises:
        Ended: The message waits, or is dead.
    """
    claims = terms.claims
    if not claims.persons and terms.on_unknown.action is not Unknown.PASS:
        raise Ended(
            Outcome.DEAD, Code.NOBODY,
            "the message has no segment that names a patient: have it corrected, or let `when:` leave such ones out",
        )  # fmt: skip
    if is_registry(claims, terms.policy):
        return follow(terms)
    if claims.is_source and claims.event in ("A24", "A37") and len(claims.persons) > 1:
        return _linked(terms)
    return [_decide(person, terms) for person in claims.persons]


def _linked(terms: Terms) -> list[int]:
    one, other = terms.claims.persons[:2]
    if terms.claims.event == "A37":
        unlink(one, other, terms)
        return [know(one, terms), know(other, terms)]
    link(one, other, terms)
    first = know(one, terms)
    link(one, other, terms)  # both were unknown: the second one is the first one's now
    return [first, know(other, terms)]


def _decide(person: Person, terms: Terms) -> int:
    event = terms.claims.event
    if terms.claims.type != "ADT":
        if person.fusion:
            merge(person, terms)
        elif person.replaces:
            raise _not_read(event)
        return know(person, terms)
    if event in MERGES:
        merge(person, terms)
        if event not in _BOTH:
            record_ended_stays(person, terms)
    elif event in RENAMES:
        rename(person, terms)
    elif event == "A43":
        move(person, terms)
    elif person.replaces and event not in _STAYS and event not in _WITH_MRG:
        raise _not_read(event)
    if event in _STAYS or (event in _WITH_MRG and person.replaces) or (event in _BOTH and person.prior_accounts):
        return _stays(person, terms)
    patient = know(person, terms)
    if patient and (person.deletes_ins or (event in RENAMES and person.prior_ins)):
        change_ins(person, terms, patient)
    return patient


def _stays(person: Person, terms: Terms) -> int:
    """Carry out what an event does with stays, once the patient under whom they come is known."""
    event = terms.claims.event
    if event in _WITH_MRG and any(new.value != old.value for new, old in paired(person.local, person.prior)):
        raise _not_read(event)
    terms.check_asserted(person.prior)
    accounts, visits, alternates = person.accounts, person.visits, person.alternates
    # stays that move, merge or change their number aren't recorded as an ordinary event's
    patient = know(person if event in _WITH_MRG else person.without_stays(), terms)
    if not patient:
        return patient
    if event == "A44":
        move_stays(person, terms, [*accounts, *person.prior_accounts])
    elif event == "A45":
        move_stays(person, terms, [*visits, *person.prior_visits, *alternates, *person.prior_alternates])
    elif event in ("A35", "A41") or event in _BOTH:
        merge_stays(person, terms, accounts, person.prior_accounts)
    elif event == "A42":
        merge_stays(person, terms, visits, person.prior_visits)
    elif event == "A49" or (event in _WITH_MRG and person.prior_accounts):
        rename_stays(person, terms, accounts, person.prior_accounts)
    elif event == "A50":
        rename_stays(person, terms, visits, person.prior_visits)
    elif event == "A51":
        rename_stays(person, terms, alternates, person.prior_alternates)
    return patient


def _not_read(event: str) -> Ended:
    return Ended(
        Outcome.DEAD, Code.EVENT,
        f"{event or 'a message without event'} names prior numbers (MRG), and nothing is decided by it here: do what "
        "it asks for with identity link or unlink, then discard it, or retry it when a route drops MRG",
    )  # fmt: skip
