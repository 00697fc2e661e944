"""Shapes read what is written, and refuse the rest with a code."""

from __future__ import annotations

import pytest

from engine.routes.document import read_document
from engine.routes.findings import Findings
from engine.routes.reading import Reading
from engine.transforms import shapes
from tests.unit.transforms.conftest import names


def read(shape: shapes.Shape, text: str):
    findings = Findings()
    document = read_document("r.yaml", f"x: {text}", findings)
    assert document is not None
    node = document.get("x")
    assert node is not None
    value = Reading(findings, names()).read(shape, node)
    codes = [one.code for one in findings.all()]
    return codes[0] if codes else value


@pytest.mark.parametrize(
    ("shape", "text", "wanted"),
    [
        (shapes.Number(1, 5), "3", 3),
        (shapes.Number(1, 5), "6", "E111"),
        (shapes.Number(1, 5), "-1", "E111"),
        (shapes.Choice("on", "off"), "on", "on"),
        (shapes.Choice("on", "off"), "true", "E110"),
        (shapes.NameShape(), "gam_cha", "gam_cha"),
        (shapes.NameShape(), "1a", "E117"),
        (shapes.TextShape(), '""', "E107"),
        (shapes.TextShape(), "[a]", "E106"),
        (shapes.ListOf(shapes.TextShape(), single=True), "a", ["a"]),
        (shapes.ListOf(shapes.TextShape()), "[a, b]", ["a", "b"]),
        (shapes.ListOf(shapes.TextShape()), "[]", "E107"),
        (shapes.ListOf(shapes.TextShape()), "a", "E106"),
        (shapes.Pairs(shapes.TextShape(), shapes.TextShape()), "{ a: b }", [("a", "b")]),
        (shapes.Pairs(shapes.TextShape(), shapes.TextShape()), "{ }", "E107"),
        (shapes.Pairs(shapes.TextShape(), shapes.TextShape()), "a", "E106"),
        (shapes.Record({"a": shapes.Key(shapes.TextShape())}), "{ a: b }", {"a": "b"}),
        (shapes.Record({"a": shapes.Key(shapes.TextShape())}), "{ b: b }", "E104"),
        (shapes.Record({"a": shapes.Key(shapes.TextShape(), required=True)}), "{ }", "E105"),
        (shapes.Either(shapes.Choice("x"), shapes.ListOf(shapes.TextShape())), "x", "x"),
        (shapes.Either(shapes.Choice("x"), shapes.ListOf(shapes.TextShape())), "[y]", ["y"]),
    ],
)
def test_read(shape, text, wanted):
    """Each gives its value or its code."""
    assert read(shape, text) == wanted


def test_all_findings_at_once():
    """One wrong entry doesn't hide the next."""
    findings = Findings()
    document = read_document("r.yaml", "x: [1a, ok, 2b]", findings)
    assert document is not None
    node = document.get("x")
    assert node is not None
    assert Reading(findings, names()).read(shapes.ListOf(shapes.NameShape()), node) is None
    assert len(findings.all()) == 2
