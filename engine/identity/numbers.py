"""
The federation identifier: a counter with a prefix, a width and check digits.

It numbers a patient of the group (CX-5 PN; RNIV 1 v2.0, § 4.9: a domain of rapprochement gives several identities one
identifier). It says nothing of the person. Check digits make a mistyped number another patient's number almost never.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """How the check digits are made."""

    NONE = "none"
    MOD97 = "mod97"
    """Two digits: 97 - (counter modulo 97), as the key of a NIR."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a group writes its federation identifiers."""

    prefix: str = ""
    width: int = 9
    """Digits of the counter."""
    check: Check = Check.MOD97

    @property
    def last(self) -> int:
        """The highest counter that fits."""
        return int(10**self.width) - 1

    def write(self, counter: int) -> str:
        """
        Make a number.

        Args:
            counter: From 1.

        Raises:
            ValueError: The counter doesn't fit into the width.
        """
        if not 1 <= counter <= self.last:
            raise ValueError(f"{counter} has no place in {self.width} digits")
        key = f"{97 - counter % 97:02}" if self.check is Check.MOD97 else ""
        return f"{self.prefix}{counter:0{self.width}}{key}"

    def read(self, number: str) -> int | None:
        """Return the counter of a number; None when it isn't one of this format, or its check digits don't fit."""
        digits = number.removeprefix(self.prefix)
        if not digits.isascii() or not digits.isdecimal():
            return None
        counter = int(digits[: self.width])
        if not 1 <= counter <= self.last or self.write(counter) != number:
            return None
        return counter
