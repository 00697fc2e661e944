"""
The FINESS number of an establishment, and its check digit.

Nine characters; those of a legal entity (EJ) and of a place (EG) come from one space of numbers. The last digit
makes the Luhn sum a multiple of ten. Fictive numbers of official samples break that, so it is a remark, never a
reason to refuse.
"""

from __future__ import annotations

import re
from typing import Final

_FORM: Final = re.compile(r"[0-9A-Za-z]{9}\Z")


def has_form(number: str) -> bool:
    """Say whether a text has the form of a FINESS: nine letters and digits (2A and 2B are Corsica)."""
    return _FORM.match(number) is not None


def check_digit_fits(number: str) -> bool | None:
    """
    Say whether the check digit of a FINESS fits.

    Returns:
        None where nothing can be said: it hasn't the form of a FINESS, or holds letters, for which no rule is
        published.
    """
    if not has_form(number) or not (number.isascii() and number.isdecimal()):
        return None
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) << (place & 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
