"""FINESS numbers."""

from __future__ import annotations

import pytest

from engine.identity.finess import check_digit_fits, has_form


@pytest.mark.parametrize("number", ["000000026", "000780064", "350000121"])
def test_check_digit(number):
    """The Luhn sum is a multiple of ten; any other last digit isn't right."""
    assert check_digit_fits(number) is True
    for digit in set("0123456789") - {number[-1]}:
        assert check_digit_fits(number[:-1] + digit) is False


@pytest.mark.parametrize("number", ["000897406", "890000038", "120456789"])
def test_numbers_of_official_samples(number):
    """Fictive numbers have a wrong one: that is why it is no reason to refuse."""
    assert check_digit_fits(number) is False


@pytest.mark.parametrize(
    ("number", "form"), [("2A0000014", True), ("12345678", False), ("", False), ("0100000é4", False)]
)
def test_nothing_can_be_said(number, form):
    """Of Corsica's letters, and of what is no FINESS."""
    assert check_digit_fits(number) is None
    assert has_form(number) is form
