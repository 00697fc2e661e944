"""A message's segments against its structure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.dictionary.dictionary import dictionary_of
from engine.validation.grammar import parse_structure
from engine.validation.matching import match_structure
from tests.support.steps import grows_with

HL7 = dictionary_of("2.5")


def misfits(structure: str, names: str, content: str = "") -> list[str]:
    """Compare; give `rule name` of each misfit."""
    item = parse_structure(structure, content or HL7.structure(structure) or "")
    return [f"{one.rule} {one.name}".strip() for one in match_structure(item, names.split()).misfits]


@pytest.mark.parametrize(
    ("structure", "names"),
    [
        ("ADT_A01", "MSH EVN PID PV1"),
        ("ADT_A01", "MSH SFT SFT EVN PID PD1 ROL NK1 NK1 PV1 PV2 ROL OBX AL1 DG1 PR1 ROL PR1 GT1 IN1 IN2 IN1 ACC"),
        ("ORU_R01", "MSH PID PV1 ORC OBR NTE OBX NTE OBX OBR OBX SPM OBX"),
        ("ORU_R01", "MSH PID OBR OBX PID PV1 ORC OBR OBX"),
        ("ORM_O01", "MSH PID PV1 ORC OBR NTE OBX ORC OBR"),
        ("ORM_O01", "MSH ORC RXO NTE ORC OBR"),
        ("ADT_A39", "MSH EVN PID MRG PID PD1 MRG PV1"),
        ("ACK", "MSH MSA ERR ERR"),
        ("ADT_A01", "MSH EVN PID ZZ1 PV1 ZBE DSC"),
    ],
)
def test_what_fits_has_no_misfit(structure, names):
    """Groups repeat, choices are taken; Z segments and continuations may stand anywhere."""
    assert misfits(structure, names) == []


@pytest.mark.parametrize(
    ("structure", "names", "found"),
    [
        ("ADT_A01", "MSH EVN PID", ["missing-segment PV1"]),
        ("ADT_A01", "MSH PID EVN PV1", ["segment-order EVN"]),
        ("ADT_A01", "MSH EVN PID PV1 NK1", ["segment-order NK1"]),
        ("ADT_A01", "MSH EVN PID PID PV1", ["segment-repeated PID"]),
        ("ADT_A01", "MSH EVN PID PV1 OBR", ["unexpected-segment OBR"]),
        ("ADT_A01", "MSH EVN PID PV1 IN2", ["missing-segment IN1"]),
        ("ORU_R01", "MSH PID", ["missing-group ORDER_OBSERVATION"]),
        ("ORU_R01", "MSH PID ORC OBX", ["missing-segment OBR"]),
        ("ORU_R01", "MSH", ["missing-group PATIENT_RESULT"]),
        ("ORM_O01", "MSH PID OBR", ["missing-segment ORC"]),
        ("ORM_O01", "MSH PID ORC NTE OBR", ["segment-order NTE"]),
        ("ADT_A39", "MSH EVN PID PID MRG", ["missing-segment MRG"]),
        ("ADT_A01", "EVN PID PV1", ["missing-segment MSH"]),
    ],
)
def test_what_doesnt_fit_is_told_once(structure, names, found):
    """A segment out of order isn't missing too; one that is unexpected moves nothing."""
    assert misfits(structure, names) == found


def test_a_line_without_a_name():
    """The rest of a value that a line feed cut."""
    item = parse_structure("ACK", "MSH MSA")
    (misfit,) = match_structure(item, ["MSH", "", "MSA"]).misfits
    assert (misfit.rule, misfit.position) == ("no-segment", 1)


def test_a_choice_of_one():
    """None of them is missing by all their names; two are one too many."""
    assert misfits("X", "MSH ORC", "MSH ORC C<OBR|RXO>") == ["missing-group C"]
    assert misfits("X", "MSH ORC OBR RXO", "MSH ORC C<OBR|RXO>") == ["segment-repeated C"]


def test_any_segment():
    """ANYHL7SEGMENT takes whatever comes."""
    assert misfits("X", "MSH QAK PID OBX", "MSH QAK [{ANYHL7SEGMENT}]") == []


def test_a_limited_number_of_times():
    """No structure of HL7 has one, profiles do."""
    item = parse_structure("X", "MSH NTE")
    item.children[1].most = 2
    found = match_structure(item, ["MSH", "NTE", "NTE", "NTE"]).misfits
    assert [one.sentence for one in found] == ["NTE may stand 2 times here"]


def test_the_group_of_each_segment():
    """For profiles that want a segment otherwise in each group."""
    item = parse_structure("ORU_R01", HL7.structure("ORU_R01") or "")
    groups = match_structure(item, ["MSH", "PID", "OBR", "OBX", "ZZZ", "QRD"]).groups
    assert groups == (
        "", "PATIENT_RESULT.PATIENT", "PATIENT_RESULT.ORDER_OBSERVATION",
        "PATIENT_RESULT.ORDER_OBSERVATION.OBSERVATION", "", "",
    )  # fmt: skip


def test_time_grows_with_the_number_of_segments():
    """Ten times the segments take some ten times the time, whatever they are."""
    item = parse_structure("ORU_R01", HL7.structure("ORU_R01") or "")

    def matching(count: int) -> Callable[[], object]:
        names = ["MSH", "PID", "OBR", *["OBX", "NTE", "QRD"] * count]
        return lambda: match_structure(item, names)

    grows_with(matching, 500)


def test_where_groups_begin():
    """For trees: how many groups begin with each segment; -1 out of order and without a place."""
    match = match_structure(parse_structure("X", "MSH {A(PID [PD1] {B(OBX [NTE])})}"), [
        "MSH", "PID", "OBX", "PD1", "OBX", "ZZZ", "NTE", "PID", "OBX",
    ])  # fmt: skip
    assert match.fresh == (0, 1, 1, -1, 1, -1, 0, 1, 1)
