"""
What it means that an INS of the message is another patient's: link, review, conflict, or nothing.

docs/developers/identity.md, rule 2 (RNIV 1 v2.0, § 4.9, EXI SI 36): linked only where both sides have it qualified, a
contract joins the two hospitals, and all strict traits are said and equal; not for minors. A false link is worse than
none: whatever lacks one of these goes to the review list.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.identity.statuses import BELIEVED, MASKS, Attribute, Status
from engine.identity.traits import Likeness, StrictTraits, compare_traits, normal_date, traits_of, whole_date

if TYPE_CHECKING:
    from engine.core.identities import Assertion, PatientRow
    from engine.identity.claimed import ClaimedIns, Person
    from engine.identity.policy import IdentityPolicy

ADULT: Final = 18


class Judgement(Enum):
    """What a shared INS allows."""

    LINK = 1
    REVIEW = 2
    CONFLICT = 3
    NOTHING = 4


class Judged(NamedTuple):
    """A judgement with its rule on the review list."""

    judgement: Judgement
    rule: str = ""


def judge_ins(
    person: Person, claimed: ClaimedIns, site: str, other: PatientRow, policy: IdentityPolicy, at_ms: int
) -> Judged:
    """
    Judge an INS that a message names, and that is another patient's.

    Args:
        person: Who names it.
        claimed: The INS.
        site: Who says so.
        other: The patient who has it.
        policy: The group's contracts.
        at_ms: When the message came: who is a minor.
    """
    if not person.status.comparable:
        return Judged(Judgement.NOTHING)
    holders = [one for one in other.assertions if one.ins == claimed.hash] or list(other.assertions)
    comparable = [one for one in holders if comparable_assertion(one)]
    if holders and not comparable:
        return Judged(Judgement.NOTHING)
    qualified = [one for one in comparable if one.status == Status.QUALIFIED]
    if not person.status.qualified or not claimed.usable or not qualified:
        return Judged(Judgement.REVIEW, "ins-one-side")
    trusted = [one for one in qualified if policy.trusts(site, one.site)]
    if not trusted:
        return Judged(Judgement.REVIEW, "ins-no-contract")
    return _judge_traits(person, trusted, at_ms)


def _judge_traits(person: Person, trusted: list[Assertion], at_ms: int) -> Judged:
    """Compare the traits of two qualified identities: they come from one national register, so they are equal."""
    compared = [compare_traits(person.traits, traits_of(one)) for one in trusted]
    if any(one.beyond_tolerance for one in compared):
        return Judged(Judgement.CONFLICT)
    if any(one.likeness is Likeness.DIFFERENT for one in compared):
        return Judged(Judgement.REVIEW, "ins-traits")
    if any(one.likeness is not Likeness.EQUAL for one in compared):
        return Judged(Judgement.REVIEW, "ins-incomplete")
    if is_minor(person.traits.birth_date, at_ms):
        return Judged(Judgement.REVIEW, "ins-minor")
    return Judged(Judgement.LINK)


def is_minor(birth_date: str, at_ms: int) -> bool:
    """Whether somebody born then may be under eighteen; who says no full date is."""
    normal = normal_date(birth_date)
    if not whole_date(normal):
        return True
    now = (_EPOCH + timedelta(milliseconds=at_ms)).date()
    return (int(normal[:4]) + ADULT, int(normal[4:6]), int(normal[6:])) > _parts(now)


def comparable_assertion(assertion: Assertion) -> bool:
    """Whether what a site says of somebody may be compared: not of anonymous, hidden, doubtful, fictive… ones."""
    return all(one == Attribute.HOMONYM for one in assertion.attributes)


def believed_assertion(assertion: Assertion) -> bool:
    """Whether what a site says of somebody may contradict what another says of him (statuses.BELIEVED)."""
    return all(one in BELIEVED for one in assertion.attributes)


def masked_assertion(assertion: Assertion) -> bool:
    """Whether the traits that a site says only stand in for the person's own (statuses.MASKS)."""
    return any(one in MASKS for one in assertion.attributes)


def firm_traits(assertion: Assertion | None) -> StrictTraits | None:
    """Return the traits of which a site was sure last: neither provisional nor of those that it doesn't believe."""
    if assertion is None:
        return None
    if believed_assertion(assertion) and assertion.status != Status.PROVISIONAL:
        return traits_of(assertion)
    return StrictTraits(*assertion.firm) if assertion.firm else None


def believed_traits(assertion: Assertion | None) -> StrictTraits | None:
    """Return the traits that may contradict what others say: those that the site believes, else the last firm ones."""
    if assertion is not None and believed_assertion(assertion):
        return traits_of(assertion)
    return firm_traits(assertion)


def _parts(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
