"""
A deterministic population: the same seed and number always give the same person, and none exists.

Names, towns and insurance numbers are those of trials.fictive.people.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from engine.trials.fictive.people import (
    FAMILIES,
    GIVEN_OF_MEN,
    GIVEN_OF_WOMEN,
    STREETS,
    TOWNS,
    synthetic_ins,
)


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic person, with the traits that French messages carry (RNIV)."""

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
    """Identity checked and INS retrieved: only then is the INS sent (RNIV)."""


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
        """Return a newborn: the mother's name and town, no insurance number yet."""
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


def hl7_date(day: dt.date) -> str:
    """Write a date as HL7 does: YYYYMMDD."""
    return f"{day:%Y%m%d}"
