"""Simple data types."""

from __future__ import annotations

import re

import pytest

from engine.validation.datatypes import SIMPLE


@pytest.mark.parametrize(
    ("type_", "right", "wrong"),
    [
        ("DT", ["2026", "202603", "20260301", "20240229", "20260430"],
         ["", "26", "20261301", "20260230", "20230229", "20260431", "2026030", "00000000x", "2026-03-01"]),
        ("DTM", ["2026", "20260301", "2026030110", "202603011015", "20260301101500", "20260301101500.1234+0100",
                 "20260301+0100", "19800324000000", "202402291200"],
         ["20260301250000", "202603011060", "20260301101500.12345", "2026030110150", "20230229", "20260301101500+01"]),
        ("TM", ["10", "1015", "101500", "101500.12", "1015-0500"], ["24", "1060", "10:15", ""]),
        ("NM", ["0", "-1", "+2.5", "3.", ".5", "007"], ["", "1,5", "<5", "1e3", "1 000", "-", "."]),
        ("SI", ["0", "12"], ["", "-1", "1.0", "x"]),
    ],
)  # fmt: skip
def test_values(type_, right, wrong):
    """As chapter 2A says; a date is one of the calendar."""
    simple = SIMPLE[type_]
    for text in right:
        assert simple.accepts(text), text
    for text in wrong:
        assert not simple.accepts(text), text


@pytest.mark.parametrize("type_", sorted(SIMPLE))
@pytest.mark.parametrize("text", ["20240229", "20260230", "2026", "12", "-1", "1.5", "x", "101500", "٣٤٥٦", "1\n"])
def test_a_pattern_is_never_wider_than_its_rule(type_, text):
    """On bytes, where only ASCII digits are digits."""
    simple = SIMPLE[type_]
    if re.fullmatch(simple.pattern.encode(), text.encode(), re.DOTALL):
        assert simple.accepts(text)
