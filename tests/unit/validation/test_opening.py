"""A profile in the bytes of a file."""

from __future__ import annotations

import pytest

from engine.errors import ProfileRefused
from engine.validation.opening import open_profile

XML = (
    b'<?xml version="1.0"?>\n<HL7v2xConformanceProfile HL7Version="2.5">'
    b'<HL7v2xStaticDef MsgType="ACK" Name="results"><Segment Name="MSH" Usage="R"/></HL7v2xStaticDef>'
    b"</HL7v2xConformanceProfile>"
)


def test_yaml_and_xml():
    """Told apart by their first character."""
    assert open_profile("a", b"extends: hl7-2.5\n").version == "2.5"
    assert open_profile("b", b"\xef\xbb\xbf" + XML).label == "results"


def test_what_isnt_utf8():
    """The line where it begins."""
    with pytest.raises(ProfileRefused, match=r"a\.yaml:2: the profile isn't UTF-8"):
        open_profile("a", b"extends: hl7-2.5\nlabel: \xe9\n", file="a.yaml")
