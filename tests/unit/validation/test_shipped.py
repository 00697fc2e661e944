"""Profiles that come along."""

from __future__ import annotations

import pytest

from engine.parsers.hl7v2.message import Message
from engine.validation.shipped import fitting, shipped, shipped_names


def test_all_of_them_load():
    """By their names."""
    names = shipped_names()
    assert {"hl7-2.x", "hl7-2.1", "hl7-2.8.2", "pam-fr-2.11"} <= set(names)
    for name in names:
        profile = shipped(name)
        assert profile is not None
        assert (profile.name, bool(profile.label)) == (name, True)


@pytest.mark.parametrize("name", ["", "hl7-2.9", "hl7-3", "pam", "../pam-fr-2.11", "PAM-FR-2.11"])
def test_what_isnt_there(name):
    """Is none."""
    assert shipped(name) is None


@pytest.mark.parametrize(
    ("type_", "version", "more", "name"),
    [
        ("ADT^A01", "2.5^FRA^2.11", "", "pam-fr-2.11"), ("ADT^A01", "2.5", "||||||FRA", "hl7-2.x"),
        ("ADT^A01", "2.5", "|||||FRA", "pam-fr-2.11"), ("ADT^A01", "2.5", "\rZBE|1", "pam-fr-2.11"),
        ("ORU^R01", "2.5^FRA^2.5", "", "hl7-2.x"), ("ADT^A01", "2.3", "", "hl7-2.x"),
    ],
)  # fmt: skip
def test_the_profile_that_fits(type_, version, more, name):
    """PAM France for French ADT, else HL7 as MSH-12 says."""
    message = Message.parse(f"MSH|^~\\&|A|B|C|D|20260301||{type_}|1|P|{version}{more}\r".encode())
    assert fitting(message).name == name
