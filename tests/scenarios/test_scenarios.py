"""One case a transcript: what came is sent; what left, and what is known in the end, is compared with every line."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.comparing import Told, annotated, of_end, of_step
from tests.scenarios.language import Scenario, read
from tests.scenarios.parts import read_people
from tests.scenarios.world import world

HERE = Path(__file__).parent
PEOPLE = read_people(HERE / "people.txt")
SCENARIOS = [one for path in sorted(HERE.glob("*.txt")) if path.name != "people.txt" for one in read(path)]


async def played(scenario: Scenario, directory: Path) -> Told:
    """Play a transcript; return what differs."""
    async with world(scenario, directory, PEOPLE) as group:
        happened = [(step, await group.happens(step)) for step in scenario.steps]
        known = await group.known()
        told: Told = {}
        for step, outcome in happened:
            for receipt in outcome.receipts:
                receipt.identifiers = group.finally_named(receipt.identifiers)
            told |= of_step(step, outcome.receipts, outcome.refused, outcome.carried)
        return told | of_end(scenario, [group.finally_named(line) for line in known])


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: transcripts kill processes, not machines, and wait for no disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: f"{one.file}: {one.name}")
def test_scenario(scenario: Scenario, directory: Path) -> None:
    """Every line of the transcript holds; nothing else left, and nothing else is known."""
    told = asyncio.run(played(scenario, directory))
    if told:
        pytest.fail(annotated(scenario, told), pytrace=False)


def test_names_are_unique() -> None:
    """A scenario is named in reports: no name stands twice."""
    names = [one.name for one in SCENARIOS]
    assert len(names) == len(set(names))


def test_there_are_as_many_as_promised() -> None:
    """Seventy at least; a file that isn't found would show here."""
    assert len(SCENARIOS) >= 70
