"""
Numbers of patients that a hospital merges, renames, links and unlinks.

A40 (A18, A30, A34, A36; HPRIM P-2 with a fusion): HL7 v2.5 § 3.3.40, PAM France 2.11.1, ITI-30: an unknown survivor
makes it an A47, an unknown source is no error, no stay moves. A47 (A46): § 3.3.47: a number gets another value; onto
another patient's it is an error. Pairs are made by authority, what has no partner doesn't change. A24, A37
and A43: § 3.3.24, 3.3.37, 3.3.43: link even if unknown, unlink, move.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind
from engine.identity.deciding.decision import Code, Ended, Outcome, conflict
from engine.identity.deciding.joining import join, obstacle, rows_of
from engine.identity.deciding.moving import paired
from engine.identity.deciding.parting import part, set_apart, speakers
from engine.identity.policy import OnMerge, Registry

if TYPE_CHECKING:
    from engine.core.identities import IdentifierRow
    from engine.identity.claimed import Claimed, Person
    from engine.identity.deciding.terms import Terms

_ALIAS, _LOCAL = IdentifierKind.ALIAS, IdentifierKind.LOCAL


def merge(person: Person, terms: Terms) -> None:
    """
    Carry out a merge: prior numbers end in those of PID-3.

    Raises:
        Ended: It would make a cycle, joins whom nothing may join, or names nothing that can be merged.
    """
    terms.check_asserted([*person.local, *person.prior, *person.prior_federation])
    pairs = paired(person.local, person.prior)
    if not pairs:
        raise Ended(
            Outcome.DEAD, Code.UNPAIRED,
            "PID-3 and MRG-1 name no number of one declared authority: declare it, or have the message corrected, then "
            "retry",
        )  # fmt: skip
    for new, old in pairs:
        if new.value == old.value:
            terms.findings.append("merged-with-itself")
        else:
            _merge_pair(new, old, terms)


def _merge_pair(new: Claimed, old: Claimed, terms: Terms) -> None:
    survivor, source = terms.look(new), terms.look(old)
    if source is None:
        # ITI-30: no action, no error. Not even an alias: whoever comes under that number later, this message knows
        # nothing of him, and a wrong merge would have joined two people unseen.
        terms.findings.append("merge-source-unknown")
        return
    if survivor is None:
        _rename_to(new, source, terms)
        terms.draft.did("rename")
        return
    if survivor.kind is _ALIAS and source.kind is not _ALIAS:
        raise conflict(
            Code.CYCLE,
            f"the number that is to go on was itself merged into another by {new.site}: have the site say which of its "
            "numbers is in use, then retry",
            survivor.patient, source.patient,
        )  # fmt: skip
    if source.kind is _LOCAL:
        terms.put(old, source.patient, _ALIAS)
        terms.draft.did("merge")
    if survivor.patient != source.patient:
        _join_or_review(survivor.patient, source.patient, terms, "merge")


def _join_or_review(keep: int, gone: int, terms: Terms, rule: str, *, both_in_use: bool = False) -> None:
    """
    Rule 5: an event of one site would join two patients of the group.

    Raises:
        Ended: Something forbids it.
    """
    draft = terms.draft
    hindered = obstacle(draft, draft.living(keep), draft.living(gone), both_in_use=both_in_use)
    if terms.policy.on_merge is OnMerge.REVIEW or terms.policy.registry is Registry.FOLLOW:
        if hindered is not None and hindered[0] is not Code.TWO_NUMBERS:
            raise conflict(*hindered, keep, gone)
        terms.propose(keep, gone, rule)
        return
    if hindered is not None:
        raise conflict(*hindered, keep, gone)
    ending, living = join(draft, keep, gone)
    draft.did(rule)
    if ending and living:
        terms.emits.append((ending, living))


def rename(person: Person, terms: Terms) -> None:
    """
    Carry out an A47: numbers get another value.

    Raises:
        Ended: A new value is another patient's, or nothing is renamed at all.
    """
    terms.check_asserted([*person.local, *person.prior, *person.prior_federation])
    pairs = paired(person.local, person.prior)
    if not pairs and not person.ins and not person.prior_ins:
        raise Ended(
            Outcome.DEAD, Code.UNPAIRED,
            "PID-3 and MRG-1 name no number of one declared authority: declare it, or have the message corrected, then "
            "retry",
        )  # fmt: skip
    for new, old in pairs:
        if new.value == old.value:
            continue
        target, source = terms.look(new), terms.look(old)
        if source is None:
            terms.findings.append("rename-source-unknown")  # ITI-30: no action, no error
            continue
        if target is not None and target.patient != source.patient:
            raise conflict(
                Code.TAKEN,
                f"the new number is another patient's of {new.site}: if they are one person the site must merge them "
                "(A40); have it corrected, then retry",
                source.patient, target.patient,
            )  # fmt: skip
        _rename_to(new, source, terms)
        terms.draft.did("rename")


def _rename_to(new: Claimed, source: IdentifierRow, terms: Terms) -> None:
    """
    Let a number take another's place: the old one still leads to the patient.

    Raises:
        Ended: The old one ended before, and another number took its place then.
    """
    if source.kind is _ALIAS:
        held = rows_of(terms.draft, terms.draft.living(source.patient))
        if any(row.kind is _LOCAL and row.authority == new.authority and row.hash != new.hash for row in held):
            raise conflict(
                Code.TWO_NUMBERS,
                f"the number that is to end did so before, and another number of {new.site} has its place: have the "
                "site say which of its numbers are the patient's (A40), then retry",
                source.patient, keys=(new.hash,),
            )  # fmt: skip
    terms.draft.put(replace(source, kind=_ALIAS))
    terms.put(new, source.patient, _LOCAL)


def link(one: Person, other: Person, terms: Terms) -> None:
    """
    Carry out an A24: two persons of the message are one patient; who isn't known yet is, afterwards.

    Raises:
        Ended: Something forbids it.
    """
    numbers = [*one.local, *other.local]
    terms.check_asserted(numbers)
    rows = [row for number in numbers if (row := terms.look(number)) is not None]
    patients = list(dict.fromkeys(row.patient for row in rows))
    if not patients:
        return
    keep = patients[0]
    for number in numbers:
        if terms.look(number) is None:
            terms.put(number, keep)
            terms.draft.did("link")
    for gone in patients[1:]:
        _join_or_review(keep, gone, terms, "link", both_in_use=True)


def move(person: Person, terms: Terms) -> None:
    """
    Carry out an A43: numbers of MRG-1 are those of PID-3's patient, and stay in use (HL7 v2.5 § 3.3.43).

    As the standard writes it PID-3 and MRG-1 both name the number that moves; what stands beside it says to whom it
    goes (PID-3), and from whom (MRG-1). Where they have none in common all numbers of MRG-1 move.

    A number that is another patient's stands for whoever he is: that is asked as an A24 asks it (`on_merge`). One that
    he holds beside others of his own isn't taken from him by a rule.

    Raises:
        Ended: Nothing says to whom they go, or something forbids it.
    """
    terms.check_asserted([*person.local, *person.prior, *person.prior_federation])
    moved, targets = _moving(person)
    if not targets or not moved:
        raise Ended(
            Outcome.DEAD, Code.UNPAIRED,
            "PID-3 names no number of the patient to whom that of MRG-1 goes: have it corrected, or do it with "
            "identity link and unlink, then discard it",
        )  # fmt: skip
    known = [row for one in targets if (row := terms.look(one)) is not None]
    if not known:
        raise Ended(
            Outcome.DEAD, Code.UNKNOWN,
            "nobody knows the patient to whom the number of MRG-1 goes: when his admission has come, retry",
        )  # fmt: skip
    keep = known[0].patient
    for one in moved:
        row = terms.look(one)
        if row is None:
            terms.put(one, keep)
            terms.draft.did("move")
        elif row.patient != keep:
            if _has_others(row, terms):
                terms.propose(keep, row.patient, "link")
                continue
            _join_or_review(keep, row.patient, terms, "link", both_in_use=True)


def _moving(person: Person) -> tuple[list[Claimed], list[Claimed]]:
    """Return the numbers that an A43 moves, and those of the patient to whom they go."""
    prior = {one.hash for one in (*person.prior, *person.prior_federation)}
    both = prior & {one.hash for one in person.local}
    moved = [one for one in person.prior if not both or one.hash in both]
    targets = [one for one in person.local if one.hash not in prior]
    return moved, targets or [one for one in person.federation if one.hash not in prior]


def _has_others(moved: IdentifierRow, terms: Terms) -> bool:
    """Whether the patient of a number has other local numbers in use."""
    patient = terms.draft.living(moved.patient)
    return any(row.kind is _LOCAL and row.hash != moved.hash for row in rows_of(terms.draft, patient))


def unlink(one: Person, other: Person, terms: Terms) -> None:
    """
    Carry out an A37: the numbers of the second person go to a patient of their own, if they are the first's.

    Raises:
        Ended: The patient has numbers that ended, and it says nothing of them.
    """
    numbers = [*one.local, *other.local]
    terms.check_asserted(numbers)
    mine = {row.patient for number in one.local if (row := terms.look(number)) is not None}
    rows = [row for number in other.local if (row := terms.look(number)) is not None]
    theirs = [row for row in rows if row.patient in mine]
    if not theirs or len(mine) != 1:
        terms.findings.append("not-linked")
        for his, hers in product(sorted(mine), sorted({row.patient for row in rows} - mine)):
            set_apart(terms.draft, his, hers)
        return
    named = {number.hash for number in numbers}
    moved = {row.hash for row in theirs}
    (patient,) = mine
    left = [
        row for row in rows_of(terms.draft, terms.draft.living(patient))
        if row.kind in (_LOCAL, _ALIAS) and row.hash not in moved
    ]  # fmt: skip
    _check_ended(theirs, [row for row in left if row.kind is _ALIAS and row.hash not in named], patient)
    going, unsure = speakers(theirs, left, {number.authority: number.site for number in numbers})
    part(
        terms.draft, theirs, terms.claims.references, terms.policy, terms.next_patient, place=terms.place,
        at_ms=terms.at_ms, sentence=f"{terms.claims.site} unlinked them", sites=going, unsure=unsure,
    )  # fmt: skip
    terms.draft.did("unlink")


def _check_ended(moved: list[IdentifierRow], ended: list[IdentifierRow], patient: int) -> None:
    """Let nobody keep the other's retired numbers: into which of the two they were merged, no row says."""
    authorities = {row.authority for row in moved}
    if any(row.authority in authorities for row in ended):
        raise conflict(
            Code.TWO_NUMBERS,
            "it parts two, and says nothing of the numbers that ended in them: nothing shows whose these are; do it "
            "with identity unlink, then discard it",
            patient,
        )  # fmt: skip
