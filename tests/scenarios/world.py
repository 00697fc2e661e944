"""
A running group of hospitals for one transcript: the engine in this process, receivers on sockets, a clock that jumps.

`World.happens(step)` makes a step happen, waits until nothing moves any more, and returns what left meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

import engine.daemon.service as daemon
from engine.daemon.service import Service
from engine.errors import PasserelleError
from engine.identity.numbers import NumberFormat
from engine.routes.configuration import Configuration
from engine.routes.loader import load
from engine.settings import Settings
from engine.store.sqlite import SqliteStore
from tests.scenarios.clock import Clock, JumpingRuntime
from tests.scenarios.crossreference import ROW_COLUMNS, CrossReferenceFacts, rows_of
from tests.scenarios.language import Receipt, Scenario, Step, message_name
from tests.scenarios.messages import hl7, hprim
from tests.scenarios.parts import FINESS, Person, parts_of
from tests.scenarios.reading import Incoming, Reading
from tests.scenarios.receivers import Destination
from tests.scenarios.routes import free_ports, routes_text
from tests.support.engine import RunningEngine
from tests.support.mllp import PATIENCE, Sender, field_of, framed
from tests.support.until import until

_SENDERS: Final = ("cha", "chb", "chc", "lis", "ville", "dpi", "mpi")
_DESTINATIONS: Final = ("dpi", "pacs", "lis", "desk")
_NUMBERS: Final = NumberFormat(prefix="G", width=6)
"""As group.yaml has it."""
_QUIET_ROUNDS: Final = 3
_ROUND_SECONDS: Final = 0.001
_LONG_SECONDS: Final = 1.0


@functools.cache
def _ports() -> dict[str, int]:
    """Return the ports of all transcripts: they are played one after the other."""
    return free_ports([*_SENDERS, *(f"to_{one}" for one in _DESTINATIONS)])


_configurations: dict[str, Configuration] = {}


def _configuration(file: Path, text: str) -> Configuration:
    """Load routes.yaml, or return what it was in an earlier transcript: a configuration is a value."""
    if text not in _configurations:
        _configurations[text] = load(file, environment=os.environ)
    return _configurations[text]


@dataclass
class Outcome:
    """What came of one step."""

    receipts: list[Receipt] = field(default_factory=list)
    refused: str = ""
    carried: list[str] = field(default_factory=list)


class World:
    """One transcript under way."""

    def __init__(self, scenario: Scenario, directory: Path, people: dict[str, Person], *, apart: bool) -> None:
        self._scenario, self._directory, self._people = scenario, directory, people
        self._ports = _ports()
        self._given = dict(scenario.given)
        self._routes = routes_text(self._given, self._ports)
        self.destinations = {one: Destination(one, self._ports[f"to_{one}"]) for one in _DESTINATIONS}
        self._clock = Clock()
        self._data = directory / "data"
        self.apart = apart or any(step.verb == "kill" for step in scenario.steps)
        self.reading = Reading(people)
        self._run: asyncio.Task[int] | None = None

    # --- life

    async def start(self) -> None:
        """Run the engine; also again in the same directory."""
        file = self._directory / "routes.yaml"
        file.write_text(self._routes, encoding="utf-8")
        settings = Settings(routes=file, data=self._data, min_free_bytes=0, log_level="critical")
        JumpingRuntime.clock = self._clock
        service = Service(settings, _configuration(file, self._routes))
        self._run = run = asyncio.create_task(service.run())
        ready = asyncio.create_task(service.ready.wait())
        await asyncio.wait({run, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
        if run.done():
            ready.cancel()
            run.result()
        assert service.ready.is_set()
        self.engine, self._service = RunningEngine(service), service
        self.facts = CrossReferenceFacts(self.engine)

    async def stop(self) -> None:
        """Stop cleanly."""
        assert self._run is not None
        self._service.stop()
        assert await self._run == 0

    async def abandon(self) -> None:
        """End what still runs after a failure."""
        if self._run is not None and not self._run.done():
            self._service.stop()
            with contextlib.suppress(Exception):
                await self._run

    async def kill(self) -> None:
        """Take the writer away as kill -9 does: what isn't on disk is lost; the service can only end."""
        assert self._run is not None
        writer: Any = self._service._store
        writer._writer._process.kill()
        assert await self._run == 1, "the engine survived the death of its store"

    # --- what happens

    async def happens(self, step: Step) -> Outcome:
        """Carry out a step; return what came of it."""
        outcome = Outcome()
        try:
            outcome.carried = await getattr(self, f"_{step.verb}")(step) or []
        except PasserelleError as error:
            outcome.refused = str(error)
        return await self._came_of(outcome, len(step.receipts))

    async def happen_at_once(self, steps: Sequence[Step]) -> Outcome:
        """Send messages without waiting for what comes of each; those of one source in one write."""
        for source, own in itertools.groupby(steps, lambda one: one.words["source"]):
            await self._transmit(source, [await self._message(step) for step in own])
        return await self._came_of(Outcome(), sum(len(step.receipts) for step in steps))

    async def _came_of(self, outcome: Outcome, expected: int) -> Outcome:
        await self._quiet(expected)
        for destination in self.destinations.values():
            outcome.receipts += [self.reading.receipt(destination.name, one) for one in destination.new()]
        return outcome

    async def known(self) -> list[str]:
        """Return what is known now, as the lines of `in the end`."""
        return await self.facts.lines(self.reading)

    def finally_named(self, text: str) -> str:
        """Put G1, G2… for the federation identifiers of a text."""
        return self.reading.finally_named(text, self._scenario.given.get("registry", "own") == "own")

    async def _send(self, step: Step) -> None:
        await self._transmit(step.words["source"], [await self._message(step)])

    async def _message(self, step: Step) -> bytes:
        """Make the bytes of a `sends` line."""
        words = step.words
        source, label = words["source"], words.get("label")
        if step.verb == "repeat":
            return self.reading.labelled(words["label"]).raw
        site = words.get("site", source if source in FINESS else "cha")
        numbers = await self.facts.numbers()
        parts = parts_of(words["fields"], site, self._people, lambda alias: self.reading.number(alias, numbers))
        self.reading.stays |= {(site, parts.local[one]) for one in ("NDA", "was NDA") if one in parts.local}
        control_id = self.reading.next_id()
        if source == "ville":
            raw = hprim(control_id, parts)
        else:
            raw = hl7(words["event"], control_id, parts, facility=FINESS[site])
        self.reading.sent(Incoming(control_id, words["event"], label, source, raw))
        return raw

    async def _transmit(self, source: str, messages: Sequence[bytes]) -> None:
        """Send messages of one source; each is stored when this returns."""
        before = sum((await self.engine.states()).values())

        async def stored() -> bool:
            return sum((await self.engine.states()).values()) >= before + len(messages)

        async with Sender.connected(self._ports[source]) as sender:
            await sender.write(b"".join(map(framed, messages)))
            if source != "ville":  # nobody answers HPRIM
                answers = [field_of(await sender.answer(), b"MSA", 1) for _ in messages]
                assert answers == ["AA"] * len(messages), f"{source} was answered {answers}"
            await until(stored, PATIENCE, every=_ROUND_SECONDS)

    async def _repeat(self, step: Step) -> None:
        await self._send(step)

    async def _down(self, step: Step) -> None:
        await self.destinations[step.words["destination"]].down()

    async def _up(self, step: Step) -> None:
        await self.destinations[step.words["destination"]].up()

    async def _mute(self, step: Step) -> None:
        self.destinations[step.words["destination"]].answer(False)

    async def _answers(self, step: Step) -> None:
        self.destinations[step.words["destination"]].answer(True)

    async def _hours(self, step: Step) -> None:
        self._service._runtime.jump(float(step.words["hours"]) * 3600)

    async def _kill(self, _step: Step) -> None:
        await self.kill()
        await self.start()

    async def _restart(self, _step: Step) -> None:
        await self.stop()
        await self.start()

    async def _apply(self, step: Step) -> None:
        """Let the engine go on under other routes; a restart finds them too."""
        self._given[step.words["name"]] = step.words["value"]
        self._routes = routes_text(self._given, self._ports)
        (self._directory / "routes.yaml").write_text(self._routes, encoding="utf-8")
        await self.engine.call("config_apply", reason="transcript")

    async def _hold(self, step: Step) -> None:
        await self.engine.call("hold", name=f"to_{step.words['destination']}", reason="transcript", seconds=3600)

    async def _release(self, step: Step) -> None:
        await self.engine.call("release", name=f"to_{step.words['destination']}", reason="transcript")

    async def _retry(self, step: Step) -> None:
        await self._treat("dead_retry", step)

    async def _pass(self, step: Step) -> None:
        await self._treat("dead_pass", step)

    async def _discard(self, step: Step) -> None:
        await self._treat("dead_discard", step)

    async def _treat(self, operation: str, step: Step) -> None:
        wanted = message_name(step.words["event"], step.words.get("label"))
        dead = [one for one in await self.facts.dead_ids() if self.reading.name_of(one[0]) == wanted]
        assert dead, f"{wanted} is not dead"
        await self.engine.call(operation, ids=[one for _, one in dead], reason="transcript")

    async def _link(self, step: Step) -> None:
        await self.facts.link(*await self._pair(step))

    async def _apart(self, step: Step) -> None:
        await self.facts.apart(*await self._pair(step))

    async def _unlink(self, step: Step) -> None:
        identifier = self.reading.parse_identifier(step.words["identifier"], await self.facts.numbers())
        await self.facts.unlink(identifier, another_person="another" in step.words)

    async def _undo(self, step: Step) -> None:
        numbers = await self.facts.numbers()
        await self.facts.undo_last(self.reading.number(step.words["patient"], numbers))

    async def _import(self, step: Step) -> None:
        words = step.words
        first, _, number = words["number"].partition(" ")
        person = self._people[words["person"]] if "person" in words else None
        rows = rows_of(_NUMBERS.write(int(number)) if first == "number" else number, words, person)
        await self.facts.take_over(ROW_COLUMNS, rows)

    async def _renew(self, _step: Step) -> None:
        """Begin again on an empty data directory, with the cross-reference alone."""
        columns, rows = await self.facts.exported()
        await self.stop()
        self._data = self._data.with_name(f"{self._data.name}-again")
        await self.start()
        await self.facts.take_over(columns, rows)

    async def _carriers(self, step: Step) -> list[str]:
        identifier = self.reading.parse_identifier(step.words["identifier"], await self.facts.numbers())
        rows = await self.facts.carriers(identifier)
        return [f"{one.removeprefix('to_')} received {self.reading.name_of(control_id)}" for one, control_id in rows]

    async def _pair(self, step: Step) -> tuple[str, str]:
        numbers = await self.facts.numbers()
        return self.reading.number(step.words["low"], numbers), self.reading.number(step.words["high"], numbers)

    # --- until nothing moves

    async def _quiet(self, expected: int) -> None:
        """
        Wait until nothing moves.

        A read may see a commit of which the loop is told later: for that moment nothing seems to move. So where less
        came than expected, it must have been quiet for long; how long all took before says nothing, on a busy machine.
        """
        calm, since = 0, time.monotonic()

        async def quiet() -> bool:
            nonlocal calm, since
            if not await self._still():
                calm, since = 0, time.monotonic()
                return False
            calm += 1
            return calm >= _QUIET_ROUNDS and (self._came() >= expected or time.monotonic() >= since + _LONG_SECONDS)

        try:
            await until(quiet, PATIENCE, every=_ROUND_SECONDS)
        except AssertionError:
            raise AssertionError(f"the engine doesn't come to rest: {await self.engine.states()}") from None

    def _came(self) -> int:
        return sum(one.came for one in self.destinations.values())

    async def _still(self) -> bool:
        states = await self.engine.states()
        if states.get("received"):
            return False
        next_wait = (await self._service._store.identity_facts()).next_wait_ms
        if 0 < next_wait <= self._service._runtime.now_ms():
            return False  # a wait is over, and nobody has looked yet
        facts = self._service.destinations()
        return all(
            facts[f"to_{name}"]["in_flight"] == (one.unanswered if one.silent else 0)
            for name, one in self.destinations.items()
        )


@contextlib.asynccontextmanager
async def world(
    scenario: Scenario, directory: Path, people: dict[str, Person], *, apart: bool = False
) -> AsyncIterator[World]:
    """
    Run the group for one transcript.

    Args:
        scenario: What is played.
        directory: For the engine's data.
        people: Of people.txt.
        apart: The store's writer is a process of its own, as in production; a thread is there sooner.
    """
    one = World(scenario, directory, people, apart=apart)
    store = lambda path, *, min_free, apart: SqliteStore(path, min_free=min_free, apart=one.apart)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(daemon, "LoopRuntime", JumpingRuntime)
        patch.setattr(daemon, "SqliteStore", store)
        patch.setattr(daemon, "_calm_the_collector", lambda: None)  # takes longer than a transcript
        try:
            for destination in one.destinations.values():
                await destination.up()
            await one.start()
            yield one
            await one.stop()
        finally:
            await one.abandon()
            for destination in one.destinations.values():
                await destination.down()
