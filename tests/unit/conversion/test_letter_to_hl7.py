"""HPRIM Médecin to HL7; whole files stand in test_hprim_to_hl7."""

from __future__ import annotations

import pytest

from engine.conversion import Lines, to_hl7
from engine.errors import StepFailed
from engine.parsers import open_message

LETTER = (
    "42\r\nDURAND\r\nZoé\r\n1 RUE\r\n\r\nVILLE\r\n01/02/1980\r\n{insured}\r\n2600123\r\n"
    "03/04/2026\r\nLAB Labo\r\nDOC\r\nBonjour\r\n{coded}****FIN****\r\n"
)


def convert(*, coded: str = "", insured: str = "", wanted: str = "", lines: Lines = Lines()) -> str:  # noqa: B008
    raw = LETTER.format(coded=f"****LAB****\r\n{coded}" if coded else "", insured=insured).encode()
    made = to_hl7(open_message(raw), wanted=wanted, lines=lines)
    (message,) = made.messages
    return message.data.decode()


def test_a_letter_is_a_document_and_results_are_results() -> None:
    """Unless the route says."""
    assert "MDM^T02" in convert()
    assert "ORU^R01" in convert(coded="RES|a|b|N|1\r\n")
    assert "ORU^R01" in convert(wanted="ORU_R01")
    assert "MDM^T02" in convert(coded="RES|a|b|N|1\r\n", wanted="MDM_T02")
    with pytest.raises(StepFailed, match="a letter can't become ADT"):
        convert(wanted="ADT")


def test_the_hospital_s_numbers() -> None:
    """Line 1 is the laboratory's unless the route says that it is the hospital's."""
    assert "PID|1||42^^^Labo&LAB&L^PI|" in convert()
    assert "|2600123^^^^AN" not in convert()
    known = convert(lines=Lines(ipp=1, nda=9))
    assert "PID|1||42^^^^PI|" in known
    assert "|2600123^^^^AN\r" in known
    assert "ENT-9" not in known


@pytest.mark.parametrize(
    ("insured", "written"),
    [("2800201000000 10", "~280020100000010^^^^NH|"), ("280", "ENT-8 (")],
)
def test_the_insurance_number(insured: str, written: str) -> None:
    """Of the insured, who may be a parent: type NH, never an INS; what is none stays a note."""
    assert written in convert(insured=insured)


@pytest.mark.parametrize(
    ("line", "obx"),
    [
        ("RES|L|C|N|12,5|g|1|2|H|F", "OBX|1|NM|C^L^L||12.5|g|1 - 2|H|||F"),
        ("RES|L|C|N|<3|g|1||", "OBX|1|ST|C^L^L||<3|g|> 1"),
        ("RES|L|C|C|POS|||2", "OBX|1|CE|C^L^L||POS||< 2"),
        ("RES||C|A", "OBX|1|ST|C^^L"),
        ("RES|L|C|?|a|b", "OBX|1|ST|C^L^L||a|b"),
    ],
)
def test_results(line: str, obx: str) -> None:
    """Types, bounds, flags."""
    assert f"\r{obx}\r" in convert(coded=line + "\r\n")


def test_a_result_with_more_fields_than_the_norm() -> None:
    """A note keeps them."""
    assert "RES-14 : z" in convert(coded="RES|L|C|N|1" + "|" * 10 + "z\r\n")


def test_a_text_before_the_first_result_of_a_document() -> None:
    """It stands behind it: MDM has no NTE before its OBX."""
    message = convert(coded="TEX|avant\r\nRES|a|b|N|1\r\n", wanted="MDM_T02")
    assert "OBX|1|NM|b^a^L||1\rNTE|1||avant\rOBX|2|FT" in message


def test_each_letter_has_a_number_of_its_own() -> None:
    """No later letter overwrites an earlier one; the same letter has the same number."""
    one, other = convert(), convert(coded="TEX|x\r\n", wanted="MDM_T02")
    number = one.split("TXA|")[1].split("|")[11]
    assert number == convert().split("TXA|")[1].split("|")[11]
    assert number not in other


@pytest.mark.parametrize("second", ["9,5", "9,5|mg", "9,5|mg|1", "9,5|mg|1|2"])
def test_a_second_value_may_end_anywhere(second: str) -> None:
    """Laboratories leave out what is empty at the end of a line."""
    message = convert(coded=f"RES|L|C|N|1|g|||N|F|{second}\r\n")
    first, *more = [line for line in message.split("\r") if line.startswith("OBX|") and "|NM|" in line]
    assert first == "OBX|1|NM|C^L^L|1|1|g||N|||F"
    assert [line.split("|")[4:6] for line in more] == [["2", "9.5"]]
