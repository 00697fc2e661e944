"""kill -9 at random instants under load: nothing acknowledged is lost, order is kept, doubles are marked."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from pathlib import Path

import pytest

from tests.support.engine import free_port, listens
from tests.support.mllp import Sender, field_of, plain_ack, receiver
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
    order_by: patient
    encode: {{ control_id: as_received }}
    retry: {{ unknown: {{ first: 200ms, longest: 1s }}, connect: {{ first: 100ms, longest: 1s }} }}
routes:
  all: {{ from: [gam], steps: [ normalise_authorities: {{ on_unknown: keep }} ], to: [dpi] }}
"""
CONNECTIONS = 8
PATIENTS_EACH = 5


def message(control_id: str, patient: str, merged: str = "") -> bytes:
    event = "A40^ADT_A39" if merged else "A31^ADT_A05"
    text = (
        f"MSH|^~\\&|GAM|CHA|||20260102||ADT^{event}|{control_id}|P|2.5\rEVN||20260102\r"
        f"PID|1||{patient}^^^CHA-IPP^PI||TEST^Chaos\r"
    )
    return (text + (f"MRG|{merged}^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI\r" if merged else "")).encode()


class Load:
    """Senders that go on over restarts, and remember what was acknowledged when."""

    def __init__(self, port: int, seed: int) -> None:
        self.port, self.chance = port, random.Random(seed)
        self.sent: dict[str, float] = {}
        self.acked: dict[str, float] = {}
        self.patients: dict[str, tuple[str, ...]] = {}
        self.stopping = False

    async def send(self, number: int) -> None:
        chance = random.Random(self.chance.random())
        mine = [f"{number}{n:03}" for n in range(PATIENTS_EACH)]
        serial, again = 0, b""
        while not self.stopping or again:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with Sender.connected(self.port) as sender:
                    while not self.stopping or again:
                        if not again:
                            serial += 1
                            control_id, patients = f"K{number}-{serial}", tuple(chance.sample(mine, 2))
                            if chance.random() > 0.1:
                                patients = patients[:1]
                            again = message(control_id, *patients)
                            self.patients[control_id] = patients
                        control_id = field_of(again, b"MSH", 10)
                        self.sent.setdefault(control_id, time.monotonic())
                        answer = await sender.ask(again)
                        assert field_of(answer, b"MSA", 1) == "AA"
                        self.acked[control_id] = time.monotonic()
                        again = b""
            await until(lambda: self.stopping or listens(self.port))


def inversions(arrivals: list[str], load: Load) -> list[str]:
    """Messages that arrived after one of the same patient which was sent when they were already acknowledged."""
    newest: dict[str, float] = {}
    wrong, seen = [], set()
    for control_id in arrivals:
        if control_id in seen:
            continue
        seen.add(control_id)
        for patient in load.patients[control_id]:
            if load.acked.get(control_id, float("inf")) < newest.get(patient, 0.0):
                wrong.append(control_id)
            newest[patient] = max(newest.get(patient, 0.0), load.sent[control_id])
    return wrong


async def campaign(directory: Path, seed: int, kills: int, *, of_writer: bool = False) -> None:
    port, chance = free_port(), random.Random(seed)

    def reply(raw: bytes) -> bytes | None:
        return None if chance.random() < 0.002 else plain_ack(raw)

    async with receiver(reply) as dpi, contextlib.AsyncExitStack() as stack:
        routes = directory / "routes.yaml"
        routes.write_text(ROUTES.format(port=port, dpi=dpi.port), encoding="utf-8")
        engine = EngineProcess(routes, directory / "data")
        stack.callback(engine.stop)
        await asyncio.to_thread(engine.start)
        load = Load(port, seed)
        senders = [asyncio.create_task(load.send(number)) for number in range(CONNECTIONS)]
        for _ in range(kills):
            wanted = len(load.acked) + chance.randint(50, 600)
            with contextlib.suppress(AssertionError):  # a busy machine: killed in the middle it is all the same
                await until(lambda wanted=wanted: len(load.acked) >= wanted, 10)
            if of_writer:
                await asyncio.to_thread(engine.kill_writer)
            else:
                engine.kill()
            await asyncio.to_thread(engine.start)
        load.stopping = True
        await asyncio.gather(*senders)
        with contextlib.suppress(AssertionError):  # who is missing is told below
            await until(lambda: set(load.acked) <= {field_of(raw, b"MSH", 10) for raw in dpi.messages}, 60)
        arrivals = [field_of(raw, b"MSH", 10) for raw in dpi.messages]
        lost = set(load.acked) - set(arrivals)
        assert not lost, f"seed {seed}: {len(lost)} acknowledged messages never arrived, e.g. {sorted(lost)[:3]}"
        assert not inversions(arrivals, load), f"seed {seed}: {inversions(arrivals, load)[:5]}"
        twice = {control_id for control_id in arrivals if arrivals.count(control_id) > 1}
        for control_id in twice:
            await asyncio.to_thread(_assert_marked, engine, control_id, seed)
        (status,) = await asyncio.to_thread(engine.ask, "status")
        assert status["balance"]["difference"] == 0, status["balance"]
        assert await asyncio.to_thread(engine.stop) == 0


def _assert_marked(engine: EngineProcess, control_id: str, seed: int) -> None:
    history = ""
    for row in engine.ask("msg", "find", "--control-id", control_id):
        history += str(engine.ask("msg", "trace", row["id"]))
    assert "possible duplicate" in history, f"seed {seed}: {control_id} arrived twice and is not marked: {history}"


@pytest.mark.timeout(180)
def test_five_kills(tmp_path: Path) -> None:
    """Five kills under load."""
    asyncio.run(campaign(tmp_path, seed=20261122, kills=5))


@pytest.mark.timeout(180)
def test_two_kills_of_the_writer(tmp_path: Path) -> None:
    """The process that commits dies alone: the engine ends, and its next start finds everything."""
    asyncio.run(campaign(tmp_path, seed=7, kills=2, of_writer=True))


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", range(10))
def test_fifty_kills(tmp_path: Path, seed: int) -> None:
    """Fifty kills, five a campaign."""
    asyncio.run(campaign(tmp_path, seed=seed, kills=5))
