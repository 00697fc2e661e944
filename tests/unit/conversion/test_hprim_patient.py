"""PID to P."""

from __future__ import annotations

import pytest

from engine.conversion.authorities import System
from engine.conversion.hprim_patient import About, Written, not_handled, restore, to_hprim
from engine.conversion.notes import of_field

LABO = System(b"100", b"LABO")


def patient(pv1: dict[int, bytes] | None = None, *, birth_given: bool = True, **fields: bytes) -> Written:
    pid = [b"PID"] + [b""] * 40
    for name, data in fields.items():
        pid[int(name[1:])] = data
    visit = [b"PV1"] + [(pv1 or {}).get(number, b"") for number in range(1, 51)]
    return to_hprim(About(pid, pv1=visit), LABO, rank=1, birth_given=birth_given)


def test_numbers() -> None:
    """The performer's own goes to P-3, the first other to P-2; nothing else passes for them."""
    made = patient(f3=b'L9^^^LABO&100&L^PI~77^^^CHA&1.2&ISO^PI~8^^^X^MR~9^^^Y^PI~""')
    assert (made.p[2], made.p[3], made.findings) == (b"77", b"L9", ["not-converted PID-3"])


def test_the_performer_s_number_alone_is_not_the_hospital_s() -> None:
    """P-2 stays empty."""
    assert patient(f3=b"L9^^^LABO&100&L^PI").p.get(2) is None


def test_names() -> None:
    """Usual, birth, alias; a sole birth name is the usual one too."""
    made = patient(f5=b"DURAND^Zoe^Zoe Lea^^^^L~MULLER^^^^MME^^D~Lili^^^^^^A")
    assert (made.p[5], made.p[6]) == (b"MULLER^Zoe^^Lili^MME", b"DURAND^Zoe^Zoe Lea")
    assert patient(f5=b"DURAND^Zoe^^^^^L", birth_given=False).p[6] == b"DURAND"
    assert patient(f5=b"DURAND^Zoe").p[5] == b"DURAND^Zoe"
    assert patient(f5=b"X^Y^^JR^^^S").findings == ["not-converted PID-5"]
    assert patient(f5=b"X^Y^^JR").findings == ["not-converted PID-5.4"]


def test_addresses_and_telecoms() -> None:
    """Home, birth place; phones in any spelling, mail."""
    made = patient(
        f11=b"1 RUE^^VILLE^^01000^FRA^H~^^LYON^^69001^FRA^BDL^^69381~2 RUE^^^^^^BA",
        f13=b"0102030405~^PRN^PH^^33^6^123~^NET^Internet^a@b", f14=b"^^^^^^^^^^^0600",
    )  # fmt: skip
    assert (made.p[10], made.p[34]) == (b"1 RUE^^VILLE^^01000^FRA", b"LYON^69381^FRA^69001")
    assert (made.p[12], made.p[41]) == (b"0102030405~336123~0600", b"a@b")
    assert made.findings == ["not-converted PID-11"]


def test_a_stay() -> None:
    """The stay's number from PID-18, or the visit's."""
    made = patient({2: b"I", 3: b"URG^102^12", 19: b"V1", 44: b"20260101"})
    assert (made.p[24], made.p[25], made.p[4], made.p[23]) == (b"IP", b"12^102^URG", b"V1", b"20260101")
    both = patient({2: b"R", 19: b"V1"}, f18=b"N1")
    assert (both.p[4], both.findings) == (b"N1", ["not-converted PV1-2", "not-converted PV1-19"])


@pytest.mark.parametrize(
    ("fields", "note", "expected", "findings"),
    [
        ({"f3": b"77"}, (2, b"77^78^FU"), b"77^78^FU", []),
        ({"f3": b"99"}, (2, b"77^78^FU"), b"99", ["not-converted P-2"]),
        ({}, (2, b"77~88"), b"", ["not-converted P-2"]), ({}, (2, b'""'), b'""', []),
        ({}, (3, b"L9^x"), b"", ["not-converted P-3"]),
        ({"f18": b"N1"}, (4, b"N1^x"), b"N1^x", []), ({"f18": b"N2"}, (4, b"N1^x"), b"N2", ["not-converted P-4"]),
        ({"f5": b"DUPONT^Zoe"}, (5, b"DURAND^Zoe^^^^^M"), b"DUPONT^Zoe", ["not-converted P-5"]),
        ({"f13": b"03"}, (12, b"01^a~02"), b"03", ["not-converted P-12"]), ({}, (16, b"170"), b"170", []),
    ],
)  # fmt: skip
def test_a_note_goes_back_to_what_is_still_so(
    fields: dict[str, bytes], note: tuple[int, bytes], expected: bytes, findings: list[str]
) -> None:
    """Numbers and names that steps changed, or took out, stay changed."""
    made = patient(**fields)
    number, text = note
    restore(made, of_field("P", number, text), LABO)
    assert (made.p.get(number, b""), made.findings) == (expected, findings)


def test_a_performer_s_number_of_nobody() -> None:
    """It stood in a note alone, and goes back."""
    made = patient()
    restore(made, of_field("P", 3, b"L9"), System(b"", b""))
    assert made.p[3] == b"L9"


def test_a_null_stay_is_none() -> None:
    """The visit's number is; alone it says that the stay's is to be deleted."""
    assert patient({19: b"V1"}, f18=b'""').p[4] == b"V1"
    assert patient({19: b'""'}, f18=b"N1").findings == []
    assert patient(f18=b'""').p[4] == b'""'


@pytest.mark.parametrize(
    ("date", "dead", "written", "findings"),
    [
        (b"20260102", b"Y", b"20260102", []), (b"20260102", b"", b"20260102", []), (b'""', b"", b'""', []),
        (b'""', b"N", b'""', []), (b"", b'""', b"", []), (b"", b"Y", b"", ["not-converted PID-30"]),
        (b'""', b"Y", b"", ["not-converted PID-30"]), (b"20260102", b"N", b"", ["not-converted PID-29"]),
        (b"20260102", b'""', b"", ["not-converted PID-29"]), (b"00000000", b"", b"", ["not-converted PID-29"]),
    ],
)  # fmt: skip
def test_death(date: bytes, dead: bytes, written: bytes, findings: list[str]) -> None:
    """P-33 is a date, and says that somebody is dead: only where PID-29 and PID-30 agree."""
    made = patient(f29=date, f30=dead)
    assert (made.p[33], made.findings) == (written, findings)


def test_only_the_first_goes_on_and_the_others_are_told() -> None:
    """Where HPRIM has room for one."""
    made = patient({3: b"URG^1~CARD^2"}, f11=b"^^LYON^^^^BDL~^^PARIS^^^^BDL", f18=b"N1~N2")
    assert (made.p[25], made.p[34], made.p[4]) == (b"^1^URG", b"LYON", b"N1")
    assert made.findings == ["not-converted PID-11", "not-converted PV1-3", "not-converted PID-18"]


def test_what_is_not_handled() -> None:
    """Fields with a value, null aside."""
    assert not_handled("PID", [b"PID", b"1", b'""', b"", b"x"], (0, 1)) == ["not-converted PID-4"]
    assert patient(f30=b"Y").findings == ["not-converted PID-30"]
