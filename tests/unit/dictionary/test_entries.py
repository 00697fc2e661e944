"""Entries are plain values."""

from __future__ import annotations

from engine.dictionary.entries import Part, Segment


def test_a_field_stands_before_its_number():
    """Field n is fields[n - 1] in every segment of the dictionary."""
    fields = (Part(1, "ST", "R", 1, 0, "", "one"), Part(2, "ST", "O", 0, 9, "0001", "two"))
    segment = Segment("ZZZ", "example", fields)
    assert [part.number for part in segment.fields] == [1, 2]
    assert segment.fields[1].most == 0
