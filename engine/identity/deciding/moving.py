"""
Stays: under whose number they are, and the events that move, merge and renumber them.

A stay hangs on the local number under which its site gave it, so it goes wherever that number goes. A40 moves none
(PAM France 2.11.1); A44 moves one, most often before its A40, and is taken as it comes (CPage sends them so). A41, A42,
A35 (A18, A36): one stay goes on in another (HL7 v2.5 § 3.3.41, 3.3.42). A45 moves visits (§ 3.3.45); A49 and A50 give a
stay or a visit another number (§ 3.3.49, 3.3.50), A51 an alternate one (§ 3.3.51).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind, IdentifierRow
from engine.identity.deciding.decision import Code, Ended, Outcome, conflict

if TYPE_CHECKING:
    from engine.identity.claimed import Claimed, Person
    from engine.identity.deciding.terms import Terms


def record_stays(person: Person, terms: Terms) -> None:
    """Remember under whose number the stays of a source of identity are; none moves by that."""
    for stay in (*person.accounts, *person.visits):
        owner = owner_of(stay, person)
        if owner is None:
            continue
        row = terms.look(stay)
        if row is None:
            _put(stay, owner, terms)
            terms.draft.did("attach")
            continue
        mine, theirs = (terms.draft.identifier(key) for key in (owner.hash, row.under))
        if mine is not None and theirs is not None and mine.patient != theirs.patient:
            terms.propose(mine.patient, theirs.patient, "stay-elsewhere")
            terms.findings.append("stay-elsewhere")


def record_ended_stays(person: Person, terms: Terms) -> None:
    """
    Remember under whose number the stays are that a merge of patients names beside the number that ends.

    HL7 v2.5 § 3.3.40: what was associated with the source is the target's; MRG-3 and MRG-5 need not say it, and move
    nothing. They say where the stay was: under the number of MRG-1, which leads on to whoever has it now.

    Raises:
        Ended: One of them is a third patient's.
    """
    sides = {row.patient for one in (*person.local, *person.prior) if (row := terms.look(one)) is not None}
    for stay in (*person.prior_accounts, *person.prior_visits):
        owner = next((one for one in person.prior if one.site == stay.site), None)
        if owner is None or terms.look(owner) is None:
            continue  # of a number that nobody knows nothing is remembered
        row = terms.look(stay)
        if row is None:
            _put(stay, owner, terms)
            terms.draft.did("attach")
            continue
        held = terms.draft.identifier(row.under)
        if held is not None and held.patient not in sides:
            raise conflict(
                Code.STAY, "its stay in MRG is a third patient's: have the site correct it, then retry",
                held.patient, min(sides),
            )  # fmt: skip


def owner_of(stay: Claimed, person: Person) -> Claimed | None:
    """Return the local number under which a stay is given: that of its own site."""
    return next((one for one in person.local if one.site == stay.site), None)


def move_stays(person: Person, terms: Terms, stays: list[Claimed]) -> None:
    """
    Carry out an A44, or an A45: stays go under the number of PID-3.

    Args:
        person: To whom they go.
        terms: Of the message.
        stays: By their new numbers and by those of MRG, which may differ: results still come under the old ones.

    Raises:
        Ended: A stay is a third patient's, or nothing says which stay moves from where.
    """
    if not stays or not person.prior:
        raise _unpaired("the stay that moves, PID-3 or MRG-1")
    sources = {one.hash for one in person.prior}
    origins = {row.patient for one in person.prior if (row := terms.look(one)) is not None}
    for stay in {one.hash: one for one in stays}.values():
        owner = owner_of(stay, person)
        if owner is None:
            raise _unpaired("the stay that moves and a number of its site in PID-3")
        row = terms.look(stay)
        if row is not None:
            held = terms.draft.identifier(row.under)
            target = terms.draft.identifier(owner.hash)
            allowed = {*origins, *([target.patient] if target is not None else [])}
            if held is not None and row.under not in sources and held.patient not in allowed:
                raise conflict(
                    Code.STAY, "the stay that moves is a third patient's: have the site correct it, then retry",
                    held.patient, target.patient if target is not None else 0,
                )  # fmt: skip
        _put(stay, owner, terms)
        terms.draft.did("move-stay")


def merge_stays(person: Person, terms: Terms, stays: list[Claimed], prior: list[Claimed]) -> None:
    """
    Carry out an A41, A42 or A35: the prior stay goes on in the other, so both are under the number of PID-3.

    Raises:
        Ended: One of them is another patient's.
    """
    pairs = paired(stays, prior)
    if not pairs:
        raise _unpaired("the stay that ends and the one that goes on, of one authority")
    for new, old in pairs:
        owner = owner_of(new, person)
        if owner is None:
            raise _unpaired("a number of the stay's site in PID-3")
        for stay in (new, old):
            _check_holder(stay, owner, terms)
            _put(stay, owner, terms)
        terms.draft.did("merge-stay")


def rename_stays(person: Person, terms: Terms, stays: list[Claimed], prior: list[Claimed]) -> None:
    """
    Carry out an A49, A50 or A51: a stay gets another number, and is found under both.

    Raises:
        Ended: The new number is another patient's stay.
    """
    pairs = paired(stays, prior)
    if not pairs:
        raise _unpaired("the old and the new number of the stay, of one authority")
    for new, old in pairs:
        owner = owner_of(new, person)
        row = terms.look(old)
        if owner is None or row is None:  # an unknown source is no error (IHE ITI TF-2, 3.30)
            continue
        for stay in (new, old):
            _check_holder(stay, owner, terms)
            _put(stay, owner, terms)
        terms.draft.did("rename")


def paired(new: list[Claimed], old: list[Claimed]) -> list[tuple[Claimed, Claimed]]:
    """Pair each prior number with the new one of its authority; the unpaired stay as they are."""
    by_authority: dict[str, Claimed] = {}
    for one in new:
        by_authority.setdefault(one.authority, one)
    return [(by_authority[one.authority], one) for one in old if one.authority in by_authority]


def _check_holder(stay: Claimed, owner: Claimed, terms: Terms) -> None:
    row = terms.look(stay)
    if row is None:
        return
    held, mine = terms.draft.identifier(row.under), terms.draft.identifier(owner.hash)
    if held is not None and mine is not None and held.patient != mine.patient:
        raise conflict(
            Code.TAKEN, "the stay is another patient's: have the site correct it (A44 moves a stay), then retry",
            held.patient, mine.patient,
        )  # fmt: skip


def _put(stay: Claimed, owner: Claimed, terms: Terms) -> None:
    terms.draft.put(IdentifierRow(stay.hash, IdentifierKind.STAY, stay.authority, stay.value, 0, owner.hash))


def _unpaired(what: str) -> Ended:
    return Ended(
        Outcome.DEAD, Code.UNPAIRED,
        f"the event doesn't name {what}: declare the authority if it is missing, or have the message corrected, then "
        "retry",
    )  # fmt: skip
