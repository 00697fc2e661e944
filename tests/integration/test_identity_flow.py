"""Patients of two hospitals through a whole engine: MLLP, SQLite, the writer apart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.group import INS, SITES, hl7, of_cha, of_chb
from tests.support.mllp import Receiver, Sender, field_of, plain_ack, receiver
from tests.support.process import EngineProcess
from tests.support.until import until

REST = """
sources:
  gam_cha: {{ type: mllp, site: cha, listen: "127.0.0.1:{cha}" }}
  gam_chb: {{ type: mllp, site: chb, listen: "127.0.0.1:{chb}" }}
  lis_cha: {{ type: mllp, site: cha, listen: "127.0.0.1:{lis}" }}
destinations:
  dpi: {{ type: mllp, connect: "127.0.0.1:{dpi}", {how} }}
  lab: {{ type: mllp, connect: "127.0.0.1:{lab}", {how} }}
routes:
  adt:
    from: [gam_cha, gam_chb]
    steps:
      - normalise_identity: {{ on_unknown: mint, on_conflict: dead_letter }}
    to:
      - dpi
      - {{ destination: lab, when: event != A40 }}
  results:
    from: [lis_cha]
    steps:
      - normalise_identity: {{ on_unknown: {{ hold: 72h, then: dead_letter }}, on_conflict: dead_letter }}
    to: [dpi]
"""
HOW = (
    "connections: 4, ack_timeout: 1s, encode: { control_id: as_received }, "
    "retry: { unknown: { first: 200ms, longest: 1s }, connect: { first: 100ms, longest: 1s } }"
)


class Ports:
    """Where the hospitals send, and the receivers listen."""

    def __init__(self, dpi: int, lab: int) -> None:
        self.cha, self.chb, self.lis, self.dpi, self.lab = free_port(), free_port(), free_port(), dpi, lab

    def routes(self) -> str:
        return SITES + REST.format(how=HOW, **vars(self))


async def send(port: int, *messages: bytes) -> None:
    """Send, each after the answer to the one before."""
    async with Sender.connected(port) as sender:
        for message in messages:
            assert field_of(await sender.ask(message), b"MSA", 1) == "AA"


async def got(door: Receiver, count: int) -> dict[str, str]:
    """Return by control id the first repetition of PID-3, in the order in which they came."""
    messages = await door.wait_for(count)
    return {field_of(one, b"MSH", 10): field_of(one, b"PID", 3).split("~")[0] for one in messages}


def number(first: str) -> str:
    assert "&1.2.250.1.999.1.1&ISO^PN" in first
    return first.partition("^")[0]


async def patients(engine: RunningEngine, count: int) -> None:
    async def so_many() -> bool:
        return (await engine.service._store.identity_facts()).patients == count

    await until(so_many)


def test_two_hospitals_and_a_laboratory(tmp_path: Path) -> None:
    """A result waits for its admission; an INS qualified on both sides makes one patient of two numbers."""

    async def test() -> None:
        async with receiver() as dpi, receiver() as lab:
            ports = Ports(dpi.port, lab.port)
            async with running_engine(ports.routes(), tmp_path) as engine:
                await send(ports.lis, hl7("R1", "R01", of_cha(42), type_="ORU"))
                await engine.settled(waiting=1)
                await send(ports.cha, hl7("A1", "A28", f"{of_cha(42)}~284036912345632{INS}"))
                await got(lab, 1)
                await send(ports.chb, hl7("B1", "A28", f"{of_chb(7)}~284036912345632{INS}"))
                found = await got(dpi, 3)
                assert set(found) == {"R1", "A1", "B1"}
                assert len({number(one) for one in found.values()}) == 1
                await patients(engine, 1)

    asyncio.run(test())


def test_a_link_while_messages_of_both_wait(tmp_path: Path) -> None:
    """At a destination that is away and gets no A40: what came before the link leaves before what came behind it."""

    async def test() -> None:
        away = free_port()
        async with receiver() as dpi:
            ports = Ports(dpi.port, away)
            async with running_engine(ports.routes(), tmp_path) as engine:
                await send(ports.cha, hl7("A1", "A28", of_cha(1)))
                await send(ports.chb, hl7("B1", "A28", of_chb(1)))
                await send(ports.chb, *(hl7(f"B{n}", "A31", of_chb(1)) for n in range(2, 6)))
                await got(dpi, 6)
                await engine.call("identity_link", one="1", other="2", reason="the same person, says the ward")
                await send(ports.cha, *(hl7(f"C{n}", "A31", of_cha(1)) for n in range(5)))
                await got(dpi, 11)
                async with receiver(port=away) as lab:
                    order = list(await got(lab, 11))
        assert max(order.index(f"B{n}") for n in range(1, 6)) < min(order.index(f"C{n}") for n in range(5))

    asyncio.run(test())


def test_a_crash_between_decision_and_delivery(tmp_path: Path) -> None:
    """After kill -9 nothing acknowledged is lost, each patient has one number, and no number is another's."""
    file = tmp_path / "routes.yaml"

    async def test() -> None:
        silent = True

        def reply(message: bytes) -> bytes | None:
            return None if silent and int(field_of(message, b"MSH", 10)) % 3 else plain_ack(message)

        async with receiver(reply) as dpi, receiver() as lab:
            ports = Ports(dpi.port, lab.port)
            file.write_text(ports.routes(), encoding="utf-8")
            engine = EngineProcess(file, tmp_path / "data")
            await asyncio.to_thread(engine.start)
            count = 0
            for _ in range(3):
                wave = range(count, count + 20)
                await asyncio.gather(*(send(ports.cha, hl7(n, "A28", of_cha(n % 25))) for n in wave))
                count += 20
                engine.kill()
                await asyncio.to_thread(engine.start)
            silent = False
            for door in (dpi, lab):
                await until(lambda door=door: len({field_of(one, b"MSH", 10) for one in door.messages}) >= count, 60)
            numbers: dict[int, set[str]] = {}
            for message in (*dpi.messages, *lab.messages):
                patient = int(field_of(message, b"MSH", 10)) % 25
                numbers.setdefault(patient, set()).add(number(field_of(message, b"PID", 3).split("~")[0]))
            assert all(len(found) == 1 for found in numbers.values())
            assert len(set.union(*numbers.values())) == 25
            await asyncio.to_thread(engine.stop)

    asyncio.run(test())
