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
