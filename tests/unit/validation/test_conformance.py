"""HL7 v2 conformance profiles in XML."""

from __future__ import annotations

import pytest

from engine.errors import ProfileRefused
from engine.parsers.hl7v2.message import Message
from engine.validation.conformance import read_conformance_profile
from engine.validation.validator import Validator

PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<HL7v2xConformanceProfile HL7Version="2.5" ProfileType="Implementation">
  <MetaData Name="results of one laboratory"/>
  <HL7v2xStaticDef MsgType="ORU" EventType="R01" MsgStructID="ORU_R01" Name="results">
    <Segment Name="MSH" LongName="Message Header" Usage="R" Min="1" Max="1">
      <Field Name="Field Separator" Usage="R" Min="1" Max="1" Datatype="ST" Length="1"/>
      <Field Name="Encoding Characters" Usage="R" Min="1" Max="1" Datatype="ST" Length="4"/>
      <Field Name="Sending Application" Usage="R" Min="1" Max="1" Datatype="HD" Length="20">
        <Component Name="Namespace ID" Usage="R" Datatype="IS" Length="8" ConstantValue="LABO"/>
        <Component Name="Universal ID" Usage="X" Datatype="ST"/>
      </Field>
    </Segment>
    <SegGroup Name="PATIENT_RESULT" Usage="R" Min="1" Max="1">
      <SegGroup Name="PATIENT" Usage="R" Min="1" Max="1">
        <Segment Name="PID" Usage="R" Min="1" Max="1">
          <Field Name="Set ID" Usage="X" Min="0" Max="0" Datatype="SI" Length="4"/>
          <Field Name="Patient ID" Usage="O" Min="0" Max="1" Datatype="CX_1" Length="20"/>
          <Field Name="Patient Identifier List" Usage="R" Min="1" Max="2" Datatype="CX" Length="250">
            <Component Name="ID" Usage="R" Datatype="ST" Length="12"/>
            <Component Name="check digit" Usage="O" Datatype="ST"/>
            <Component Name="scheme" Usage="O" Datatype="ID"/>
            <Component Name="authority" Usage="R" Datatype="HD">
              <SubComponent Name="name" Usage="R" Datatype="IS" Length="4"/>
            </Component>
          </Field>
        </Segment>
      </SegGroup>
      <SegGroup Name="ORDER_OBSERVATION" Usage="R" Min="1" Max="*">
        <Segment Name="OBR" Usage="R" Min="1" Max="1"/>
        <Segment Name="NTE" Usage="X" Min="0" Max="0"/>
        <SegGroup Name="OBSERVATION" Usage="RE" Min="0" Max="*">
          <Segment Name="OBX" Usage="R" Min="1" Max="1">
            <Field Name="Set ID" Usage="O" Min="0" Max="1" Datatype="SI"/>
            <Field Name="Value Type" Usage="R" Min="1" Max="1" Datatype="ID" Table="0125"/>
            <Field Name="Observation Identifier" Usage="R" Min="1" Max="1" Datatype="CE"/>
            <Field Name="Sub-ID" Usage="O" Min="0" Max="1" Datatype="ST"/>
            <Field Name="Value" Usage="RE" Min="0" Max="*" Datatype="varies"/>
          </Segment>
        </SegGroup>
      </SegGroup>
    </SegGroup>
  </HL7v2xStaticDef>
</HL7v2xConformanceProfile>
"""
HEAD = "MSH|^~\\&|LABO|B|C|D|20260301||ORU^R01^ORU_R01|1|P|2.5\r"
OBR = "OBR|1|||NFS|||20260301\r"


def told(body: str, head: str = HEAD) -> list[str]:
    profile = read_conformance_profile("lab", PROFILE.encode())
    found = Validator(profile).check(Message.parse((head + body).encode()))
    return [f"{one.severity} {one.rule} {one.path}" for one in found]


def test_a_message_that_conforms():
    """Nothing to say."""
    assert told("PID|||7^^^LAB~8^^^LAB||A\r" + OBR + "OBX|1|NM|718-7||13.2||||||F\r") == []


def test_what_the_profile_wants():
    """Usage, cardinality, length, constants, subcomponents, at each place; segments that it takes out."""
    found = told(
        "PID|1||7~8^^^LAB~9^^^LONGER||A\r" + OBR + "NTE|1\rOBX|1|NM|718-7||x||||||F\r",
        HEAD.replace("LABO", "LIS^1.2^ISO"),
    )
    assert found == [
        "warning table MSH-3.1", "error forbidden MSH-3.2", "error forbidden PID-1", "error repeated PID-3",
        "error required-component PID-3[1].4", "warning length PID-3[3].4.1", "error unexpected-segment NTE",
        "error type OBX-5",
    ]  # fmt: skip


def test_a_message_of_another_kind_is_one_of_its_version():
    """The profile is about ORU^R01."""
    assert told("", "MSH|^~\\&|LABO|B|C|D|20260301||ACK^R01^ACK|1|P|2.5\rMSA|AA|1\r") == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("<?xml", "<xml", "no XML"),
        ('HL7Version="2.5"', 'HL7Version="9"', "lab:2: HL7Version"),
        ('MsgType="ORU"', 'MsgType=""', "lab:4: MsgType is missing"),
        ('Name="PID"', 'Name="P D"', "lab:15: Segment has no name"),
        ('Usage="RE" Min="0" Max="*" Datatype', 'Usage="Q" Min="0" Max="*" Datatype', "Usage is none of"),
        ('Max="2"', 'Max="two"', "Max is two"),
        ("HL7v2xStaticDef", "Static", "no HL7v2xConformanceProfile with an HL7v2xStaticDef"),
        ("<HL7v2xConformanceProfile", '<!DOCTYPE a [<!ENTITY b "c">]><HL7v2xConformanceProfile', "document type"),
    ],
)
def test_what_is_refused(old, new, fault):
    """With its line; entities are no part of a profile."""
    with pytest.raises(ProfileRefused) as refused:
        read_conformance_profile("lab", PROFILE.replace(old, new).encode())
    assert fault in str(refused.value)


COUNTED = (
    PROFILE.replace('Identifier List" Usage="R" Min="1" Max="2"', 'Identifier List" Usage="R" Min="2" Max="3"')
    .replace('"OBSERVATION" Usage="RE" Min="0" Max="*"', '"OBSERVATION" Usage="R" Min="2" Max="3"')
    .replace('<Segment Name="NTE" Usage="X" Min="0" Max="0"/>', '<Segment Name="NTE" Usage="O" Min="0" Max="2"/>')
)


@pytest.mark.parametrize(
    ("identifiers", "notes", "results", "rules"),
    [
        (2, 2, 2, []), (3, 0, 3, []),
        (1, 0, 2, ["too-few"]), (4, 0, 2, ["repeated"]),
        (2, 3, 2, ["segment-repeated"]),
        (2, 0, 1, ["missing-group"]), (2, 0, 4, ["segment-repeated"]),
    ],
)  # fmt: skip
def test_cardinalities_above_one(identifiers: int, notes: int, results: int, rules: list[str]) -> None:
    """Of fields, segments and groups, both ends."""
    validator = Validator(read_conformance_profile("p", COUNTED.encode()))
    pid = "PID|||" + "~".join(["1^^^A"] * identifiers) + "\r"
    text = HEAD + pid + "OBR|1\r" + "NTE|1\r" * notes + "OBX|1|ST|X||y\r" * results
    found = validator.check(Message.parse(text.encode()))
    assert [
        one.rule for one in found if one.rule in ("too-few", "repeated", "segment-repeated", "missing-group")
    ] == rules


@pytest.mark.parametrize("least", ["many", "-1", "2"])
def test_a_minimum_that_is_none(least: str) -> None:
    """Each fault with its line; more at least than at most is one."""
    text = PROFILE.replace('"PID" Usage="R" Min="1" Max="1"', f'"PID" Usage="R" Min="{least}" Max="1"')
    with pytest.raises(ProfileRefused) as refused:
        read_conformance_profile("p", text.encode())
    assert ":15:" in refused.value.faults[0]
