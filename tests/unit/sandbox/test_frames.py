"""Calls and replies as they travel."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sandbox.frames import LENGTH, frame, value_of


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.none(), st.lists(st.text())), max_size=5))
def test_there_and_back(value):
    """Any text, lone surrogates too."""
    data = frame(value)
    assert LENGTH.unpack(data[:4]) == (len(data) - 4,)
    assert value_of(data[4:]) == value
