"""Shapes are values."""

from __future__ import annotations

from engine.validation.shapes import Shape


def test_a_shape_begins_with_no_wish():
    """Optional, once, any length, any value."""
    shape = Shape()
    assert (shape.usage, shape.most, shape.length, shape.codes, shape.parts, shape.known) == ("O", 1, 0, None, (), True)
