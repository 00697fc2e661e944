"""Profiles of YAML."""

from __future__ import annotations

import textwrap

import pytest

from engine.errors import ProfileRefused
from engine.parsers.hl7v2.message import Message
from engine.validation.profile import Profile
from engine.validation.reading import read_profile
from engine.validation.shipped import shipped
from engine.validation.validator import Validator

HEAD = "MSH|^~\\&|A|B|C|D|20260301||ADT^A01^ADT_A01|1|P|2.5\rEVN||20260301\r"
REST = "PID|1||7^^^A^PI||M^J||1984|F\rPV1|1|I|1010^1^2\r"


def profile(text: str) -> Profile:
    return read_profile("site", textwrap.dedent(text), shipped, file="site.yaml")


def told(text: str, message: str = HEAD + REST) -> list[str]:
    found = Validator(profile(text)).check(Message.parse(message.encode()))
    return [f"{one.severity} {one.rule} {one.path}".strip() for one in found]


def test_on_top_of_another():
    """What it doesn't say stays as it was."""
    assert told("extends: hl7-2.5") == []
    french = profile("extends: pam-fr-2.11\nlabel: ours\n")
    below = shipped("pam-fr-2.11")
    assert below is not None
    assert (french.label, french.rules, french.extension) == ("ours", below.rules, below.extension)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("PV1-3.1: { usage: R, length: 3 }", ["warning length PV1-3.1"]),
        ("PV1-3.4: { usage: R, severity: error }", ["error required-component PV1-3.4"]),
        ("PV1-3: { usage: X }", ["error forbidden PV1-3"]),
        ('PV1-3.1: { pattern: "^2" }', ["error pattern PV1-3.1"]),
        ("PV1-2: { values: [E, O] }", ["warning table PV1-2"]),
        ("PV1-2: { values: { I: inpatient } }", []),
        ("PV1-3.2: { type: DT }", ["error type PV1-3.2"]),
        ("PID-3: { repeat: 1 }", []),
        ("PV1-19: { usage: R, name: visit }", ["error required PV1-19"]),
        ('PV1-2: { table: "0001", severity: warning }', ["warning user-table PV1-2"]),
    ],
)
def test_fields(said, found):
    """Usage, repeat, length, type, table, values, pattern, severity."""
    assert told(f"extends: hl7-2.5\nfields:\n  {said}\n") == found


def test_severities_tables_structures_segments():
    """The whole of it."""
    text = """
        extends: hl7-2.5
        severity: { user-table: error, length: ignore, segment-order: warning }
        tables:
          "0004": { name: class, codes: [E] }
        structures:
          ADT_A01: MSH EVN PID ZXX PV1
        segments:
          ZXX: { name: bed, fields: { 1: { name: ward, type: NM, usage: R, repeat: 2 } } }
    """
    assert told(text) == ["error missing-segment ZXX", "error user-table PV1-2"]
    assert told(text, HEAD + REST + "ZXX|a~1~2\r") == [
        "error user-table PV1-2", "warning segment-order ZXX", "error repeated ZXX-1", "error type ZXX-1[1]",
    ]  # fmt: skip


def test_rules():
    """Those of the same name replace the profile's below; severity may be said apart."""
    text = """
        extends: pam-fr-2.11
        severity: { stay-number: warning, event-of-pam: ignore }
        rules:
          - { name: movement, sentence: never, events: [A99] }
          - { name: bed, types: [ADT], events: [A01, A02], where: { PV1-2: [I] }, require: [PV1-3.3, PV1-44],
              severity: warning }
          - { name: sex, expect: { PID-8: [M] }, forbid: ["PID-3[5=PI].9"] }
    """
    found = told(text)
    assert "warning stay-number PID-18" in found
    assert "warning bed PV1-44" in found
    assert "error sex PID-8" in found
    assert not [one for one in found if "movement" in one or "forbidden" in one]


def test_every_fault_with_its_line():
    """All of them at once; each says what to write."""
    with pytest.raises(ProfileRefused) as refused:
        profile(
            """\
            extends: hl7-9
            what: 1
            severity: { lenght: ignore, type: loud }
            keys: [luhn]
            fields:
              PV1-3.: { usage: R }
              PV1-4: { usage: MUST, length: long, pattern: '(a)\\1', wide: 1 }
              PV1-5: x
            segments:
              zxx: { fields: { 0: {} } }
            tables:
              "0001": { codes: [] }
            structures:
              ADT_A01: "MSH ["
            rules:
              - { name: type, require: ["PID_3"] }
              - { name: empty }
              - { name: site, require: ["PID-3[@ipp]"], where: [a] }
              - text
            """
        )
    lines = [fault.split(":", 2)[1:] for fault in refused.value.faults]
    assert refused.value.exit_code == 78
    numbers = [int(number) for number, _ in lines]
    assert set(numbers) == {1, 2, 3, 4, 6, 7, 8, 10, 12, 14, 16, 17, 18, 19}
    text = str(refused.value)
    for words in (
        "there is no profile hl7-9", "what is no key", "there is no rule lenght", "loud isn't possible here",
        "no check digit luhn", "PV1-3. is no field", "MUST isn't possible", "long is no number",
        "back references", "wide is no key", "a field is a mapping", "zxx is no segment's name",
        "0 is no number of a field", "codes are missing", "where a segment or a group is expected", "PID_3",
        "a rule has a name of its own", "a rule says require, forbid or expect", "neither foreach nor sites",
        "a mapping is wanted", "a rule is a mapping",
    ):  # fmt: skip
        assert words in text, words
