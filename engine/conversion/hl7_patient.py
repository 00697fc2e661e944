"""
The patient: P of HPRIM Santé and PID, PD1, PV1, ZFD of HL7 (docs/routes/hprim_to_hl7.md).

P-5 is the usual name (PID-5 type D), P-6 the birth name (type L). P-2 is the requester's number and comes first,
without authority: who receives it knows whose it is. P-3 is the performer's: the sender's of results, the receiver's
of orders and admissions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from engine.conversion import notes
from engine.conversion.authorities import System
from engine.conversion.dates import is_date, normal_date
from engine.conversion.forms import Form
from engine.conversion.notes import Note
from engine.conversion.segments import (
    COMPONENT,
    NULL,
    REPETITION,
    Fields,
    get,
    given,
    join,
    part,
    parts,
    repetitions,
    segment,
)

INS_OIDS: Final = {b"INS-NIR": b"1.2.250.1.213.1.4.8", b"INS-NIA": b"1.2.250.1.213.1.4.9"}
"""By P-11.2 (and the end of the authority's name); the obsolete INS-C has no place in PID-3."""
QUALIFIED: Final = frozenset({b"VALI", b"QUAL"})
"""P-38, PID-32 of an identity whose INS may be passed on (RNIV)."""

CLASSES: Final = {b"IP": b"I", b"OP": b"O", b"ER": b"E", b"PA": b"P"}
"""P-24 to PV1-2 (table 0004)."""
NOT_APPLICABLE: Final = b"N"

SAME: Final = ((7, 7), (8, 8), (28, 16), (30, 15), (32, 33), (33, 29))
"""P-n and PID-n that hold the same."""
DATES: Final = frozenset({7, 32, 33})
EXTRA: Final = ((35, 5), (36, 7), (37, 4), (40, 1))
"""P-n and ZFD-n (PAM France 2.11), in admissions; notes elsewhere."""
FORBIDDEN: Final = (9, 27)
"""Race and religion: the norm forbids them, and nothing of them goes on."""
HANDLED: Final = frozenset(
    {0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 23, 24, 25, 34, 38, 39, 41, *FORBIDDEN}
    | {number for number, _ in SAME} | {number for number, _ in EXTRA}
)  # fmt: skip


@dataclass(slots=True)
class Patient:
    """What HL7 says of a patient, segment by segment without ends; empty where there is nothing to say."""

    pid: dict[int, bytes]
    pd1: dict[int, bytes] = field(default_factory=dict)
    pv1: dict[int, bytes] = field(default_factory=dict)
    zfd: dict[int, bytes] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    merged: bytes = b""
    """MRG-1: the number that P-2 says was merged into this one."""

    def segments(self) -> list[bytes]:
        """Return PID and PD1."""
        made = [segment(b"PID", self.pid)]
        return [*made, segment(b"PD1", self.pd1)] if self.pd1 else made

    def keep(self, number: int, data: bytes) -> None:
        """Keep a field of P that has no place as a note."""
        if data:
            self.notes.append(notes.of_field("P", number, data))


def to_hl7(p: Fields, performer: System, form: Form) -> Patient:
    """
    Say in HL7 what P says.

    Args:
        p: The segment, in HL7's delimiters.
        performer: Whose numbers P-3 holds.
        form: The message to make: not all have a place for everything.
    """
    made = Patient({1: b"1"})
    _identifiers(p, performer, made)
    _names(p, made)
    for number, target in SAME:
        made.pid[target] = _date(p, number, made) if number in DATES else get(p, number)
    made.pid[30] = b"Y" if is_date(made.pid[29]) else made.pid[29] if made.pid[29] == NULL else b""
    _contact(p, form, made)
    _stay(p, made)
    _identity(p, form, made)
    for number in FORBIDDEN:
        if get(p, number):
            made.findings.append(f"not-converted P-{number}")
    for number, data in enumerate(p):
        if data and number not in HANDLED:
            made.keep(number, data)
    return made


def merged_number(own: bytes) -> bytes:
    """Return the number that P-2 says was merged into another one, empty unless it says FU and names both."""
    number, old = given(part(own, 1).strip()), given(part(own, 2).strip())
    return old if _is_fusion(own) and number and number != old else b""


def _is_fusion(own: bytes) -> bool:
    return part(own, 3).strip().upper() == b"FU"


def _identifiers(p: Fields, performer: System, made: Patient) -> None:
    own = get(p, 2)
    number, theirs = given(part(own, 1)), given(part(get(p, 3), 1))
    made.merged = merged_number(own)
    told, *others = [_is_fusion(one) for one in own.split(REPETITION)]
    if (told or given(part(own, 2))) and not made.merged:
        made.findings.append("not-converted P-2.2")  # without FU and two numbers nobody knows who was merged
    if any(others):
        made.findings.append("not-converted P-2")
    if REPETITION in own or len(parts(own, 3)) > 3 or part(own, 1) == NULL:
        made.keep(2, own)
    identifiers = [join(number, b"", b"", b"", b"PI")] if number else []
    if theirs and performer.assigner:
        identifiers.append(join(theirs, b"", b"", performer.assigner, b"PI"))
    if get(p, 3) != theirs or not performer.assigner:  # a number of nobody must not pass for the hospital's
        made.keep(3, get(p, 3))
    qualified = part(get(p, 38), 1) in QUALIFIED
    for one in repetitions(get(p, 11)):
        value, kind, _, _, _, oid = parts(one, 6)[:6]
        if qualified and kind in INS_OIDS and given(value):
            authority = b"&".join([b"ASIP-SANTE-" + kind, oid or INS_OIDS[kind], b"ISO"])
            identifiers.append(join(value, b"", b"", authority, b"INS"))
        else:
            made.findings.append("not-converted P-11")
    made.pid[3] = REPETITION.join(identifiers)
    stay = get(p, 4)
    if stay:
        made.pid[18] = join(part(stay, 1), b"", b"", b"", b"AN")
        if part(stay, 1) != stay:
            made.keep(4, stay)


def _names(p: Fields, made: Patient) -> None:
    usual, birth = get(p, 5), get(p, 6)
    family, given, second, alias, civility, degree, *more = parts(usual.partition(REPETITION)[0], 6)
    names: list[bytes] = []
    if birth and birth != NULL:
        own, first, given_list, *others = parts(birth.partition(REPETITION)[0], 3)
        names.append(join(own, first or given, given_list, b"", b"", b"", b"L"))
        if others or REPETITION in birth:
            made.keep(6, birth)
    if usual:
        names.append(join(family, given, second, b"", civility, degree, b"D"))
    if alias:
        names.append(join(alias, b"", b"", b"", b"", b"", b"A"))
    if more or REPETITION in usual:
        made.keep(5, usual)
    made.pid[5] = REPETITION.join(names)


def _contact(p: Fields, form: Form, made: Patient) -> None:
    home = repetitions(get(p, 10))
    addresses = [join(*parts(one, 6)[:6], b"H") for one in home]
    if any(len(parts(one, 6)) > 6 for one in home):
        made.keep(10, get(p, 10))
    born = get(p, 34)
    if born:
        town, cog, country, code, *more = parts(born.partition(REPETITION)[0], 4)
        addresses.append(join(b"", b"", town, b"", code, country, b"BDL", b"", cog))
        if more or REPETITION in born:
            made.keep(34, born)
    made.pid[11] = REPETITION.join(addresses)
    numbers, mails = repetitions(get(p, 12)), repetitions(get(p, 41))
    before = [b""] * 11 if form.since(2, 5) else []  # XTN-12 since 2.5, XTN-1 before
    phones = [join(*before, part(one, 1)) for one in numbers]
    phones += [join(b"", b"NET", b"Internet", part(one, 1)) for one in mails]
    made.pid[13] = REPETITION.join(phones)
    for number, told in ((12, numbers), (41, mails)):
        if any(COMPONENT in one for one in told):
            made.keep(number, get(p, number))
    if get(p, 13):
        made.pd1[4] = get(p, 13)


def _stay(p: Fields, made: Patient) -> None:
    status, location, dates = get(p, 24), get(p, 25), get(p, 23)
    known = CLASSES.get(status, b"")
    if status and not known:
        made.keep(24, status)
    bed, room, care, *more = parts(location.partition(REPETITION)[0], 3)
    entry, _, leaving = dates.partition(REPETITION)
    if status or location or dates:
        made.pv1 = {1: b"1", 2: known or NOT_APPLICABLE, 3: join(care, room, bed), 44: entry, 45: leaving}
    if more or REPETITION in location:
        made.keep(25, location)
    if REPETITION in leaving:
        made.keep(23, dates)


def _identity(p: Fields, form: Form, made: Patient) -> None:
    if form.since(2, 5):
        made.pid[32] = REPETITION.join(filter(None, (get(p, 38), get(p, 39))))
        if not get(p, 38):
            made.keep(39, get(p, 39))
            made.pid[32] = b""
    else:
        made.keep(38, get(p, 38))
        made.keep(39, get(p, 39))
    for number, target in EXTRA:
        data = get(p, number)
        if data and form.type == "ADT":
            made.zfd[target] = data
        elif data:
            made.keep(number, data)


def _date(p: Fields, number: int, made: Patient) -> bytes:
    data = get(p, number)
    normal = normal_date(data)
    if normal is None:
        made.findings.append(f"odd-date P-{number}")
        return data
    return normal
