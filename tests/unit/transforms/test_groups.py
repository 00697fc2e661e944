"""Groups of segments."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.transforms.groups import HEADS, groups_of


def cut(names: str, by: str, kept: tuple[str, ...] = ()) -> list[str]:
    words = names.split()
    return [" ".join(words[one] for one in [*group.head, *group.own]) for group in groups_of(words, by, kept)]


@pytest.mark.parametrize(
    ("names", "by", "groups"),
    [
        ("MSH PID PV1 OBR OBX OBX OBR OBX", "ORDER_OBSERVATION", ["MSH PID PV1 OBR OBX OBX", "MSH PID PV1 OBR OBX"]),
        ("MSH PID ORC OBR OBX ORC OBR", "ORDER_OBSERVATION", ["MSH PID ORC OBR OBX", "MSH PID ORC OBR"]),
        ("MSH PID ORC OBR OBX OBR OBX", "ORDER_OBSERVATION", ["MSH PID ORC OBR OBX", "MSH PID OBR OBX"]),
        ("MSH PID ORC ORC OBR", "ORDER", ["MSH PID ORC", "MSH PID ORC OBR"]),
        ("MSH PID OBR OBX NTE OBX NTE", "OBSERVATION", ["MSH PID OBR OBX NTE", "MSH PID OBR OBX NTE"]),
        ("MSH PID OBR PID PV1 OBR OBR", "ORDER_OBSERVATION", ["MSH PID OBR", "MSH PID PV1 OBR", "MSH PID PV1 OBR"]),
        ("MSH PID PV1 OBR PID OBR", "PATIENT_RESULT", ["MSH PID PV1 OBR", "MSH PID OBR"]),
        ("MSH EVN PID MRG PID MRG", "PATIENT", ["MSH EVN PID MRG", "MSH EVN PID MRG"]),
        ("H P OBR OBX P OBR L", "P", ["H P OBR OBX L", "H P OBR L"]),
        ("MSH EVN PID FT1 PR1 FT1", "FT1", ["MSH EVN PID FT1 PR1", "MSH EVN PID FT1"]),
        ("MSH PID PV1", "ORDER", []),
        ("", "ORDER", []),
    ],
)
def test_groups(names, by, groups):
    """A group begins at its head and ends before the next, or before another patient."""
    assert cut(names, by) == groups


@pytest.mark.parametrize(
    ("names", "by", "groups"),
    [
        (
            "MSH PID ORC.1 OBR.1 OBX.1 ORC.2 OBR.2 OBX.2 OBX.3",
            "OBSERVATION",
            ["MSH PID ORC.1 OBR.1 OBX.1", "MSH PID ORC.2 OBR.2 OBX.2", "MSH PID ORC.2 OBR.2 OBX.3"],
        ),
        ("MSH PID OBR.1 OBX.1 OBR.2 OBX.2", "OBX", ["MSH PID OBR.1 OBX.1", "MSH PID OBR.2 OBX.2"]),
        (
            "MSH PID OBR.1 NTE.1 OBX.1 ORC.2 OBR.2 OBX.2",
            "OBX",
            ["MSH PID OBR.1 NTE.1 OBX.1", "MSH PID ORC.2 OBR.2 OBX.2"],
        ),
        ("MSH PID ORC.1 OBR.1 OBX.1 ORC.2 OBR.2", "OBR", ["MSH PID ORC.1 OBR.1 OBX.1", "MSH PID ORC.2 OBR.2"]),
        ("MSH PID ORC.1 OBR.1 OBX.1 OBR.2", "OBR", ["MSH PID ORC.1 OBR.1 OBX.1", "MSH PID ORC.1 OBR.2"]),
        (
            "MSH PID ORC.1 OBR.1 OBX.1 SPM.1 ORC.2 OBR.2 OBX.2 SPM.2",
            "SPECIMEN",
            ["MSH PID ORC.1 OBR.1 OBX.1 SPM.1", "MSH PID ORC.2 OBR.2 OBX.2 SPM.2"],
        ),
        ("MSH PID SPM.1 ORC.1 OBR.1 SPM.2 ORC.2", "SPECIMEN", ["MSH PID SPM.1 ORC.1 OBR.1", "MSH PID SPM.2 ORC.2"]),
        ("MSH PID SPM.1 ORC.1 OBR.1 SPM.2 ORC.2", "ORDER", ["MSH PID SPM.1 ORC.1 OBR.1", "MSH PID SPM.2 ORC.2"]),
        (
            "MSH PID SPM.1 OBR.1 ORC.1 OBX.1 OBR.2 ORC.2 OBX.2",
            "OBSERVATION",
            ["MSH PID SPM.1 OBR.1 ORC.1 OBX.1", "MSH PID SPM.1 OBR.2 ORC.2 OBX.2"],
        ),
        (
            "MSH PID SPM.1 OBR.1 ORC.1 OBX.1 OBR.2 ORC.2 OBX.2",
            "ORDER_OBSERVATION",
            ["MSH PID SPM.1 OBR.1 ORC.1 OBX.1", "MSH PID SPM.1 OBR.2 ORC.2 OBX.2"],
        ),
        ("MSH PID ORC.1 RXA.1 OBX.1 ORC.2 RXA.2", "RXA", ["MSH PID ORC.1 RXA.1 OBX.1", "MSH PID ORC.2 RXA.2"]),
        ("MSH PID FT1.1 ORC.1 FT1.2 ORC.2", "FT1", ["MSH PID FT1.1 ORC.1", "MSH PID FT1.2 ORC.2"]),
        ("H P OBR.1 OBX.1 OBR.2 OBX.2 L", "OBX", ["H P OBR.1 OBX.1 L", "H P OBR.2 OBX.2 L"]),
    ],
)
def test_a_group_stands_under_its_own_order(names, by, groups):
    """Another order, or specimen, ends the groups below the former one, and is above those that follow."""
    words = names.split()
    cut_ = groups_of([word.partition(".")[0] for word in words], by)
    assert [" ".join(words[one] for one in [*group.head, *group.own]) for group in cut_] == groups


def test_what_is_kept_above():
    """Only the segments that are named, and those of the message itself."""
    assert cut("MSH SFT PID PD1 NTE PV1 OBR NTE OBR", "OBSERVATION_REQUEST", ("PID", "PV1")) == [
        "MSH SFT PID PV1 OBR NTE", "MSH SFT PID PV1 OBR",
    ]  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["PID", "PV1", "ORC", "OBR", "OBX", "NTE", "L"]), max_size=20),
    st.sampled_from(list(HEADS)),
)
def test_every_group_is_about_one_patient(names, by):
    """No part mixes two patients, none is empty, and no segment of a group is in two of them."""
    groups = groups_of(["MSH", *names], by)
    words = ["MSH", *names]
    for group in groups:
        assert sum(words[one] == "PID" for one in [*group.head, *group.own]) <= 1
        assert words[group.head[0]] == "MSH"
    owned = [one for group in groups for one in group.own if words[one] != "L"]
    assert len(owned) == len(set(owned))
