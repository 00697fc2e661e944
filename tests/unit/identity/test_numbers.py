"""Federation identifiers: made from a counter, verified."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity.numbers import Check, NumberFormat


@pytest.mark.parametrize(
    ("form", "counter", "wanted"),
    [
        (NumberFormat("G", 9), 1, "G00000000196"),
        (NumberFormat("", 4), 97, "009797"),
        (NumberFormat("T", 3, Check.NONE), 42, "T042"),
    ],
)
def test_written(form, counter, wanted):
    """Prefix, counter, check digits."""
    assert form.write(counter) == wanted
    assert form.read(wanted) == counter


@pytest.mark.parametrize("counter", [0, -1, 1000])
def test_no_place(counter):
    """A counter that doesn't fit is refused, never cut."""
    with pytest.raises(ValueError, match="no place"):
        NumberFormat("", 3).write(counter)


@pytest.mark.parametrize(
    "number", ["", "G", "G00000000197", "X00000000196", "G0000000196", "G00000000A96", "G00000000000"]
)
def test_not_of_this_format(number):
    """Another format, or check digits that don't fit."""
    assert NumberFormat("G", 9).read(number) is None


@given(st.integers(1, 10**9 - 1), st.integers(0, 10), st.integers(1, 9))
def test_a_wrong_digit_is_seen(counter, place, shift):
    """Any one wrong digit makes it no number."""
    form = NumberFormat("G", 9)
    digits = form.write(counter)[1:]
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    assert form.read(f"G{wrong}") is None
