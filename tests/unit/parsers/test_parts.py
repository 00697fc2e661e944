"""Parts of one field."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed
from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters
from engine.parsers.parts import change_leaves, leaf_of, part, text_of, with_part


def test_part():
    """Component and subcomponent, counted from 1; nothing where it is missing."""
    assert part(b"a^b&c^d", 2, 0, STANDARD) == b"b&c"
    assert part(b"a^b&c^d", 2, 2, STANDARD) == b"c"
    assert part(b"a", 2, 1, STANDARD) == b""
    assert part(b"a&b", 1, 1, STANDARD) == b"a"


def test_with_part():
    """What is missing before it comes to be; a null gives way; other parts stay."""
    assert with_part(b"a", 3, 2, b"x", STANDARD, "PID-3") == b"a^^&x"
    assert with_part(b'""', 2, 0, b"x", STANDARD, "PID-3") == b"^x"
    assert with_part(b"a^b", 0, 0, b"x", STANDARD, "PID-3") == b"x"
    bare = Delimiters(b"|", b"", [b"", b"", b"", b"", b""])
    with pytest.raises(StepFailed, match="declares no separator"):
        with_part(b"a", 2, 0, b"x", bare, "PID-3")


def test_a_leaf_and_its_text():
    """Text to leaf and back; what is above the leafs stays as it stands."""
    assert leaf_of("É|^", "utf-8", STANDARD, "PID-5") == "É".encode() + rb"\F\\S\ ".strip()
    assert text_of(rb"a\F\b", "utf-8", STANDARD) == "a|b"
    assert text_of(rb"a\F\b^c", "utf-8", STANDARD) == r"a\F\b^c"
    with pytest.raises(StepFailed) as caught:
        leaf_of("Œ", "latin-1", STANDARD, "PID-5")
    assert (caught.value.code, caught.value.field) == ("E-ENCODE", "PID-5")
    with pytest.raises(StepFailed) as caught:
        leaf_of("a|b", "utf-8", Delimiters(b"|", b"^~", [b"^", b"~", b"", b"", b""]), "PID-5")
    assert caught.value.code == "E-NO-ESCAPE"


def test_leafs_are_changed_one_by_one():
    """Separators, empty leafs and nulls stay."""
    assert change_leaves(b'a^b&c^^""~d', STANDARD, bytes.upper) == b'A^B&C^^""~D'
    assert change_leaves(b"", STANDARD, lambda _: b"x") == b""
