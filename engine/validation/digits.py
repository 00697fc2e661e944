"""
Check digits of French identifiers: INS (NIR and NIA) and FINESS.

Official examples carry wrong ones, and test identities begin with 5: a wrong key is worth a look, never a refusal.
"""

from __future__ import annotations

import re
from typing import Final

INS_NIR: Final = "1.2.250.1.213.1.4.8"
INS_NIA: Final = "1.2.250.1.213.1.4.9"
INS_TEST: Final = frozenset({"1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"})
"""OIDs of tests and demonstrations, which must not reach production."""
INS: Final = frozenset({INS_NIR, INS_NIA}) | INS_TEST

_INS: Final = re.compile(r"(\d{5}(?:\d\d|2A|2B)\d{6})(\d\d)")
_FINESS: Final = re.compile(r"\d{9}")


def ins_key_is_right(value: str) -> bool:
    """Tell whether 13 characters and their key of two digits agree: key = 97 - (N mod 97), 2A as 19, 2B as 18."""
    found = _INS.fullmatch(value)
    if found is None:
        return False
    number = int(found[1].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(found[2])


def finess_key_is_right(value: str) -> bool:
    """Tell whether nine digits satisfy Luhn's sum; what has letters (Corsica's new numbers) isn't judged."""
    if not _FINESS.fullmatch(value):
        return bool(re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9]{9}", value))
    total = 0
    for rank, digit in enumerate(reversed(value)):
        number = int(digit) * (2 if rank % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0
