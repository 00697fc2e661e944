"""P to PID; whole files stand in test_hprim_to_hl7."""

from __future__ import annotations

import pytest

from engine.conversion.authorities import System
from engine.conversion.forms import Form
from engine.conversion.hl7_patient import Patient, to_hl7

LABO = System(b"100", b"LABO")
ORU = Form("ORU", "R01", "2.5")


def patient(performer: System = LABO, form: Form = ORU, **fields: bytes) -> Patient:
    line = [b""] * 45
    for name, data in fields.items():
        line[int(name[1:])] = data
    return to_hl7(line, performer, form)


def noted(made: Patient) -> list[tuple[int, bytes]]:
    return [(note.number, note.text) for note in made.notes]


def test_numbers() -> None:
    """The requester's first and without authority, the performer's with its own."""
    assert patient(p2=b"77", p3=b"L9").pid[3] == b"77^^^^PI~L9^^^LABO&100&L^PI"
    assert patient(p4=b"N1").pid[18] == b"N1^^^^AN"


def test_a_performer_without_name() -> None:
    """Its number must not pass for the hospital's: a note."""
    made = patient(System(b"", b""), p2=b"77", p3=b"L9")
    assert made.pid[3] == b"77^^^^PI"
    assert noted(made) == [(3, b"L9")]


@pytest.mark.parametrize(
    ("status", "kind", "kept"), [(b"VALI", b"INS-NIR", True), (b"PROV", b"INS-NIR", False), (b"VALI", b"INS-C", False)]
)
def test_the_ins_of_a_qualified_identity_only(status: bytes, kind: bytes, kept: bool) -> None:
    """The obsolete INS-C never."""
    made = patient(p11=b"260058815400233^" + kind, p38=status)
    assert (b"^INS" in made.pid[3]) is kept
    assert made.findings == ([] if kept else ["not-converted P-11"])


def test_names() -> None:
    """P-5 is the usual name, P-6 the birth name."""
    assert patient(p5=b"MULLER^L\xc3\xa9a^^Lili^MME", p6=b"DURAND").pid[5].decode() == (
        "DURAND^Léa^^^^^L~MULLER^Léa^^^MME^^D~Lili^^^^^^A"
    )
    assert patient(p5=b"MULLER").pid[5] == b"MULLER^^^^^^D"


def test_what_the_norm_forbids_goes_nowhere() -> None:
    """Race and religion are told, never passed on."""
    made = patient(p9=b"x", p27=b"y")
    assert made.findings == ["not-converted P-9", "not-converted P-27"]
    assert not made.notes


def test_what_has_more_parts_than_hl7_has_room_for_is_noted_whole() -> None:
    """Once a field."""
    made = patient(
        p12=b"1^2~3^4", p25=b"b^r^u^x", p23=b"1~2~3", p34=b"a^b^c^d^e", p5=b"a^b^c^d^e^f^g", p3=b"L^x", p4=b"N^x"
    )
    assert sorted(number for number, _ in noted(made)) == [3, 4, 5, 12, 23, 25, 34]


def test_death() -> None:
    """A date says it all, even an odd one."""
    made = patient(p33=b"20260102")
    assert (made.pid[29], made.pid[30]) == (b"20260102", b"Y")
    assert patient(p33=b"02/01/26").pid[30] == b"Y"


@pytest.mark.parametrize(
    ("date", "dead", "findings"),
    [(b'""', b'""', []), (b"00000000", b"", ["odd-date P-33"]), (b"N", b"", ["odd-date P-33"]), (b"", b"", [])],
)
def test_nobody_dies_of_a_null(date: bytes, dead: bytes, findings: list[str]) -> None:
    """Nor of zeros, or of a word: without a date nobody is declared dead."""
    made = patient(p33=date)
    assert (made.pid[29], made.pid[30], made.findings) == (date, dead, findings)


@pytest.mark.parametrize(
    ("own", "merged", "findings"),
    [
        (b"77^78^FU", b"78", []), (b"77^78^ fu ", b"78", []), (b"77^78", b"", ["not-converted P-2.2"]),
        (b'77^""^FU', b"", ["not-converted P-2.2"]), (b'""^78^FU', b"", ["not-converted P-2.2"]),
        (b"^78^FU", b"", ["not-converted P-2.2"]), (b"77^77^FU", b"", ["not-converted P-2.2"]),
        (b"77^^FU", b"", ["not-converted P-2.2"]), (b'77^""', b"", []), (b"77~88^78^FU", b"", ["not-converted P-2"]),
    ],
)  # fmt: skip
def test_a_fusion_needs_two_numbers(own: bytes, merged: bytes, findings: list[str]) -> None:
    """A null is none; one that isn't carried out is told."""
    made = patient(p2=own)
    assert (made.merged, made.findings) == (merged, findings)


def test_a_null_is_no_number() -> None:
    """Everybody who has none would have the same: it stays a note."""
    made = patient(p2=b'""', p3=b'""', p4=b"N1", p11=b'""^INS-NIR', p38=b"VALI")
    assert made.pid[3] == b""
    assert noted(made) == [(2, b'""'), (3, b'""')]
    assert made.findings == ["not-converted P-11"]


def test_an_odd_date_stays_and_is_told() -> None:
    """Nobody guesses."""
    made = patient(p7=b"02/80")
    assert (made.pid[7], made.findings) == (b"02/80", ["odd-date P-7"])


def test_the_identity_s_status_needs_its_segment() -> None:
    """ZFD in admissions, notes in results, PID-32 since 2.5."""
    assert patient(p35=b"CV").zfd == {}
    assert patient(form=Form("ADT", "A01", "2.5"), p35=b"CV").zfd == {5: b"CV"}
    assert noted(patient(form=Form("ORU", "R01", "2.4"), p38=b"VALI", p39=b"x")) == [(38, b"VALI"), (39, b"x")]
    assert noted(patient(p39=b"x")) == [(39, b"x")]


def test_a_stay() -> None:
    """Class and place change their order."""
    assert patient(p24=b"ER", p25=b"12^102^URG").pv1 == {1: b"1", 2: b"E", 3: b"URG^102^12", 44: b"", 45: b""}
    unknown = patient(p24=b"MP")
    assert (unknown.pv1[2], noted(unknown)) == (b"N", [(24, b"MP")])
