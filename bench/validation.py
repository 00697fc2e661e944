"""
How many messages a second one core compares with a profile (`validate`), by processor time.

The messages are those of the simulated hospitals: all their admissions, movements, corrections, merges and identities,
each different, some with findings. They are read before the clock runs; cutting their segments into fields is counted.
"""

from __future__ import annotations

import gc
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.parsers.hl7v2.message import Message
from engine.routes import load
from engine.simulation.ght import units_of
from engine.simulation.patients import Population
from engine.simulation.story import Story
from engine.simulation.systems import systems_of
from engine.validation.shipped import shipped
from engine.validation.validator import Validator

ROOT: Final = Path(__file__).resolve().parents[1]
PROFILES: Final = ("pam-fr-2.11", "hl7-2.x")
_RUNS: Final = 5


def admissions(count: int) -> list[bytes]:
    """Return ADT messages of the simulated hospitals."""
    configuration = load(ROOT / "routes.yaml", environment={})
    systems = systems_of(configuration, units_of(configuration))
    story = Story(systems, Population(7), seed=7, tag="b", clock=lambda: datetime(2026, 3, 1, 10, tzinfo=UTC))
    found: list[bytes] = []
    while len(found) < count:
        found += [one.payload for one in story.step() if one.event.startswith("ADT")]
    return found[:count]


def validations_a_second(profile: str, bodies: list[bytes]) -> float:
    """Measure the median of some runs over the same messages."""
    known = shipped(profile)
    assert known is not None, profile
    validator = Validator(known)
    validator.prepare()
    rates: list[float] = []
    for _ in range(_RUNS):
        messages = [Message.parse(body, as_utf8=True) for body in bodies]
        gc.collect()
        begin = time.process_time()
        for message in messages:
            validator.check(message)
        rates.append(len(messages) / (time.process_time() - begin))
    return round(statistics.median(rates), 1)
