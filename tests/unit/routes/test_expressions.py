"""Regular expressions that can take for ever don't load."""

from __future__ import annotations

import pytest

from engine.routes.expressions import ExpressionRefused, compile_expression


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a|aa)*b", r"(a)\1", "(?=a)b", "(?<!a)b", "(a*)*", "((a+)b)+", "a*b*c*", "(", "[", "x" * 300, "(a+){5}"],
)
def test_refused(pattern):
    """Nested repeats, back references, look-around, more than two unbounded repeats, no pattern at all."""
    with pytest.raises(ExpressionRefused):
        compile_expression(pattern)


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
    ],
)
def test_found(pattern, value, found):
    """What loads searches anywhere in the value."""
    assert compile_expression(pattern)(value) is found


def test_only_the_beginning_is_looked_at():
    """A value is read to its 256th character."""
    assert not compile_expression("b")("a" * 256 + "b")
