"""Admissions as PAM France says, with the liberties that products take."""

import pytest

from engine.simulation.gam import STRUCTURES, Gam
from engine.simulation.patients import Population
from engine.simulation.systems import Sequence

QUALIFIED = next(person for person in map(Population(1).person, range(99)) if person.qualified)


def fields(payload, name, end="\r\n", codec="cp1252"):
    line = next(line for line in payload.decode(codec).split(end) if line.startswith(name))
    return line.split("|")


@pytest.fixture
def gams(systems, clock):
    return [Gam(hospital, Sequence("t"), clock) for hospital in systems.hospitals]


def test_an_identity_message_of_cpage_has_its_liberties(gams):
    """CRLF, 8859/1, no PV1-3, bare ZFP, archive number and third party in PID-3, INS under the test OID."""
    message = gams[0].identity("A28", QUALIFIED, "900000000001")
    assert message.payload.endswith(b"\r\n")
    assert b"\r\nZFP|\r\n" in message.payload
    assert fields(message.payload, "PV1") == ["PV1", "", "N"]
    header = fields(message.payload, "MSH")
    assert (header[8], header[17]) == ("ADT^A28^ADT_A05", "8859/1")
    numbers = fields(message.payload, "PID")[3].split("~")
    assert numbers[0] == "900000000001^^^CPAGE&1.2.250.1.999.10.1&ISO^PI"
    assert "&1.2.250.1.213.1.4.10&ISO^INS" in numbers[1]
    assert numbers[2].endswith("^MR")
    assert "DOCTOLIB" in numbers[3]


def test_the_old_product_sends_line_feeds_and_no_structure(gams):
    """LF ends, MSH-9 without its third component, ISO 8859-15."""
    message = gams[1].identity("A28", QUALIFIED, "1000001")
    assert b"\r" not in message.payload
    header = fields(message.payload, "MSH", "\n", "iso8859-15")
    assert (header[8], header[17]) == ("ADT^A28", "8859/15")


def test_the_recent_product_sends_utf8(gams):
    """CR ends and UNICODE UTF-8."""
    message = gams[2].identity("A28", QUALIFIED, "1000001")
    assert fields(message.payload, "MSH", "\r", "utf-8")[17] == "UNICODE UTF-8"
    assert b"\n" not in message.payload


@pytest.mark.parametrize("event", ["A01", "A02", "A03", "A04", "A05", "A06"])
def test_a_movement_has_its_number_date_and_action(gams, event):
    """ZBE-1 new each time, ZBE-4 INSERT, PV1-3 and ZBE-7 the unit, PID-18 and PV1-19 the stay."""
    gam = gams[0]
    stay = gam.new_stay(QUALIFIED, "900000000001", "4021", "I")
    first, second = gam.movement(event, stay).payload, gam.movement(event, stay).payload
    zbe = fields(first, "ZBE")
    assert zbe[1] != fields(second, "ZBE")[1]
    assert (zbe[4], zbe[5], zbe[7].split("^")[9]) == ("INSERT", "N", "4021")
    assert fields(first, "PV1")[3].startswith("4021^")
    assert fields(first, "PID")[18].startswith(f"{stay.nda}^")
    assert fields(first, "PV1")[19].startswith(f"{stay.visit}^")
    assert fields(first, "MSH")[8] == f"ADT^{event}^{STRUCTURES[event]}"


def test_a_correction_names_the_movement_that_it_corrects(gams):
    """Z99, UPDATE, the number of the movement, its event in ZBE-6 (PAM France 2.11.1)."""
    gam = gams[0]
    stay = gam.new_stay(QUALIFIED, "900000000001", "4021", "I")
    admitted = fields(gam.movement("A01", stay).payload, "ZBE")
    corrected = fields(gam.movement("Z99", stay, action="UPDATE", corrects="A01").payload, "ZBE")
    assert corrected[1] == admitted[1]
    assert (corrected[4], corrected[6]) == ("UPDATE", "A01")


def test_a_cancelled_transfer_carries_the_unit_before(gams):
    """PAM France 2.11.1: PV1-3 and ZBE-7 hold the values of the preceding movement."""
    gam = gams[0]
    stay = gam.new_stay(QUALIFIED, "900000000001", "4021", "I")
    gam.movement("A01", stay)
    stay.unit = "4022"
    moved = fields(gam.movement("A02", stay).payload, "ZBE")[1]
    cancelled = gam.movement("A12", stay, action="CANCEL", corrects="A02").payload
    assert fields(cancelled, "ZBE")[1] == moved
    assert fields(cancelled, "PV1")[3].startswith("4021^")
    assert stay.unit == "4021"


def test_a_merge_names_both_numbers_and_moves_no_stay(gams):
    """A40: PID-3 survivor, MRG-1 gone; the stay moves by an A44 with its number in PID-18 and MRG-3."""
    gam = gams[0]
    merged = gam.merge(QUALIFIED, "900000000001", "900000500001").payload
    assert fields(merged, "PID")[3].startswith("900000000001^")
    assert fields(merged, "MRG")[1].startswith("900000500001^")
    assert len(fields(merged, "PID")) < 19 or not fields(merged, "PID")[18]
    stay = gam.new_stay(QUALIFIED, "900000500001", "4021", "E")
    moved = gam.move_stay(stay, "900000000001", "900000500001").payload
    assert fields(moved, "PID")[18] == fields(moved, "MRG")[3]


def test_a_newborn_names_its_mother(gams):
    """PID-21, and PV1-4 N."""
    gam = gams[0]
    stay = gam.new_stay(QUALIFIED, "900000000002", "4021", "I")
    stay.mother = gam.hospital.identifier("ipp", "900000000001")
    born = gam.movement("A01", stay).payload
    assert fields(born, "PID")[21] == stay.mother
    assert fields(born, "PV1")[4] == "N"
