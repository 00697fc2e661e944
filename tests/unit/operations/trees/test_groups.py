"""Groups of a message's structure in its tree."""

from __future__ import annotations

from engine.operations.trees.hl7v2 import hl7v2_tree
from engine.operations.trees.tree import Node
from engine.parsers.hl7v2.message import Message


def drawn(type_: str, *names: str, version: str = "2.5") -> list[object]:
    head = f"MSH|^~\\&|A|B|C|D|20260301||{type_}|1|P|{version}\r"
    text = head + "".join(f"{name}|1\r" for name in names)

    def below(node: Node) -> object:
        return [node.name, [below(child) for child in node.children]] if node.group else node.name

    return [below(child) for child in hl7v2_tree(Message.parse(text.encode(), as_utf8=True)).children]


def test_results_stand_in_their_order() -> None:
    """Groups that repeat are counted; each begins where the structure says."""
    assert drawn("ORU^R01", "PID", "PV1", "OBR", "OBX", "NTE", "OBX", "OBR", "NTE") == [
        "MSH",
        ["PATIENT_RESULT", [
            ["PATIENT", ["PID", ["VISIT", ["PV1"]]]],
            ["ORDER_OBSERVATION[1]", [
                "OBR[1]", ["OBSERVATION[1]", ["OBX[1]", "NTE[1]"]], ["OBSERVATION[2]", ["OBX[2]"]],
            ]],
            ["ORDER_OBSERVATION[2]", ["OBR[2]", "NTE[2]"]],
        ]],
    ]  # fmt: skip


def test_two_patients_are_two_groups() -> None:
    """One after the other, though both groups have the same name."""
    assert drawn("ORU^R01", "PID", "OBR", "PID", "OBR") == [
        "MSH",
        ["PATIENT_RESULT[1]", [["PATIENT", ["PID[1]"]], ["ORDER_OBSERVATION", ["OBR[1]"]]]],
        ["PATIENT_RESULT[2]", [["PATIENT", ["PID[2]"]], ["ORDER_OBSERVATION", ["OBR[2]"]]]],
    ]


def test_what_has_no_place_stays_where_it_stands() -> None:
    """Segments of sites and those out of order beside the one before."""
    assert drawn("ADT^A01", "EVN", "PID", "PV1", "ZBE", "PR1", "ZPR", "IN1") == [
        "MSH", "EVN", "PID", "PV1", "ZBE", ["PROCEDURE", ["PR1", "ZPR"]], ["INSURANCE", ["IN1"]],
    ]  # fmt: skip
    assert drawn("ADT^A01", "EVN", "PID", "PV1", "PR1", "PD1", "ROL") == [
        "MSH", "EVN", "PID", "PV1", ["PROCEDURE", ["PR1", "PD1", "ROL"]],
    ]  # fmt: skip


def test_a_structure_that_nobody_knows_has_no_groups() -> None:
    """The segments as they come; MSH-9.3 counts where the event isn't known."""
    assert drawn("ZZZ^Z01", "PID", "OBR") == ["MSH", "PID", "OBR"]
    assert drawn("ZZZ^Z01^ORU_R01", "PID", "OBR")[1][0] == "PATIENT_RESULT"
    assert drawn("", "PID") == ["MSH", "PID"]
