"""The patient the other way: P of HPRIM Santé from PID, PD1, PV1, ZFD of HL7. The tables are those of hl7_patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from engine.conversion.authorities import System
from engine.conversion.dates import is_date
from engine.conversion.hl7_patient import CLASSES, EXTRA, INS_OIDS, NOT_APPLICABLE, QUALIFIED, SAME
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
)

_KINDS: Final = {oid: kind for kind, oid in INS_OIDS.items()}
_STATUSES: Final = {class_: status for status, class_ in CLASSES.items()}
_LOCAL: Final = frozenset({b"PI", b"PN", b"RI", b""})
_NAMING: Final = frozenset({2, 3, 4, 5, 6})
"""Fields of P that say who he is."""
_HANDLED: Final[dict[str, frozenset[int]]] = {
    "PID": frozenset({0, 1, 3, 5, 11, 13, 14, 18, 30, 32} | {number for _, number in SAME}),
    "PD1": frozenset({0, 4}),
    "PV1": frozenset({0, 1, 2, 3, 19, 44, 45}),
    "ZFD": frozenset({0} | {number for _, number in EXTRA}),
}


@dataclass(slots=True)
class About:
    """The segments that speak of one patient, in HL7's delimiters; empty lists where there is none."""

    pid: Fields
    pd1: Fields = field(default_factory=list)
    pv1: Fields = field(default_factory=list)
    zfd: Fields = field(default_factory=list)


@dataclass(slots=True)
class Written:
    """P by field number, and what found no place in it."""

    p: dict[int, bytes]
    findings: list[str] = field(default_factory=list)


def to_hprim(about: About, performer: System, *, rank: int, birth_given: bool) -> Written:
    """
    Say in HPRIM what HL7 says of a patient.

    Args:
        about: The segments.
        performer: Whose numbers go to P-3: the sender of results, the receiver of orders.
        rank: P-1.
        birth_given: P-6 has given names (since 2.5).
    """
    pid = about.pid
    made = Written({1: b"%d" % rank})
    p = made.p
    _identifiers(pid, performer, made)
    _names(pid, made, birth_given=birth_given)
    for number, origin in SAME:
        p[number] = get(pid, origin)
    _death(pid, made)
    _contact(pid, made)
    _stay(about, made)
    status, _, attribute = get(pid, 32).partition(REPETITION)
    p[38], p[39] = status, attribute
    for number, origin in EXTRA:
        p[number] = get(about.zfd, origin)
    p[13] = get(about.pd1, 4)
    for name, fields in (("PID", pid), ("PD1", about.pd1), ("PV1", about.pv1), ("ZFD", about.zfd)):
        made.findings += not_handled(name, fields, _HANDLED[name])
    return made


def restore(made: Written, note: Note, performer: System) -> None:
    """
    Put a field back that a note holds whole.

    What the segments say by now comes first: a number or a name that was changed on the way, or taken out, must not
    come back, for it may be another hospital's.

    Args:
        made: Where it goes; what doesn't is a finding.
        note: A field of P.
        performer: As to_hprim.
    """
    now, told = given(part(made.p.get(note.number, b""), 1)), note.text
    if not now and (note.number not in _NAMING or (note.number == 3 and not performer.assigner)):
        same = True
    elif note.number in _NAMING:
        same = now == given(part(told, 1))
    else:
        same = now in told.replace(REPETITION, COMPONENT).split(COMPONENT)
    if same:
        made.p[note.number] = told
    else:
        made.findings.append(f"not-converted P-{note.number}")


def not_handled(name: str, fields: Fields, handled: Iterable[int]) -> list[str]:
    """Return a finding for each field that has a value and isn't one of those handled."""
    return [
        f"not-converted {name}-{number}"
        for number, data in enumerate(fields)
        if data and data != NULL and number not in handled
    ]


def _identifiers(pid: Fields, performer: System, made: Written) -> None:
    p = made.p
    insurance: list[bytes] = []
    others = 0
    for one in repetitions(get(pid, 3)):
        value, _, _, assigner, kind = parts(one, 5)[:5]
        oid = assigner.partition(b"&")[2].partition(b"&")[0]
        if not given(value):
            continue
        if kind == b"INS" and oid in _KINDS:
            insurance.append(join(value, _KINDS[oid], b"", b"", b"", oid))
        elif kind not in _LOCAL:
            others += 1
        elif assigner and assigner == performer.assigner and not p.get(3):
            p[3] = value
        elif not p.get(2):
            p[2] = value
        else:
            others += 1
    if insurance and get(pid, 32).partition(REPETITION)[0] in QUALIFIED:
        p[11] = REPETITION.join(insurance)
    elif insurance:
        made.findings.append("not-converted PID-3 INS")  # only a qualified identity may bring it
    if others:
        made.findings.append("not-converted PID-3")


def _death(pid: Fields, made: Written) -> None:
    """Write P-33, whose date says that somebody is dead: PID-29 goes there unless PID-30 says that he isn't."""
    date, dead = get(pid, 29), get(pid, 30)
    made.p[33] = date if date == NULL or is_date(date) else b""
    if is_date(date) and dead in (b"N", NULL):
        made.p[33] = b""
    elif given(dead) not in (b"", b"N") and not is_date(date):
        made.p[33] = b""
        made.findings.append("not-converted PID-30")
    if made.p[33] != date and date != NULL:
        made.findings.append("not-converted PID-29")


def _names(pid: Fields, made: Written, *, birth_given: bool) -> None:
    p = made.p
    by_type: dict[bytes, list[bytes]] = {}
    for one in repetitions(get(pid, 5)):
        name = parts(one, 7)
        if name[6] in by_type or name[6] not in (b"L", b"D", b"A", b"U", b""):
            made.findings.append("not-converted PID-5")
        else:
            by_type[name[6]] = name
    birth, alias = by_type.get(b"L"), by_type.get(b"A")
    usual = by_type.get(b"D") or by_type.get(b"") or by_type.get(b"U") or birth
    if usual is not None:
        if usual[3] or len(usual) > 7:
            made.findings.append("not-converted PID-5.4")
        given = usual[1] or (birth[1] if birth else b"")
        p[5] = join(usual[0], given, usual[2], alias[0] if alias else b"", usual[4], usual[5])
    if birth is not None:
        p[6] = join(birth[0], birth[1], birth[2]) if birth_given else birth[0]


def _contact(pid: Fields, made: Written) -> None:
    p = made.p
    home: list[bytes] = []
    for one in repetitions(get(pid, 11)):
        place = parts(one, 9)
        if place[6] == b"BDL" and not p.get(34):
            p[34] = join(place[2], place[8], place[5], place[4])
        elif place[6] in (b"", b"H") and not any(place[7:]):
            home.append(join(*place[:6]))
        else:
            made.findings.append("not-converted PID-11")
    p[10] = REPETITION.join(home)
    phones: list[bytes] = []
    mails: list[bytes] = []
    for one in repetitions(get(pid, 13)) + repetitions(get(pid, 14)):
        telecom = parts(one, 12)
        if telecom[1] == b"NET" or telecom[3]:
            mails.append(telecom[3] or telecom[0])
        else:
            phones.append(telecom[11] or telecom[0] or b"".join(telecom[4:7]))
    p[12], p[41] = REPETITION.join(filter(None, phones)), REPETITION.join(filter(None, mails))


def _stay(about: About, made: Written) -> None:
    p, pv1 = made.p, about.pv1
    class_ = get(pv1, 2)
    p[24] = _STATUSES.get(class_, b"")
    if class_ and class_ != NOT_APPLICABLE and not p[24]:
        made.findings.append("not-converted PV1-2")
    care, room, bed, *more = parts(get(pv1, 3).partition(REPETITION)[0], 3)
    p[25] = COMPONENT.join((bed, room, care)) if care else join(bed, room)
    if any(more):
        made.findings.append("not-converted PV1-3.4")
    if REPETITION in get(pv1, 3):
        made.findings.append("not-converted PV1-3")
    entry, leaving = get(pv1, 44), get(pv1, 45)
    p[23] = entry + (REPETITION + leaving if leaving else b"")
    stay, visit = part(get(about.pid, 18), 1), given(part(get(pv1, 19), 1))
    for name, fields, number in (("PID", about.pid, 18), ("PV1", pv1, 19)):
        if REPETITION in get(fields, number):
            made.findings.append(f"not-converted {name}-{number}")
    p[4] = given(stay) or visit or stay
    if visit not in (b"", p[4]):
        made.findings.append("not-converted PV1-19")
