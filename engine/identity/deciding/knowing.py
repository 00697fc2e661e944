"""
Who a person is: docs/developers/identity.md, rules 0 to 4, for every event.

In order: a local number that is known; without one a known stay whose patient's birth date and sex agree; an INS that
is qualified on both sides; else what the step says of the unknown. Then what the message adds is attached, and what its
site says is remembered. A result refers to a patient, it changes nothing of him (PAM France; IHE LTW).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.identities import IdentifierKind, PatientRow, Wait
from engine.identity.deciding.agreeing import check_others_agree, check_same_person
from engine.identity.deciding.asserting import own_assertion, put_assertion, updates
from engine.identity.deciding.decision import Code, Ended, Outcome, conflict, stay_patients
from engine.identity.deciding.ins import check_one_nir, keep_ins, look_ins
from engine.identity.deciding.joining import authorities_in_use, join, obstacle
from engine.identity.deciding.judging import Judged, Judgement, comparable_assertion, judge_ins
from engine.identity.deciding.moving import record_stays
from engine.identity.deciding.parting import new_patient
from engine.identity.policy import OnMerge, Registry, Unknown
from engine.identity.traits import Likeness, compare_traits, normal_date, normal_sex, traits_of, whole_date

if TYPE_CHECKING:
    from engine.identity.claimed import Claimed, ClaimedIns, Person
    from engine.identity.deciding.terms import Terms
    from engine.identity.policy import OnUnknown


def know(person: Person, terms: Terms) -> int:
    """
    Find or make the patient of one person, and remember what the message says of him.

    Returns:
        His id; 0: the message passes without him.

    Raises:
        Ended: It waits, or is dead.
    """
    if terms.claims.is_source:
        terms.check_asserted([*person.local, *person.federation])
    _check_one_number(person, terms)
    patient = _by_number(person, terms) or _by_stay(person, terms)
    if patient is not None:
        check_same_person(person, terms, patient)
    id_ = patient.id if patient is not None else 0
    if terms.policy.registry is Registry.OWN:
        id_ = _by_ins(person, terms, id_)
    if not id_:
        return _unknown(person, terms, terms.on_unknown)
    if terms.claims.is_source:
        attach(person, terms, id_)
        _remember(person, terms, id_)
    return id_


def attach(person: Person, terms: Terms, patient: int) -> None:
    """
    Let the person's new local numbers be a patient's.

    Raises:
        Ended: He has another number in use of the same authority.
    """
    fresh = [one for one in person.local if terms.look(one) is None]
    if not fresh:
        return
    taken = authorities_in_use(terms.draft, terms.draft.living(patient))
    for one in fresh:
        if one.authority in taken:
            raise conflict(
                Code.TWO_NUMBERS,
                f"he has another number of {one.site} in use, and no merge says that this one takes its place: "
                "have the site merge them (A40) or correct the message, then retry",
                patient, keys=(one.hash,),
            )  # fmt: skip
        terms.put(one, patient)
        terms.draft.did("attach")


# --- 1: known ------------------------------------------------------------------------------------------------


def _check_one_number(person: Person, terms: Terms) -> None:
    """Two different numbers of one authority are no one's, unless they are one patient's already (rule 7)."""
    if len(person.local) < 2:
        return
    seen: dict[str, Claimed] = {}
    for one in person.local:
        other = seen.setdefault(one.authority, one)
        if other.value == one.value:
            continue
        first, second = terms.look(other), terms.look(one)
        if first is None or second is None or first.patient != second.patient:
            raise conflict(
                Code.TWO_NUMBERS, f"the message names two numbers of {one.site} for one patient: have it corrected",
                first.patient if first else 0, second.patient if second else 0, keys=(other.hash, one.hash),
            )  # fmt: skip


def _by_number(person: Person, terms: Terms) -> PatientRow | None:
    """Rule 1: the patient of the local numbers, else of the federation identifier of who may name it."""
    found = [patient for one in (*person.local, *person.federation) if (patient := terms.find(one)) is not None]
    _check_one_patient(found)
    return found[0] if found else None


def _check_one_patient(patients: list[PatientRow]) -> None:
    for other in patients[1:]:
        if other.id != patients[0].id:
            raise conflict(
                Code.TWO_PATIENTS, "the message names numbers of two patients as one: an identity officer must decide",
                patients[0].id, other.id,
            )  # fmt: skip


def _by_stay(person: Person, terms: Terms) -> PatientRow | None:
    """Rule 1b: without local number, a stay of the site that is known; French results often carry no more."""
    if person.local or person.federation:
        return None
    ids = stay_patients(person, terms.draft)
    patients = [terms.draft.living(id_) for id_ in ids]
    if not patients:
        return None
    _check_one_patient(patients)
    patient = patients[0]
    date, sex = normal_date(person.traits.birth_date), normal_sex(person.traits.sex)
    if not whole_date(date) or not sex:
        terms.findings.append("stay-without-traits")
        return None
    site = next(iter((*person.accounts, *person.visits))).site
    own = own_assertion(patient, site)
    if own is None or not normal_date(own.birth_date) or not normal_sex(own.sex):
        return None
    if normal_date(own.birth_date) != date or normal_sex(own.sex) != sex:
        raise conflict(
            Code.STAY,
            f"the stay is known, but birth date or sex aren't those that {site} asserted for its patient: find out "
            "whose result this is, have it corrected, then retry",
            patient.id,
        )  # fmt: skip
    return patient


# --- 2: INS --------------------------------------------------------------------------------------------------


def _by_ins(person: Person, terms: Terms, patient: int) -> int:
    """
    Rule 2: link by an INS that is qualified on both sides.

    Returns:
        The patient's id, whoever it is after a link; 0: still nobody.
    """
    for claimed in person.ins:
        if claimed.ins.deleted or claimed.ins.authority.obsolete:
            continue
        row = look_ins(claimed, terms)
        if row is None or row.patient == patient:
            continue
        for id_ in _holders(person, claimed, row.patient, terms):
            other = terms.draft.patient(id_) if id_ != patient else None
            if other is not None:  # None: joined meanwhile
                patient = _by_holder(person, claimed, patient, other, terms)
    return patient


def _holders(person: Person, claimed: ClaimedIns, first: int, terms: Terms) -> list[int]:
    """
    Return the patients who have an INS: first the one to whom it leads, then those with the person's own traits.

    An INS leads to whoever had it first, which may be a hospital without a contract, or one that mistyped a trait.
    """
    if not person.status.qualified or not claimed.usable:
        return [first]
    others = [
        id_ for id_ in similar_patients(terms, terms.claims.traits_of(person), 0)
        if any(one.ins == claimed.hash for one in terms.draft.living(id_).assertions)
    ]  # fmt: skip
    return list(dict.fromkeys((first, *others)))


def _by_holder(person: Person, claimed: ClaimedIns, patient: int, other: PatientRow, terms: Terms) -> int:
    """Do with one patient who has the person's INS what is allowed; return the person's patient, 0: still nobody."""
    judged = judge_ins(person, claimed, terms.claims.site, other, terms.policy, terms.at_ms)
    if judged.judgement is Judgement.CONFLICT:
        raise conflict(
            Code.INS_ELSEWHERE,
            "another patient has this INS qualified, and his traits are others: an identity officer must find out "
            "whose it is; have the wrong one corrected, then retry",
            patient, other.id, keys=tuple(one.hash for one in person.local),
        )  # fmt: skip
    if patient and not terms.claims.is_source:
        return patient  # a result refers to somebody: it neither joins nor accuses
    if judged.judgement is Judgement.LINK:
        return _link(terms, patient, other)
    if judged.judgement is Judgement.REVIEW and patient:
        terms.propose(patient, other.id, judged.rule)
    return patient


def _link(terms: Terms, patient: int, other: PatientRow) -> int:
    """Link to the patient who has the INS: the number that nobody knew, or the whole patient who was known."""
    draft = terms.draft
    if not patient:
        if terms.claims.is_source:
            draft.did("link-ins")
        return other.id
    own = draft.living(patient)
    hindered = obstacle(draft, own, other)
    if hindered is not None:
        raise conflict(*hindered, patient, other.id)
    keep, gone = sorted((patient, other.id))
    ending, living = join(draft, keep, gone)
    draft.did("link-ins")
    if terms.policy.on_merge is OnMerge.EMIT and ending and living:
        terms.emits.append((ending, living))
    propose_alike(terms, keep)
    return keep


# --- 3: unknown ----------------------------------------------------------------------------------------------


def _unknown(person: Person, terms: Terms, on_unknown: OnUnknown) -> int:
    """Rule 3: what the step says of a patient whom nobody knows."""
    if on_unknown.action is Unknown.PASS:
        return 0
    if on_unknown.action is Unknown.SEND:
        raise Ended(Outcome.PASS, reason="nobody knows the patient", send_to=on_unknown.destination)
    keys = _wanted(person)
    holds = on_unknown.action is Unknown.HOLD
    # an admission without number of its own is the one that would make him known: no other is to come
    numberless = terms.claims.is_source and not (person.local or person.federation)
    if not keys or (numberless and not holds):
        raise Ended(
            Outcome.DEAD, Code.NOBODY,
            "the message names no local number of a declared authority, and no stay by which a patient is known: "
            "add the authority to its site, or have the message corrected, then retry",
        )  # fmt: skip
    if holds:
        raise Ended(
            Outcome.WAIT, reason="nobody knows the patient yet",
            wait=Wait(keys, terms.at_ms + on_unknown.hold_ms),
        )  # fmt: skip
    if on_unknown.action is Unknown.DEAD_LETTER or not person.local:
        raise Ended(
            Outcome.DEAD, Code.UNKNOWN,
            "nobody knows the patient: when his admission has come, or his number is linked, retry",
        )  # fmt: skip
    return mint(person, terms)


def _wanted(person: Person) -> tuple[int, ...]:
    """Return for what a message can wait: its local numbers, without one its stays, else a federation identifier."""
    wanted: list[Claimed] = person.local or [*person.accounts, *person.visits] or person.federation
    return tuple(dict.fromkeys(one.hash for one in wanted))


def mint(person: Person, terms: Terms) -> int:
    """Make a new patient of the group, with the person's local numbers."""
    if terms.policy.registry is Registry.OWN:
        similar = similar_patients(terms, terms.claims.traits_of(person), 0)
        judged = _ins_pairs(person, terms)
    else:
        similar, judged = [], []
    draft = terms.draft
    for key in person.hashes():
        draft.identifier(key)  # what was never read is asked for before a number is spent
    try:
        id_ = new_patient(draft, terms.claims.references, terms.policy, terms.next_patient)
    except ValueError:
        raise Ended(
            Outcome.DEAD, Code.NUMBERS,
            "no federation identifier is left: write a greater width under identity, then retry",
        ) from None  # fmt: skip
    draft.did("mint")
    for one in person.local:
        terms.put(one, id_)
    put_assertion(person, terms, id_)
    keep_ins(person, terms, id_, 0)
    record_stays(person, terms)
    for other, judgement in judged:
        terms.propose(id_, other, judgement.rule)
    for other in similar:
        terms.propose(id_, other, "same-traits")
    return id_


def _ins_pairs(person: Person, terms: Terms) -> list[tuple[int, Judged]]:
    """Return the patients who have the person's INS, with why he isn't linked to them."""
    found = []
    for claimed in person.ins:
        row = look_ins(claimed, terms)
        if row is not None:
            other = terms.draft.living(row.patient)
            judged = judge_ins(person, claimed, terms.claims.site, other, terms.policy, terms.at_ms)
            if judged.judgement is Judgement.REVIEW:
                found.append((other.id, judged))
    return found


# --- what is remembered --------------------------------------------------------------------------------------


def _remember(person: Person, terms: Terms, patient: int) -> None:
    """Remember what the site says, its INS, its stays; look for those alike when its traits changed."""
    row = terms.draft.living(patient)
    before = own_assertion(row, terms.claims.site)
    current = [
        one for one in person.local if (known := terms.look(one)) is not None and known.kind is IdentifierKind.LOCAL
    ]
    if (updates(terms.claims) and (current or not person.local)) or before is None:
        own_registry = terms.policy.registry is Registry.OWN
        if own_registry:
            check_one_nir(person, terms, row)
        changed = put_assertion(person, terms, patient)
        if own_registry:
            check_others_agree(terms, patient, before)
            if changed:
                propose_alike(terms, patient)
            keep_ins(person, terms, patient, before.ins if before is not None else 0)
    record_stays(person, terms)


def propose_alike(terms: Terms, patient: int) -> None:
    """Rule 4: put those with the same five strict traits on the review list; nothing more is done with them."""
    for traits in {one.traits for one in terms.draft.living(patient).assertions if one.traits}:
        for other in similar_patients(terms, traits, patient):
            terms.propose(patient, other, "same-traits")


def similar_patients(terms: Terms, traits: int, patient: int) -> list[int]:
    """Return the other patients of whom a site asserts the same strict traits."""
    if not traits:
        return []
    found = []
    for id_ in terms.draft.alike(traits):
        other = terms.draft.patient(id_) if id_ != patient else None
        if other is not None and _alike(terms, other, traits, patient):
            found.append(id_)
    return found


def _alike(terms: Terms, other: PatientRow, traits: int, patient: int) -> bool:
    """Whether the traits are those of another patient, given names compared in full; never of who isn't comparable."""
    own = [one for one in terms.draft.living(patient).assertions if one.traits == traits] if patient else []
    mine = [traits_of(one) for one in own] or [
        one.traits for one in terms.claims.persons if terms.claims.traits_of(one) == traits
    ]
    return any(
        one.traits == traits and comparable_assertion(one)
        and any(compare_traits(each, traits_of(one)).likeness is not Likeness.DIFFERENT for each in mine)
        for one in other.assertions
    )  # fmt: skip
