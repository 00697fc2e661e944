"""Findings say where, what, and what to write."""

from __future__ import annotations

import pathlib

import pytest

from engine.routes import check
from engine.routes.findings import Finding, Findings, as_json, render
from engine.transforms.nodes import Mark

GOLDEN = pathlib.Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_golden(case):
    """Each diagnostic reads exactly as the golden file says, caret included."""
    _, findings = check(GOLDEN / f"{case}.yaml", environment={}, tests=[])
    assert render(findings) + "\n" == (GOLDEN / f"{case}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in CASES if case != "several"])
def test_golden_is_about_its_code(case):
    """A golden file holds the code after which it is named."""
    assert case.split("_")[0] in (GOLDEN / f"{case}.txt").read_text(encoding="utf-8")


def test_golden_cases_exist():
    """The golden folder isn't empty by accident."""
    assert len(CASES) > 40


def test_same_finding_once_and_in_order():
    """A finding that comes with each of three sites is kept once; the order is that of the file."""
    findings = Findings()
    findings.source("a.yaml", "x: 1\ny: 2\n")
    for _ in range(3):
        findings.add("error", "E110", Mark("a.yaml", 2, 4), "no")
    findings.add("warning", "W201", Mark("a.yaml", 1, 1), "look")
    assert [one.code for one in findings.all()] == ["W201", "E110"]
    assert findings.refused


def test_json_has_position_and_hint():
    """The JSON form has all that the text has."""
    finding = Finding("error", "E110", Mark("a.yaml", 2, 4, 3), "no", "write yes")
    assert as_json([finding]) == [
        {"level": "error", "code": "E110", "file": "a.yaml", "line": 2, "column": 4, "width": 3, "sentence": "no",
         "hint": "write yes", "related": []}
    ]  # fmt: skip
