"""How far a path may reach in any version."""

from __future__ import annotations

from engine.dictionary.limits import is_unordered, last_component, last_field


def test_the_last_field_in_any_version():
    """With the version that brought it; HL7 2.9 and the French segments too."""
    assert last_field("PID") == (40, "PID-40 since HL7 2.7, PID-39 in 2.5")
    assert last_field("OBX") == (33, "OBX-33 since HL7 2.9, OBX-19 in 2.5")
    assert last_field("ZBE") == (9, "ZBE-9")
    assert last_field("NK1") == (41, "NK1-41 since HL7 2.7, NK1-39 in 2.5")
    assert last_field("ROL") == (14, "ROL-14 since HL7 2.7, ROL-12 in 2.5")


def test_what_the_dictionary_does_not_have_is_not_limited():
    """Z segments of partners, HPRIM."""
    assert last_field("ZZZ") is None
    assert last_field("") is None
    assert last_component("ZZZ", 3) == 0


def test_the_last_component_in_any_version():
    """Of the data types that the field ever had; none where another field says the type."""
    assert last_component("PID", 5) == 15
    assert last_component("PID", 1) == 1
    assert last_component("OBX", 5) == 0
    assert last_component("ZBE", 7) == 10
    assert last_component("PID", 99) == 0


def test_fields_without_order():
    """Identifiers, names, addresses, phones."""
    for field in (3, 5, 11, 13, 14, 18):
        assert is_unordered("PID", field)
    assert is_unordered("MRG", 1)
    assert is_unordered("NK1", 2)
    assert is_unordered("PV1", 19)
    assert not is_unordered("PID", 8)
    assert not is_unordered("ZZZ", 1)
