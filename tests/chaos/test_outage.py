"""A weekend in which the DPI is away, then hangs, then refuses everything: no dead letter, order kept, memory flat."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.support.engine import free_port
from tests.support.mllp import Sender, field_of, framed, plain_ack, receiver
from tests.support.process import EngineProcess
from tests.support.until import until

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    charset: ISO-8859-1
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }}
sources:
  gam: {{ type: mllp, site: cha, listen: "127.0.0.1:{port}" }}
destinations:
  dpi:
    type: mllp
    connect: 127.0.0.1:{dpi}
    connections: 4
    ack_timeout: 300ms
    order_by: patient
    encode: {{ control_id: as_received }}
    dead_letter: {{ lane: pass }}
    retry:
      connect: {{ first: 100ms, longest: 500ms }}
      unknown: {{ first: 100ms, longest: 500ms }}
      busy: {{ first: 100ms, longest: 500ms }}
routes:
  all: {{ from: [gam], steps: [ normalise_authorities: {{ on_unknown: keep }} ], to: [dpi] }}
"""
MEMORY_BYTES = 150_000_000
POISON = "N7"


def message(number: int, patients: int) -> bytes:
    return (
        f"MSH|^~\\&|GAM|CHA|||20260102||ADT^A31^ADT_A05|N{number}|P|2.5\rEVN||20260102\r"
        f"PID|1||{number % patients}^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||TEST^Outage\r".encode()
    )


class Dpi:
    """What the receiver does at the moment."""

    def __init__(self) -> None:
        self.mood = "well"
        self.seen = 0
        self.accepted: list[int] = []

    def reply(self, raw: bytes) -> bytes | None:
        self.seen += 1
        control_id = field_of(raw, b"MSH", 10)
        if self.mood == "hangs":
            return None
        if self.mood in ("AE", "AR"):
            return plain_ack(raw, self.mood)
        if self.mood == "refuses one" and control_id == POISON:
            return plain_ack(raw, "AE", "102^Data type error^HL70357")
        self.accepted.append(int(control_id[1:]))
        return plain_ack(raw)


async def fill(port: int, count: int, patients: int, connections: int = 8) -> None:
    """Send everything, each patient on one connection, pipelined; every message is acknowledged."""

    async def one(first: int) -> None:
        async with Sender.connected(port) as sender:
            numbers = range(first, count, connections)
            for begin in range(0, len(numbers), 100):
                part = numbers[begin : begin + 100]
                await sender.write(b"".join(framed(message(number, patients)) for number in part))
                for _ in part:
                    assert field_of(await sender.answer(), b"MSA", 1) == "AA"

    await asyncio.gather(*(one(first) for first in range(connections)))


async def weekend(directory: Path, count: int, patients: int, patience: float) -> None:
    port, dpi_port, dpi = free_port(), free_port(), Dpi()
    routes = directory / "routes.yaml"
    routes.write_text(ROUTES.format(port=port, dpi=dpi_port), encoding="utf-8")
    engine = EngineProcess(routes, directory / "data")
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, engine.stop)
        await asyncio.to_thread(engine.start)
        await fill(port, count, patients)  # nobody listens at the DPI's address
        dpi.mood = "hangs"
        async with receiver(dpi.reply, dpi_port):
            for mood, wanted in (("hangs", 6), ("AE", 15), ("AR", 15)):
                dpi.mood, seen = mood, dpi.seen
                await until(lambda seen=seen, wanted=wanted: dpi.seen >= seen + wanted, 60)
            assert engine.rss_bytes() < MEMORY_BYTES, f"{engine.rss_bytes()} bytes with {count} messages waiting"
            assert dpi.accepted == []
            dpi.mood = "well"
            await until(lambda: len(set(dpi.accepted)) == count, patience)
            assert engine.rss_bytes() < MEMORY_BYTES
            (status,) = await asyncio.to_thread(engine.ask, "status")
            (row,) = [one for one in status["destinations"] if one["name"] == "dpi"]
            assert row["dead"] == 0
            assert status["balance"]["difference"] == 0
        first: dict[int, int] = {}
        for place, number in enumerate(dpi.accepted):
            first.setdefault(number, place)
        for patient in range(patients):
            places = [first[number] for number in range(patient, count, patients)]
            assert places == sorted(places), f"patient {patient}: {places[:10]}"


@pytest.mark.timeout(150)
def test_a_weekend(tmp_path: Path) -> None:
    """Unreachable, hanging, AE to all, AR to all, then well, with 3,000 messages waiting."""
    asyncio.run(weekend(tmp_path, 3_000, 40, 90))


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_weekend_with_a_hundred_thousand(tmp_path: Path) -> None:
    """The same with 100,000 messages of 20,000 patients waiting."""
    asyncio.run(weekend(tmp_path, 100_000, 20_000, 900))


@pytest.mark.timeout(100)
def test_one_that_alone_is_refused_dies_alone(tmp_path: Path) -> None:
    """One message refused for its content is dead; all the others arrive, its patient's too (lane: pass)."""

    async def run() -> None:
        port, dpi = free_port(), Dpi()
        dpi.mood = "refuses one"
        async with receiver(dpi.reply) as fake, contextlib.AsyncExitStack() as stack:
            routes = tmp_path / "routes.yaml"
            routes.write_text(ROUTES.format(port=port, dpi=fake.port), encoding="utf-8")
            engine = EngineProcess(routes, tmp_path / "data")
            stack.push_async_callback(asyncio.to_thread, engine.stop)
            await asyncio.to_thread(engine.start)
            await fill(port, 200, 10)
            await until(lambda: len(dpi.accepted) == 199, 60)
            assert POISON[1:] not in map(str, dpi.accepted)
            dead = await asyncio.to_thread(engine.ask, "dead", "ls")
            assert [row["code"] for row in dead] == ["AE 102"], dead

    asyncio.run(run())
