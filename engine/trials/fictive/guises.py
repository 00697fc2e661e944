"""Values about nobody in the place of real ones: the same one gets the same guise, in the same shape."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from engine.core.references import References
from engine.trials.fictive.people import (
    FAMILIES,
    GIVEN_OF_MEN,
    GIVEN_OF_WOMEN,
    STREETS,
    TOWNS,
    with_key,
)

_GIVEN: Final = (*GIVEN_OF_WOMEN, *GIVEN_OF_MEN)
_HL7_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})?([0-9]{2})?([0-9.+-]*)\Z")
_FRENCH_DATE: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4}|[0-9]{2})\Z")
_NUMBER: Final = re.compile(r"[<>]?=?\s*[+-]?[0-9]{1,7}(?:[.,][0-9]{1,6})?\Z")
_WORD: Final = re.compile(r"[^\W_]+")
_ESCAPED: Final = re.compile(r"\\[^\\\r\n]{0,20}\\")
_NUMBER_LEAST: Final = 6
"""Digits from which on a number is looked for inside other values."""
DOCUMENT: Final = "VGhlIGRvY3VtZW50IHdhcyB0YWtlbiBvdXQuCg=="
"""Base64 of a sentence that says so."""


class Guises:
    """Makes guises; keyed, so that nobody goes back from one to its value."""

    def __init__(self, references: References, weeks: int) -> None:
        """
        Keep the key and the shift.

        Args:
            references: Hashes with the data directory's key.
            weeks: By how many weeks dates go back.
        """
        self._references = references
        self._days = dt.timedelta(weeks=weeks)
        self._known: set[str] = set()
        """Words of the real values, as `words_of` gives them: no guise is one of them."""
        self._numbers: set[str] = set()
        self._makers: dict[str, Callable[[str], str]] = {
            "free": masked, "label": masked, "id": self._number, "nir": self._nir, "check": masked,
            "family": lambda value: self._name("family", value, FAMILIES),
            "given": lambda value: " ".join(self._name("given", one, _GIVEN) for one in value.split(" ")),
            "street": self._street, "town": self._town, "zip": lambda value: self._place(value)[1],
            "cog": lambda value: self._place(value)[2], "phone": self._phone, "email": lambda _: "nobody@example.org",
            "date": self._date, "document": lambda _: DOCUMENT,
        }  # fmt: skip

    def learn(self, value: str) -> None:
        """Take note of a real value: its words may stand nowhere in the result."""
        words = words_of(value)
        self._known |= words
        self._numbers |= {word for word in words if word.isdecimal() and len(word) >= _NUMBER_LEAST}

    def tells(self, value: str) -> bool:
        """Whether a value that would be kept holds a word of a real one, or a number inside a longer one."""
        return not self._known.isdisjoint(words_of(value)) or any(number in value for number in self._numbers)

    def of(self, kind: str, value: str) -> str:
        """Return the guise of a value."""
        return self._makers[kind](value)

    def _chance(self, kind: str, value: str) -> int:
        return self._references.hash(f"fictive {kind}", "", value.strip().upper()) & 0x7FFF_FFFF_FFFF_FFFF

    def _number(self, value: str) -> str:
        """Same digits and letters in other values; all-digit ones begin with 999, a space for tests by convention."""
        chance = self._chance("id", value)
        made = []
        for letter in value:
            chance = (chance * 6364136223846793005 + 1442695040888963407) & 0x7FFF_FFFF_FFFF_FFFF
            draw = chance >> 33
            if letter.isdecimal():
                made.append(str(draw % 10))
            elif letter.isalpha():
                other = chr(ord("A") + draw % 26)
                made.append(other if letter.isupper() else other.lower())
            else:
                made.append(letter)
        text = "".join(made)
        return f"999{text[3:]}" if len(value) > 5 and value.isdecimal() else text

    def _nir(self, value: str) -> str:
        digits = f"5{self._chance('nir', value) % 10**12:012d}"
        return with_key(digits) if len(value.strip()) != 13 else digits

    def _name(self, kind: str, value: str, names: Sequence[str]) -> str:
        if not value:
            return value
        start = self._chance(kind, value)
        for step in range(len(names)):
            name = names[(start + step) % len(names)]
            if self._known.isdisjoint(words_of(name)):
                return _dressed(name, value)
        return masked(value)  # all names of the list are those of patients here

    def _street(self, value: str) -> str:
        chance = self._chance("street", value)
        return _dressed(f"{chance % 90 + 1} {STREETS[(chance >> 8) % len(STREETS)]}", value)

    def _place(self, value: str) -> tuple[str, str, str]:
        return TOWNS[self._chance("town", value) % len(TOWNS)]

    def _town(self, value: str) -> str:
        return _dressed(self._place(value)[0], value)

    def _phone(self, value: str) -> str:
        """Digits for digits; a whole number begins with 01 99 9, which nobody has."""
        count = sum(letter.isdecimal() for letter in value)
        digits = f"{self._chance('phone', value):019d}"
        digits = f"01999{digits}" if count == 10 else digits
        rest = iter(digits * (1 + count // len(digits)))
        return "".join(next(rest) if letter.isdecimal() else "x" if letter.isalpha() else letter for letter in value)

    def _date(self, value: str) -> str:
        """Move a date back, to the precision that it has; what is none becomes a text of the same shape."""
        french = _FRENCH_DATE.match(value)
        if french is not None and len(french[3]) == 4:
            moved = self._moved(french[3], french[2], french[1])
            return f"{moved:%d/%m/%Y}" if moved is not None else masked(value)
        match = _HL7_DATE.match(value)
        if match is None:
            return masked(value)
        if not value.strip("0"):
            return value
        year, month, day, rest = match.groups()
        moved = self._moved(year, month or "01", day or "01")
        if moved is None:
            return masked(value)
        text = f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"
        return text[: 8 if day else 6 if month else 4] + (rest or "")

    def _moved(self, year: str, month: str, day: str) -> dt.date | None:
        try:
            return dt.date(int(year), int(month), int(day)) - self._days
        except (ValueError, OverflowError):
            return None


def masked(value: str) -> str:
    """Replace letters by x and digits by 9; escape sequences and signs stay."""

    def plain(text: str) -> str:
        return "".join(
            "9" if one.isdecimal() else ("X" if one.isupper() else "x") if one.isalnum() else one for one in text
        )

    made, position = [], 0
    for found in _ESCAPED.finditer(value):
        made += [plain(value[position : found.start()]), found[0]]
        position = found.end()
    return "".join([*made, plain(value[position:])])


def is_quantity(value: str) -> bool:
    """Whether a text is no more than a measured number."""
    return _NUMBER.match(value) is not None


def words_of(value: str) -> set[str]:
    """Return the words of a value by which somebody could be known: in capitals, without accents, not too short."""
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().upper()
    return {word for word in _WORD.findall(plain) if len(word) > (4 if word.isdecimal() else 2)}


def _dressed(made: str, value: str) -> str:
    """Write a made-up word as the real one is written: accents only where it has some, capitals as it has them."""
    if value.isascii():
        made = unicodedata.normalize("NFKD", made.replace("Œ", "OE")).encode("ascii", "ignore").decode()
    return made if value.isupper() or not value.strip() else made.title() if value[:1].isupper() else made.lower()
