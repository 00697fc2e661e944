"""Tests as build servers read them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from engine.trials.junit import Line, junit


def test_junit():
    """A suite a file, a failure with its text; what XML can't hold is replaced."""
    document = junit(
        [
            Line("routes.yaml", "adt", "one", 0.25),
            Line("routes.yaml", "adt", "two \x1c", 0.5, "not <met>", "told\x0b"),
            Line("a_test.yaml", "a_test.yaml", "three", 0.0),
        ]
    )
    root = ET.fromstring(document)
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("3", "1", "0.750")
    assert [suite.get("name") for suite in root] == ["routes.yaml", "a_test.yaml"]
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("not <met>", "told\ufffd")
    assert [case.get("name") for case in root.iter("testcase")] == ["one", "two \ufffd", "three"]
