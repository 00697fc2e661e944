"""When the DPI changes its mood: a script of (mood, seconds), written by hand or drawn by chance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class MoodName(StrEnum):
    """What the receiver does with a message."""

    WELL = "ok"
    """Accepts: AA."""
    SLOW = "slow"
    """Accepts after a delay."""
    BUSY = "busy"
    """AE with ERR-3 206, record locked: an AE that means `later` (table 0357)."""
    ERROR = "error"
    """AE without ERR."""
    REJECT = "reject"
    """AR."""
    REFUSE = "refuse"
    """AE with ERR-3 204, unknown key: never, whatever is tried."""
    SILENT = "silent"
    """Reads and never answers."""
    LOST = "lost"
    """Accepts, but hangs up before it answers: the sender can't know."""
    CLOSE = "close"
    """Hangs up without taking anything."""
    DOWN = "down"
    """Nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """A mood in force."""

    name: MoodName = MoodName.WELL
    delay: float = 0.0
    """Seconds before each answer."""
    every: int = 1
    """Holds for one message in that many; the others are accepted."""


Turn = tuple[Mood, float]
"""A mood and for how many seconds."""

WELL = Mood()
_SPELLS: tuple[tuple[MoodName, int, float, float], ...] = (
    # mood, weight, shortest and longest seconds
    (MoodName.SLOW, 4, 6.0, 15.0),
    (MoodName.BUSY, 3, 4.0, 8.0),
    (MoodName.REJECT, 2, 4.0, 8.0),
    (MoodName.DOWN, 3, 5.0, 12.0),
    (MoodName.SILENT, 1, 4.0, 8.0),
    (MoodName.LOST, 1, 1.0, 2.0),
    (MoodName.CLOSE, 1, 2.0, 4.0),
)


def moods_by_chance(seed: int) -> Iterator[Turn]:
    """Well for a while, then something; for ever. The same seed, the same moods."""
    chance = random.Random(seed)
    names = [spell[0] for spell in _SPELLS]
    weights = [spell[1] for spell in _SPELLS]
    while True:
        yield WELL, chance.uniform(15.0, 35.0)
        name = chance.choices(names, weights)[0]
        _, _, shortest, longest = _SPELLS[names.index(name)]
        delay = chance.uniform(0.1, 0.5) if name is MoodName.SLOW else 0.0
        yield Mood(name=name, delay=delay), chance.uniform(shortest, longest)


def moods_of(text: str) -> Iterator[Turn]:
    """
    Read a script: `ok 20, slow 10, down 5`; it begins again at its end.

    Raises:
        ValueError: A mood or a number that is none; the sentence says which.
    """
    turns: list[Turn] = []
    for part in text.split(","):
        words = part.split()
        if len(words) != 2 or words[0] not in set(MoodName):
            raise ValueError(f"'{part.strip()}' is no mood and its seconds; write `ok 20, slow 10, down 5`")
        try:
            seconds = float(words[1])
        except ValueError:
            raise ValueError(f"'{words[1]}' is no number of seconds") from None
        delay = 0.3 if words[0] == MoodName.SLOW else 0.0
        turns.append((Mood(name=MoodName(words[0]), delay=delay), max(seconds, 0.1)))
    return _for_ever(turns)


def _for_ever(turns: list[Turn]) -> Iterator[Turn]:
    while True:
        yield from turns
