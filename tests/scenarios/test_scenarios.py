"""One case a transcript: what came is sent; what left, and what is known in the end, is compared with every line."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.comparing import Told, annotated, of_all, of_end, of_step
from tests.scenarios.language import Receipt, Scenario, Step, read
from tests.scenarios.parts import read_people
from tests.scenarios.world import World, world

HERE = Path(__file__).parent
_PATIENCE_SECONDS = 3.0
PEOPLE = read_people(HERE / "people.txt")
SCENARIOS = [one for path in sorted(HERE.glob("*.txt")) if path.name != "people.txt" for one in read(path)]


async def ended(scenario: Scenario, group: World) -> Told:
    """Return what differs in the end; an outcome may still be on its way to the disk, so it is asked for a while."""
    patience = time.monotonic() + _PATIENCE_SECONDS
    while True:
        known = await group.known()
        told = of_end(scenario, [group.finally_named(line) for line in known])
        if not told or time.monotonic() > patience:
            return told
        await asyncio.sleep(0)


async def played(scenario: Scenario, directory: Path) -> Told:
    """Play a transcript; return what differs."""
    async with world(scenario, directory, PEOPLE) as group:
        happened = [(step, await group.happens(step)) for step in scenario.steps]
        end = await ended(scenario, group)
        told: Told = {}
        for step, outcome in happened:
            for receipt in outcome.receipts:
                receipt.identifiers = group.finally_named(receipt.identifiers)
            told |= of_step(step, outcome.receipts, outcome.refused, outcome.carried)
        return told | end


def runs_of(scenario: Scenario) -> list[list[Step]]:
    """Divide the steps: messages that follow each other together, unless one uses a number that was just given."""
    runs: list[list[Step]] = []
    for step in scenario.steps:
        message = step.verb in ("send", "repeat") and "group number G" not in step.words.get("fields", "")
        if message and runs and runs[-1][-1].verb in ("send", "repeat"):
            runs[-1].append(step)
        else:
            runs.append([step])
    return runs


async def played_at_once(scenario: Scenario, directory: Path) -> Told:
    """Play a transcript without waiting between messages, the writer apart; return what differs."""
    async with world(scenario, directory, PEOPLE, apart=True) as group:
        receipts: list[Receipt] = []
        for steps in runs_of(scenario):
            outcome = await (group.happens(steps[0]) if len(steps) == 1 else group.happen_at_once(steps))
            receipts += outcome.receipts
        end = await ended(scenario, group)
        for receipt in receipts:
            receipt.identifiers = group.finally_named(receipt.identifiers)
        return of_all(scenario, receipts) | end


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


AT_ONCE = [
    pytest.param(one, marks=() if one.file == "order" else pytest.mark.slow, id=f"{one.file}: {one.name}")
    for one in SCENARIOS
]


@pytest.mark.parametrize("scenario", AT_ONCE)
def test_scenario_at_once(scenario: Scenario, directory: Path) -> None:
    """The same leaves and is known when messages come without a pause: decided before the disk has the last."""
    told = asyncio.run(played_at_once(scenario, directory))
    if told:
        pytest.fail(annotated(scenario, told), pytrace=False)


def test_names_are_unique() -> None:
    """A scenario is named in reports: no name stands twice."""
    names = [one.name for one in SCENARIOS]
    assert len(names) == len(set(names))


def test_there_are_as_many_as_promised() -> None:
    """Seventy at least; a file that isn't found would show here."""
    assert len(SCENARIOS) >= 70
