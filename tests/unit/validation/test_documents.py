"""YAML of profiles, with lines."""

from __future__ import annotations

import pytest

from engine.errors import ProfileRefused
from engine.validation.documents import DEPTH_MAX, Entries, Faults, Items, Text, read_yaml


def test_every_scalar_is_text():
    """NO stays NO, 0001 stays 0001; values know their line."""
    top = read_yaml("a: NO\nb: 0001\nc: [1, x]\nd: { e: 12:30 }\n", Faults("f"))
    assert [key for key, _, _ in top] == ["a", "b", "c", "d"]
    assert isinstance(top.entries["b"], Text)
    assert (top.entries["b"].text, top.entries["b"].line, top.lines["b"]) == ("0001", 2, 2)
    assert isinstance(top.entries["c"], Items)
    assert isinstance(top.entries["d"], Entries)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [", "f:2: no YAML"),
        ("- a\n- b\n", "f:1: a profile is a mapping"),
        ("", "f:1: a profile is a mapping"),
        ("a: 1\na: 2\n", "f:2: a stands here twice"),
        ("a: &x [1]\nb: *x\n", "f:1: anchors, aliases"),
        ("? [a]\n: b\n", "f:1: a key is a text"),
        ("a: " + "[" * (DEPTH_MAX + 2) + "]" * (DEPTH_MAX + 2), "f:1: anchors, aliases and deeper nesting"),
    ],
)
def test_what_is_refused(text, fault):
    """With its line."""
    with pytest.raises(ProfileRefused) as refused:
        read_yaml(text, Faults("f"))
    assert fault in str(refused.value)
