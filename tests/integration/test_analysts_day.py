"""
An analyst's day, typed: a first configuration, mistakes, tests, a try, a plan, a change under load, a way back.

Every command is a process of its own, as from a terminal; the engine is one too, with real senders and receivers.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.support.engine import free_port
from tests.support.mllp import Receiver, Sender, field_of, framed, receiver
from tests.support.process import EngineProcess

ROOT = Path(__file__).resolve().parents[2]
STORED = 2_000
SENDERS = 4
WAITING_MAX = 200
UNITS = "local,territorial,pole\n1010,T-URG,P1\n1020,T-MED,P2\n"
ARCHIVE = """
  archive: { type: mllp, connect: 127.0.0.1:PORT, encode: { control_id: as_received } }

tables:
  units: tables/units.csv
"""
MAPPED = """
      - set: { MSH-5: V1 }
      - map: { field: PV1-3.1, table: units, take: territorial, on_missing: dead_letter }
"""


def adt(control_id: str, patient: str, unit: str = "1010") -> bytes:
    """An admission."""
    return (
        f"MSH|^~\\&|GAM|CHA|PASSERELLE|GHT|20260102030405||ADT^A01^ADT_A01|{control_id}|P|2.5|||||FRA|UNICODE UTF-8\r"
        f"EVN||20260102030405\rPID|1||{patient}^^^^PI||TEST^HELENE^^^^^L||19850712|F\rPV1|1|I|{unit}^12\r"
    ).encode()


class Typed:
    """What one command answered."""

    def __init__(self, code: int, out: str, error: str) -> None:
        self.code, self.out, self.error = code, out, error

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.error}"


class Day:
    """A folder in which somebody works."""

    def __init__(self, folder: Path, dpi: Receiver, archive: Receiver) -> None:
        self.folder, self.dpi, self.archive = folder, dpi, archive
        self.port = free_port()
        self.file = folder / "routes.yaml"
        self.sent = 0

    async def type(self, *words: str) -> Typed:
        """Type a command here."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PASSERELLE_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", *words, cwd=self.folder, env=environment | {"PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await process.communicate()
        assert process.returncode is not None
        return Typed(process.returncode, out.decode(), error.decode())

    def edit(self, *changes: tuple[str, str]) -> None:
        """Replace words of routes.yaml."""
        text = self.file.read_text()
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self.file.write_text(text)

    async def send(self, sender: Sender, messages: list[bytes]) -> None:
        """Send messages on one connection, all at once; each is acknowledged."""
        await sender.write(b"".join(map(framed, messages)))
        for _ in messages:
            assert field_of(await sender.answer(), b"MSA", 1) == "AA"
        self.sent += len(messages)

    async def arrived(self) -> None:
        """Wait until both receivers have all that was sent."""
        await asyncio.gather(self.dpi.wait_for(self.sent), self.archive.wait_for(self.sent))


@asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[Day]:
    """A folder, and the two systems that receive."""
    async with receiver() as dpi, receiver() as archive:
        yield Day(folder, dpi, archive)


@contextmanager
def running(day: Day) -> Iterator[EngineProcess]:
    """The engine, as a process."""
    engine = EngineProcess(day.file, day.folder / "data")
    engine.start()
    try:
        yield engine
    finally:
        assert engine.stop() == 0


def versions(messages: list[bytes]) -> dict[str, str]:
    """By control id, the version of the configuration that made what arrived."""
    return {field_of(one, b"MSH", 10): field_of(one, b"MSH", 5) for one in messages}


def in_order(messages: list[bytes], key: Callable[[bytes], str]) -> dict[str, list[str]]:
    """By sender, the control ids in the order of their arrival."""
    found: dict[str, list[str]] = {}
    for one in messages:
        found.setdefault(key(one), []).append(field_of(one, b"MSH", 10))
    return found


async def first_configuration(day: Day) -> None:
    """`init`, mistakes, `lint`, mended; a test that fails, mended."""
    done = await day.type("init", "--site", "cha,CH d'Arvigny,000000026,1.2.250.1.999.10.1", "--port", str(day.port),
                          "--dpi", f"127.0.0.1:{day.dpi.port}")  # fmt: skip
    assert done.code == 0, done
    for command in ("lint", "test"):
        done = await day.type(command)
        assert done.code == 0, done

    (day.folder / "tables").mkdir()
    (day.folder / "tables" / "units.csv").write_text(UNITS)
    day.edit(
        ("    order_by: patient\n", "    order_by: patient\n    encode: { control_id: as_received }\n"),
        ("\nsteps:\n", ARCHIVE.replace("PORT", str(day.archive.port)) + "\nsteps:\n"),
        ("      - use: identities\n", "      - use: identities" + MAPPED),
        ("    to: [dpi]\n", "    to: [dpi, archiv]\n"),  # three mistakes
        ("take: territorial, on_missing: dead_letter", "take: teritorial"),
    )
    done = await day.type("lint")
    assert done.code == 78, done
    assert "E116: there is no destination archiv" in done.out
    assert "did you mean archive?" in done.out
    assert "E120: map can fail: a code may be missing from the table" in done.out
    assert "add on_missing: dead_letter | keep | { set: ... } | { flag: ... }" in done.out
    assert (await day.type("code", "E120")).code == 0
    day.edit(("take: teritorial", "take: teritorial, on_missing: dead_letter"), ("[dpi, archiv]", "[dpi, archive]"))
    done = await day.type("lint")
    assert (done.code, "did you mean territorial?" in done.out) == (78, True), done
    day.edit(("take: teritorial", "take: territorial"))
    assert (await day.type("lint")).code == 0

    done = await day.type("test")
    assert done.code == 1, done
    assert "PV1 changed: PV1-3 1010 -> T-URG" in done.out
    day.edit(("            unchanged: [PID-5, PID-7, PV1]\n",
              "            PV1-3.1: T-URG\n            unchanged: [PID-5, PID-7, PV1-2]\n"))  # fmt: skip
    done = await day.type("test")
    assert (done.code, "1 test passed" in done.error + done.out) == (0, True), done


async def tried_and_planned(day: Day) -> None:
    """A change is tried on a stored message, then its effect on the last 2,000 is looked at; nothing is sent."""
    day.edit(("MSH-5: V1", "MSH-5: V2"), ("take: territorial", "take: pole"), ("PV1-3.1: T-URG", "PV1-3.1: P1"))
    done = await day.type("try", "adt_to_dpi", "--message", "7")
    assert done.code == 0, done
    assert "PV1-3  9999^99 -> x9^99" in done.out, done  # masked
    assert "HELENE" not in done.out
    done = await day.type("plan", "--shadow", str(STORED), "--json")
    assert done.code == 1, done
    plan = json.loads(done.out)
    assert plan["changes"] == {"routes": {"added": [], "removed": [], "changed": ["adt_to_dpi"], "renamed": {}}}
    assert plan["tests"]["passed"] == 1
    assert plan["effect"]["counts"]["changed"] == STORED - 1
    assert plan["effect"]["counts"]["identical"] == 1  # dead before and after: its unit is in no table
    assert {(one["destination"], one["path"]) for one in plan["effect"]["paths"]} == {
        (name, path) for name in ("dpi", "archive") for path in ("MSH-5", "PV1-3.1")
    }
    assert len(day.dpi.messages) == STORED - 1


async def changed_under_load(day: Day) -> None:
    """Senders never stop; three configurations follow each other; each is applied once it was looked at."""
    stop = asyncio.Event()

    async def keep_sending(number: int) -> None:
        async with Sender.connected(day.port) as sender:
            rank = 0
            while not stop.is_set():
                await day.send(sender, [adt(f"L{number}-{rank + n}", f"90{number}") for n in range(5)])
                rank += 5
                await day.dpi.wait_for(day.sent - WAITING_MAX)  # what waits doesn't grow with what a command takes

    sending = [asyncio.create_task(keep_sending(number)) for number in range(SENDERS)]
    for number in (2, 3, 4):
        if number > 2:
            day.edit((f"MSH-5: V{number - 1}", f"MSH-5: V{number}"))
        done = await day.type("apply", "--yes", "--expect", "1", "--reason", f"ticket {number}")
        assert done.code == 0, done
        assert "runs now" in done.out
        seen = len(day.dpi.messages)
        await day.dpi.wait_for(seen + 20)
    stop.set()
    await asyncio.gather(*sending)
    await day.arrived()
    at_dpi, at_archive = versions(day.dpi.messages), versions(day.archive.messages)
    assert len(at_dpi) == len(day.dpi.messages) == day.sent  # none lost, none twice
    assert at_dpi == at_archive  # no message was made by two configurations
    assert set(at_dpi.values()) == {"V1", "V2", "V3", "V4"}
    assert (day.dpi.connections, day.archive.connections) == (1, 1)
    loaded = [one for one in day.dpi.messages if field_of(one, b"MSH", 10).startswith("L")]
    for name, ids in in_order(loaded, lambda one: field_of(one, b"MSH", 10).partition("-")[0]).items():
        assert ids == [f"{name}-{rank}" for rank in range(len(ids))]
        made = [at_dpi[one] for one in ids]
        assert made == sorted(made)  # a change lies between two messages, once


async def refused_and_back(day: Day) -> None:
    """A bad file changes nothing and is seen; `rollback` goes back, and says that the file is another one."""
    async with Sender.connected(day.port) as sender:
        day.edit(("from: [gam_cha]", "from: [gam_chb]"))
        done = await day.type("apply", "--yes", "--reason", "ticket 5")
        assert (done.code, "E116" in done.error) == (78, True), done
        await day.send(sender, [adt("R1", "910")])
        await day.arrived()
        assert versions(day.dpi.messages)["R1"] == "V4"
        done = await day.type("status")
        assert (done.code, "configuration refused: routes.yaml has" in done.out) == (1, True), done
        assert "passerelle_configuration_refused 1\n" in (await day.type("metrics")).out

        done = await day.type("rollback", "--yes", "--expect", "1", "--reason", "ticket 6")
        assert done.code == 0, done
        assert "runs now; routes.yaml still says something else" in done.out
        await day.send(sender, [adt("R2", "910")])
        await day.arrived()
        assert versions(day.archive.messages)["R2"] == "V3"
        done = await day.type("status", "--json")
        status = json.loads(done.out)
        assert "came back at" in status["notes"][0]
        assert status["balance"]["difference"] == 0
        assert status["balance"]["parts"]["delivered"] == day.sent
        done = await day.type("config", "log", "--json")
        verbs = [json.loads(line)["verb"] for line in done.out.splitlines()]
        assert verbs == ["rollback", "refuse", "apply", "apply", "apply", "start"]
        shown = json.loads((await day.type("config", "show", "--json")).out)
        assert "MSH-5: V3" in shown["files"]["routes.yaml"]
        done = await day.type("config", "diff", "--json")
        assert (done.code, "+      - set: { MSH-5: V3 }" in json.loads(done.out)["lines"]) == (1, True), done
    assert (day.dpi.connections, day.archive.connections) == (1, 1)


@pytest.mark.timeout(600)
def test_an_analysts_day(tmp_path: Path) -> None:
    """From nothing to a rollback."""

    async def day_long() -> None:
        async with at_work(tmp_path) as day:
            await first_configuration(day)
            with running(day):
                async with Sender.connected(day.port) as sender:
                    await sender.ask(adt("DEAD", "1", unit="9999"))  # a dead letter: no such unit
                    for first in range(1, STORED, 50):
                        many = range(first, min(first + 50, STORED))
                        await day.send(sender, [adt(f"P{n}", f"{n + 1000}", "1010" if n % 3 else "1020") for n in many])
                await day.arrived()
                await tried_and_planned(day)
                await changed_under_load(day)
                await refused_and_back(day)

    asyncio.run(day_long())
