"""
The whole simulated group against one engine: hospitals, laboratories, radiology; the DPI and the bus of events.

`simulate` reads addresses, sites and authorities from the configuration, so that one routes.yaml serves all.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import datetime as dt
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from engine.errors import DoorFailed, OperationRefused
from engine.routes.configuration import Configuration, Source
from engine.simulation.bus import Bus, bus_of
from engine.simulation.dpi import Dpi
from engine.simulation.moods import Mood, Turn, moods_by_chance
from engine.simulation.patients import Population
from engine.simulation.sender import MANNERS, PLAIN, Manners, Sender
from engine.simulation.story import Story
from engine.simulation.systems import Systems, systems_of
from engine.simulation.writing import Outgoing

BACKLOG_MAX: Final = 2_000
"""Messages that wait for their acknowledgement before the story pauses: hospitals don't die for an engine."""
LAST_ANSWERS_SECONDS: Final = 20.0
"""How long the last acknowledgements are waited for when the story has ended."""
PICKY: Final = 700
"""The DPI refuses one message in that many, the first time: dead letters to look at."""
UNITS: Final = ("4021", "4022", "4023", "4031", "4032")
"""Functional units of a hospital of which no table speaks."""

Say = Callable[[dict[str, Any]], None]
"""Takes the figures, once a second, ready for JSON."""


PEOPLE: Final = 1
"""Seed of the population: the same people live there in each run, so that a number stays the same person's."""


class Group:
    """The senders of the group and its receivers, ready to run."""

    def __init__(
        self, configuration: Configuration, *, seed: int, dpi: bool, senders: bool = True, plain: bool = False,
        tag: str = "",
    ) -> None:  # fmt: skip
        """
        Prepare.

        Args:
            configuration: Where everybody listens, and who numbers what.
            seed: Of the story, the manners and the moods.
            dpi: Whether to play the receivers too: of the first MLLP destination, and of the first MQTT one where it
                is on this machine.
            senders: Whether to play the systems that send.
            plain: No whims: one message at a time, whole, on one connection.
            tag: Begins all control ids; empty: drawn from the wall clock.
        """
        self.counts: Counter[str] = Counter()
        self.events: deque[str] = deque(maxlen=12)
        self.systems = systems_of(configuration, units_of(configuration)) if senders else Systems(hospitals=[])
        begin_s = int(time.time())
        tag = tag or _base36(begin_s)
        self.story = Story(self.systems, Population(PEOPLE), seed=seed, tag=tag, clock=_now, begin_s=begin_s)
        self.senders = self._senders(seed, plain)
        self.dpi: Dpi | None = None
        self.bus: Bus | None = None
        for destination in configuration.destinations.values() if dpi else ():
            if destination.type == "mllp" and self.dpi is None:
                self.dpi = Dpi(destination.host, destination.port, picky=0 if plain else PICKY)
            elif destination.type == "mqtt" and self.bus is None:
                self.bus = bus_of(destination)

    def _senders(self, seed: int, plain: bool) -> dict[str, Sender]:
        systems = self.systems
        sources = [hospital.source for hospital in systems.hospitals]
        sources += [*systems.laboratories.values(), *systems.radiologies.values()]
        return {
            source.name: Sender(
                source.name,
                _reachable(source.host),
                source.port,
                manners=_manners(source, rank, plain),
                seed=seed,
                answered=self._answered,
            )
            for rank, source in enumerate(sources)
        }

    def send(self, message: Outgoing) -> None:
        """Hand a message to its sender, or drop its file."""
        self.counts["told"] += 1
        sender = self.senders.get(message.source)
        if sender is not None:
            sender.send(message)
            return
        town = self.systems.town_laboratory
        if town is not None and message.source == town.name:
            drop_file(town.folder, message)
            self.counts["files"] += 1

    def waiting(self) -> int:
        """Messages without a final answer."""
        return sum(sender.waiting for sender in self.senders.values())

    def note(self, mood: Mood) -> None:
        """Remember a change of mood for the live screen."""
        self.events.append(f"{_now():%H:%M:%S} the DPI's mood: {mood.name.value}")

    def facts(self) -> dict[str, Any]:
        """Figures of all parts, ready for JSON."""
        return {
            "v": 1,
            "told": self.counts["told"],
            "files": self.counts["files"],
            "unanswered": self.waiting(),
            "senders": {
                name: {"connected": sender.connected, "waiting": sender.waiting, **sender.counts}
                for name, sender in self.senders.items()
            },
            "dpi": self.dpi.facts() if self.dpi is not None else None,
            "bus": self.bus.facts() if self.bus is not None else None,
            "events": list(self.events),
        }

    def _answered(self, message: Outgoing, code: str) -> None:
        self.counts[code] += 1
        if code not in ("AA", "CA"):
            self.events.append(f"{_now():%H:%M:%S} {message.source}: {message.event} was answered {code}")


async def simulate(
    configuration: Configuration,
    *,
    seed: int = 1,
    rate: float = 5.0,
    duration: float | None = None,
    dpi: bool = True,
    senders: bool = True,
    moods: Iterator[Turn] | None = None,
    plain: bool = False,
    say: Say | None = None,
) -> dict[str, Any]:
    """
    Play the group until `duration` has passed (or for ever), then wait for the last acknowledgements.

    Args:
        configuration: As loaded from routes.yaml.
        seed: The same seed tells the same story.
        rate: Messages a second, over all systems.
        duration: Seconds; None: until cancelled.
        dpi: Whether to play the receivers too, as Group does.
        senders: Whether to play the systems that send; False: the receivers alone.
        moods: Of the DPI; None: by chance from the seed. Unused with `plain`.
        plain: No whims of senders and DPI.
        say: Hears the figures once a second.

    Returns:
        The figures at the end.

    Raises:
        DoorFailed: A receiver's port is taken, or nobody acknowledged the last messages.
        OperationRefused: The configuration has nothing to play.
    """
    group = Group(configuration, seed=seed, dpi=dpi, senders=senders, plain=plain)
    _require_something(group, senders=senders)
    receivers = [receiver for receiver in (group.dpi, group.bus) if receiver is not None]
    for receiver in receivers:
        await receiver.start()
    works = [sender.run() for sender in group.senders.values()]
    if say is not None:
        works.append(_report(group, say))
    if group.dpi is not None and not plain:
        works.append(group.dpi.live(moods or moods_by_chance(seed), group.note))
    tasks = [asyncio.ensure_future(work) for work in works]
    story = asyncio.ensure_future(_tell(group, rate, duration))
    try:
        done, _ = await asyncio.wait([story, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a part that died ends the simulation with its reason
    finally:
        for task in (story, *tasks):
            task.cancel()
        await asyncio.gather(story, *tasks, return_exceptions=True)
        for receiver in receivers:
            await receiver.stop()
    return group.facts()


def _require_something(group: Group, *, senders: bool) -> None:
    if senders and not group.systems.hospitals:
        sentence = (
            "no source of routes.yaml is an admission system (type mllp, with a site, and neither lis nor ris in its "
            "name): there is nobody to simulate; --only-dpi plays the DPI alone"
        )
        raise OperationRefused(sentence)
    if not senders and group.dpi is None:
        raise OperationRefused("no destination of routes.yaml has the type mllp: there is no DPI to simulate")


async def _tell(group: Group, rate: float, duration: float | None) -> None:
    """Tell the story at its rate; a step of several messages counts as several. Nobody sends: wait that long."""
    if not group.systems.hospitals:
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=duration)
        return
    loop = asyncio.get_running_loop()
    begin = due = loop.time()
    while duration is None or loop.time() - begin < duration:
        if group.waiting() > BACKLOG_MAX:
            await asyncio.sleep(0.5)
            due = loop.time()
            continue
        messages = group.story.step()
        for message in messages:
            group.send(message)
        due += len(messages) / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
    try:
        async with asyncio.timeout(LAST_ANSWERS_SECONDS):
            for sender in group.senders.values():
                await sender.drained()
    except TimeoutError:
        raise DoorFailed(
            f"{group.waiting()} messages have no acknowledgement after {LAST_ANSWERS_SECONDS:g} s: "
            "does the engine listen? start it with `passerelle run`"
        ) from None


async def _report(group: Group, say: Say) -> None:
    while True:
        say(group.facts())
        await asyncio.sleep(1.0)


def drop_file(directory: Path, message: Outgoing) -> None:
    """Write each file under another name, then rename it: a reader never sees half of it; documents come first."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in (*message.files, (message.control_id, message.payload)):
        hidden = directory / f".{name}.part"
        hidden.write_bytes(data)
        hidden.rename(directory / name)


def units_of(configuration: Configuration) -> Callable[[str], tuple[str, ...]]:
    """
    Return who knows the functional units of a site: the table of codes beside routes.yaml, else a few codes.

    The table is `tables/uf_dpi.csv` beside the first file of the configuration, with columns `site` and `code`.
    """
    units: dict[str, list[str]] = {}
    path = Path(configuration.files[0]).parent / "tables" / "uf_dpi.csv" if configuration.files else Path()
    with contextlib.suppress(OSError):
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if not line.startswith("#")]
        for row in csv.DictReader(lines, delimiter=";" if ";" in lines[0] else ","):
            if row.get("code", "*") != "*":
                units.setdefault(row.get("site", ""), []).append(row["code"])
    return lambda site: tuple(units.get(site, [])) or UNITS


def _manners(source: Source, rank: int, plain: bool) -> Manners:
    return PLAIN if plain or not source.site else MANNERS[rank % len(MANNERS)]


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # read, not bound


def _now() -> dt.datetime:
    return dt.datetime.now()  # noqa: DTZ005  # French systems write local time without a zone


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return text
