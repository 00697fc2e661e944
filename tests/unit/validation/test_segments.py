"""The checks of one segment."""

from __future__ import annotations

from engine.dictionary.dictionary import dictionary_of
from engine.parsers.hl7v2.delimiters import STANDARD
from engine.validation.checks import Judge
from engine.validation.profile import Profile
from engine.validation.resolving import Resolver
from engine.validation.segments import SegmentChecks

RESOLVER = Resolver(Profile(name="x"), dictionary_of("2.5"))


def told(line: str, *, usual: bool = True) -> tuple[list[str], list[int]]:
    """What is said of a segment, and its fields beyond the last."""
    found: list[str] = []

    def judge(position: int, number: int) -> Judge:
        return Judge(STANDARD, "utf-8", lambda rule, severity, where, sentence: found.append(f"{rule} {number}"))

    fields = line.encode().split(b"|")
    if line.startswith("MSH"):
        fields.insert(1, b"|")
    return found, SegmentChecks(line[:3], RESOLVER).check(0, fields, judge, usual=usual)


def test_required_fields_and_fields_that_are_there():
    """An empty field costs nothing but where it is required."""
    assert told("PID|1||7||A") == ([], [])
    assert told("PID|1||||A") == (["required 3"], [])
    assert told("PID|x||7||A") == (["type 1"], [])
    assert told("EVN||20260301") == ([], [])


def test_fields_beyond_the_last():
    """Only those with a value."""
    assert told("EVN||20260301||||||a||b") == ([], [8, 10])


def test_the_delimiters_are_no_value():
    """MSH-1 and MSH-2."""
    assert told("MSH|^~\\&|A|B|C|D|20260301||ADT^A01^ADT_A01|1|P|2.5") == ([], [])


def test_a_value_has_the_type_that_obx_2_says():
    """Unknown or absent: nobody can tell."""
    assert told("OBX|1|NM|A||12||||||F") == ([], [])
    assert told("OBX|1|NM|A||<12||||||F") == (["type 5"], [])
    assert told("OBX|1|ST|A||<12||||||F") == ([], [])
    assert told("OBX|1||A||12||||||F") == (["value-type 2"], [])
    assert "value-type 2" in told("OBX|1|QQQ|A||12||||||F")[0]
    assert told('OBX|1||A||""||||||F') == ([], [])
    assert told("OBX|1|NM|A||||||||F") == ([], [])


def test_unusual_delimiters_go_to_the_judge():
    """Who finds nothing wrong with what is right."""
    assert told("PID|1||7||A", usual=False) == ([], [])


def test_what_nobody_describes():
    """A Z segment of a partner."""
    checks = SegmentChecks("ZXX", RESOLVER)
    assert (checks.known, checks.last) == (False, 0)
