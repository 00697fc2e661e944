"""Text of segments and bytes of messages."""

import datetime as dt

from engine.simulation.patients import Population
from engine.simulation.writing import escaped, ins_of, message_bytes, names, segment, stamp, traits


def test_fields_stand_where_hl7_counts_them():
    """PID-3 is the third field; MSH-3 comes after the delimiters."""
    assert segment("PID", {3: "x", 5: "y"}) == "PID|||x||y"
    assert segment("MSH", {3: "A", 9: "ADT^A01"}) == "MSH|^~\\&|A||||||ADT^A01"
    assert segment("ZFP", {}) == "ZFP"


def test_delimiters_in_a_text_are_escaped():
    """HL7 v2.5 § 2.7."""
    assert escaped("a|b^c&d~e\\f") == "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f"


def test_bytes_follow_charset_and_segment_ends():
    """The last segment ends too; a character that the charset lacks becomes a question mark."""
    assert message_bytes(["MSH", "PID|É☃"], codec="cp1252", end="\r\n") == b"MSH\r\nPID|\xc9?\r\n"


def test_an_instant_has_no_zone():
    """French systems write local time."""
    assert stamp(dt.datetime(2026, 3, 14, 9, 26, 53, tzinfo=dt.UTC)) == "20260314092653"


def test_names_and_birth_place_are_those_of_pam_france():
    """Birth name L with the list of given names; birth place BDL with its INSEE code in XAD-9."""
    person = next(person for person in map(Population(1).person, range(99)) if person.usual_name)
    birth, usual = names(person).split("~")
    assert birth.split("^")[6] == "L"
    assert birth.split("^")[2].split(" ")[0] == birth.split("^")[1]
    assert usual.split("^")[6] == "D"
    assert traits(person)[11].split("~")[1].split("^")[6:9] == ["BDL", "", person.birth_code]
    assert ins_of(person).endswith("&1.2.250.1.213.1.4.10&ISO^INS")
