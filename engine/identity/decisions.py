"""
Decide who the patients of a message are: pure, without store, clock or routes.

    decide          a message's claims and the view on what is known -> a Decision
    recall          who is meant by a message that was decided on before; holds_together: whether it may leave as made
    references_of   the lane keys of a message, by what is known now
    deciding/       the rules, one family of events a module

What the rules don't allow isn't done: it waits, dies as a conflict, or goes to the review list (RNIV 1 v2.0, § 4.9:
a domain of rapprochement creates, validates, qualifies and merges no hospital's identity).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.identity.deciding.decision import Decision, Ended, Outcome, references_of, territorial, touched
from engine.identity.deciding.dispatch import decide_events
from engine.identity.deciding.everyday import everyday
from engine.identity.deciding.recalling import doubt, holds_together, is_about, recall
from engine.identity.deciding.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.identity.claimed import Claims
    from engine.identity.crossreference import CrossReference
    from engine.identity.policy import IdentityPolicy, OnUnknown

__all__ = [
    "Decision",
    "Ended",
    "Outcome",
    "decide",
    "doubt",
    "holds_together",
    "is_about",
    "recall",
    "references_of",
    "territorial",
    "touched",
]


def decide(
    claims: Claims, view: CrossReference, policy: IdentityPolicy, *, on_unknown: OnUnknown,
    next_patient: Callable[[], int], place: int, at_ms: int,
) -> Decision:  # fmt: skip
    """
    Decide on one message.

    Args:
        claims: What it says.
        view: What is known, the decisions before this one included; it isn't changed (`Known.apply` does that).
        policy: The group's rules, for the message's source.
        on_unknown: What is done where nobody knows the patient.
        next_patient: Gives the id of a new patient, never the same twice; asked last, when nothing else can fail.
        place: Of the message.
        at_ms: When it was received: age of minors, end of a wait.

    Raises:
        Unread: The view never read a row that is needed; read it and decide again.
    """
    usual = everyday(claims, view, policy)
    if usual is not None:
        return usual
    terms = Terms(claims, view, policy, on_unknown, next_patient, place, at_ms)
    try:
        patients = decide_events(terms)
    except Ended as ended:
        return terms.ended(ended)
    return terms.decided(patients)
