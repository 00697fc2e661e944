"""Regular expressions of analysts: linear, whatever the pattern."""

from __future__ import annotations

import pytest

from engine.core.expressions import PATTERN_MAX, VALUE_MAX, ExpressionRefused, compile_expression


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        (r"(a)\1", "back references"),
        ("(?=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"a\Z", r"\z"),
        ("(", "to mean itself"),
        ("[", "to mean itself"),
        ("a{2000}", "a list or a table"),
        ("((a{100}){100}){100}", "a list or a table"),
        ("x" * (PATTERN_MAX + 1), "a list or a table"),
        ("\ud800", ""),
    ],
)
def test_refused(pattern, hint):
    """What RE2 doesn't know, or what is too large, says what to write."""
    with pytest.raises(ExpressionRefused) as caught:
        compile_expression(pattern)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("pattern", "value", "found"),
    [
        ("utilis[eé] par", "dossier utilisé par X", True),
        ("^A0[1-3]$", "A04", False),
        (r"\.hpr$", "a.hpr", True),
        ("(?:ab){2}", "xababx", True),
        ("a+?b", "aab", True),
        ("[]+*]+x", "+*x", True),
        (r"a\(b", "a(b", True),
        ("(?i)urgent", "URGENT", True),
        ("^.$", "é", True),
        ("a", "\ud800a", True),
    ],
)
def test_found(pattern, value, found):
    """What loads searches anywhere in the value."""
    assert compile_expression(pattern)(value) is found


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a*)*b", "a*a*a*a*a*c", "(x+x+)+y"])
def test_no_pattern_takes_for_ever(pattern):
    """What backtracking engines need longer than the universe for answers here."""
    find = compile_expression(pattern)
    assert not find("a" * (VALUE_MAX - 1) + "!")
    assert not find("x" * VALUE_MAX)


def test_documents_are_not_searched_to_their_end():
    """A value is read to its 65,536th character."""
    find = compile_expression("b")
    assert find("a" * (VALUE_MAX - 1) + "b")
    assert not find("a" * VALUE_MAX + "b")
