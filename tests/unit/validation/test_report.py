"""The findings of one message."""

from __future__ import annotations

from engine.parsers.hl7v2.message import Message
from engine.validation.findings import FINDINGS_MAX, Place
from engine.validation.matching import Misfit
from engine.validation.profile import Profile
from engine.validation.report import Report

RAW = b"MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\rOBX|1\rOBX|2\r"


def report(**severities: str) -> Report:
    message = Message.parse(RAW)
    return Report(message, tuple(message.names), Profile(name="x", severities=severities))


def test_paths_count_segments_of_a_name():
    """OBX[2]-5, because there are two."""
    found = report()
    found.add("type", Place(2, 5, 1), "no number")
    found.add("type", Place(0, 7, 1), "no date")
    assert [(one.path, one.severity) for one in found.findings()] == [("MSH-7", "error"), ("OBX[2]-5", "error")]


def test_severities_are_the_profiles():
    """Of the place, else of the rule in the profile, else built in; what is ignored isn't there."""
    found = report(type="warning", length="ignore")
    found.add("type", Place(1, 5), "x")
    found.add("type", Place(1, 6), "x", severity="error")
    found.add("length", Place(1, 7), "x")
    assert [one.severity for one in found.findings()] == ["warning", "error"]


def test_what_is_missing_has_the_segments_name():
    """And the place of the message itself."""
    found = report()
    found.misfit(Misfit("missing-segment", 0, "PID", "PID is required in ADT_A01"))
    found.misfit(Misfit("unexpected-segment", 2, "OBX", "OBX isn't expected"))
    assert [(one.path, one.place.segment) for one in found.findings()] == [("PID", -1), ("OBX[2]", 2)]


def test_a_line_without_a_name_has_a_path_too():
    """Its rank among all segments."""
    message = Message.parse(RAW + b"the rest of a value\r")
    found = Report(message, tuple(message.names), Profile(name="x"))
    found.misfit(Misfit("no-segment", 3, "", "no name"))
    assert [one.path for one in found.findings()] == ["segment 4"]


def test_there_is_an_end():
    """A message of another standard would have a finding a field."""
    found = report()
    for number in range(FINDINGS_MAX + 10):
        found.add("type", Place(1, number + 1), "x")
    assert found.full
    assert len(found.findings()) == FINDINGS_MAX
