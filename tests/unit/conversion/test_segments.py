"""Fields and components as lists."""

from __future__ import annotations

from engine.conversion.segments import get, join, leaf, part, parts, repetitions, segment, text_of


def test_reading() -> None:
    """Beyond the end there is nothing."""
    assert (get([b"P", b"1"], 1), get([b"P", b"1"], 2)) == (b"1", b"")
    assert (part(b"a^b~c^d", 2), part(b"a", 2)) == (b"b", b"")
    assert parts(b"a^b", 3) == [b"a", b"b", b""]
    assert repetitions(b"a~~b") == [b"a", b"b"]


def test_writing() -> None:
    """Empty ends are left out."""
    assert join(b"a", b"", b"") == b"a"
    assert join(b"", b"b") == b"^b"
    assert segment(b"PID", {3: b"x", 1: b"1", 5: b""}) == b"PID|1||x"
    assert segment(b"PID", {}) == b"PID"


def test_leafs() -> None:
    """A text is one leaf, whatever it holds."""
    assert leaf("é|\\") == "é\\F\\\\E\\".encode()
    assert text_of(leaf("é|\\.br\\")) == "é|\\.br\\"
