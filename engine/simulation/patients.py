"""
A deterministic population: the same seed and number always give the same person, and none exists.

The insurance number begins with 5, a digit that no real NIR has, and stands under the test OID
1.2.250.1.213.1.4.10 (STANDARDS 5.1), which must never reach a production receiver.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Final

TEST_INS_OID: Final = "1.2.250.1.213.1.4.10"

FAMILIES: Final = (
    "LEFÈVRE", "DUBOIS", "ÑUÑEZ", "GÄRTNER", "LE GOFF", "D'ALMEIDA", "BŒUF", "CRÉPIN-LEBLOND", "N'DIAYE", "MÜLLER",
    "SAINT-ÉVREMOND", "FAŸS", "COEURDEROY", "LAMBERT", "GARÇON", "HÉBERT", "ÉTIENNE", "MAÎTRE", "PEÑA", "LÊ",
)  # fmt: skip
GIVEN_OF_WOMEN: Final = ("HÉLÈNE", "ZOÉ", "ANAÏS", "MARIE-THÉRÈSE", "AÏCHA", "FRANÇOISE", "MAËLLE", "INÈS", "NOÉMIE")
GIVEN_OF_MEN: Final = ("JOËL", "FRANÇOIS", "GAËL", "RENÉ", "MOÏSE", "JÉRÔME", "LOÏC", "ANDRÉ", "NOËL")
TOWNS: Final = (
    ("ARVIGNY", "01000", "01999"), ("BÉLESTRE", "01100", "01998"), ("CÔTE-CHAUDE", "01200", "01997"),
    ("L'ÎLE-AUX-MOINEAUX", "01300", "01996"),
)  # fmt: skip
"""Towns that don't exist: name, post code, INSEE code."""
STREETS: Final = ("RUE DE L'ÉGLISE", "ALLÉE DES CHÊNES", "PLACE DU MARCHÉ", "CHEMIN DE LA FORÊT")


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic person, with the traits that French messages carry (STANDARDS 4.4)."""

    number: int
    birth_name: str
    usual_name: str
    """Empty: the same as the birth name."""
    given: tuple[str, ...]
    """The birth given names, first one first."""
    sex: str
    born: dt.date
    town: str
    post_code: str
    birth_code: str
    """INSEE code of the birth place."""
    street: str
    phone: str
    ins: str
    """15 characters, key included."""
    qualified: bool
    """Identity checked and INS retrieved: only then is the INS sent (STANDARDS 5.3)."""


class Population:
    """People by number; nothing is kept in memory."""

    def __init__(self, seed: int, size: int = 100_000) -> None:
        """Keep the seed; numbers go from 0 to `size` - 1."""
        self._seed = seed
        self.size = size

    def person(self, number: int) -> Person:
        """
        Return one person; the same for the same seed and number.

        Raises:
            IndexError: The number is outside the population.
        """
        if not 0 <= number < self.size:
            raise IndexError(number)
        chance = random.Random(f"{self._seed}/{number}")
        sex = chance.choice("FM")
        born = dt.date(1930, 1, 1) + dt.timedelta(days=chance.randrange(34_000))
        return self._person(number, chance, sex, born, chance.choice(FAMILIES))

    def child_of(self, mother: Person, number: int, born: dt.date) -> Person:
        """Return a newborn: the mother's name and town, no insurance number yet (STANDARDS 5.4)."""
        chance = random.Random(f"{self._seed}/{mother.number}/{number}")
        return self._person(number, chance, chance.choice("FM"), born, mother.birth_name)

    def _person(self, number: int, chance: random.Random, sex: str, born: dt.date, family: str) -> Person:
        town, post_code, code = chance.choice(TOWNS)
        return Person(
            number=number,
            birth_name=family,
            usual_name=chance.choice(FAMILIES) if sex == "F" and chance.random() < 0.4 else "",
            given=tuple(chance.sample(GIVEN_OF_WOMEN if sex == "F" else GIVEN_OF_MEN, k=chance.choice((1, 2, 3)))),
            sex=sex,
            born=born,
            town=town,
            post_code=post_code,
            birth_code=code,
            street=f"{chance.randrange(1, 90)} {chance.choice(STREETS)}",
            phone=f"01999{chance.randrange(100_000):05d}",
            ins=synthetic_ins(born, code, chance.randrange(1, 1000)),
            qualified=chance.random() < 0.6,
        )


def synthetic_ins(born: dt.date, birth_code: str, order: int) -> str:
    """
    Build a 15-character insurance number nobody has: first digit 5, true key (STANDARDS 5.2).

    Args:
        born: Gives year and month.
        birth_code: INSEE code of the birth place, five digits.
        order: Rank in the month's register, 1 to 999.
    """
    digits = f"5{born:%y%m}{birth_code}{order:03d}"
    return f"{digits}{97 - int(digits) % 97:02d}"


def hl7_date(day: dt.date) -> str:
    """Write a date as HL7 does: YYYYMMDD."""
    return f"{day:%Y%m%d}"
