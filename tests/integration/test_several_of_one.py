"""Whole engines: a message that becomes several, and code of the hospital's own that never returns."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.engine import free_port, running_engine
from tests.support.mllp import Sender, field_of, receiver

ROUTES = """
version: 1
sites:
  cha:
    authorities: {{ ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, type: PI }} }}
sources:
  lis: {{ type: mllp, site: cha, listen: 127.0.0.1:{lis}, untyped: ipp }}
  gam: {{ type: mllp, site: cha, listen: 127.0.0.1:{gam}, untyped: ipp, routing: admissions }}
destinations:
  dpi: {{ type: mllp, connect: 127.0.0.1:{dpi}, connections: 4 }}
routes:
  results:
    from: [lis]
    steps:
      - split: {{ by: ORDER_OBSERVATION }}
      - python: {{ file: units.py, call: units, reads: [OBX], writes: [OBX-6], timeout: 1s }}
    to: [dpi]
  admissions: {{ from: [gam], to: [dpi] }}
"""
UNITS = """
def units(message):
    if message.first("OBX-5") == "13":
        while True:
            pass
    message.write("OBX-6", "g/dl")
"""
HEAD = "MSH|^~\\&|LIS|CHA|PASSERELLE|GHT|20260102030405||{kind}|{id}|P|2.5\rPID|1||{ipp}||TEST^HELENE||19850712|F\r"


def oru(control_id: str, *values: str) -> bytes:
    orders = "".join(f"OBR|{rank}||F{rank}\rOBX|1|NM|718-7||{value}\r" for rank, value in enumerate(values, 1))
    return (HEAD.format(kind="ORU^R01", id=control_id, ipp="42") + orders).encode()


def test_parts_and_code_that_never_returns(tmp_path: Path, monkeypatch) -> None:
    """The other parts leave in order, the other group isn't held up, the loop goes on, and the balance adds up."""
    monkeypatch.setenv("PASSERELLE_PYTHON", "yes")
    (tmp_path / "units.py").write_text(UNITS)

    async def run() -> None:
        ports = {"lis": free_port(), "gam": free_port()}
        async with (
            receiver() as dpi,
            running_engine(ROUTES.format(dpi=dpi.port, **ports), tmp_path) as engine,
            Sender.connected(ports["lis"]) as lis,
            Sender.connected(ports["gam"]) as gam,
        ):
            answer = await lis.ask(oru("R1", "12", "13", "14"))
            assert field_of(answer, b"MSA", 1) == "AA"
            admission = HEAD.format(kind="ADT^A01", id="A1", ipp="43") + "PV1|1|I\r"
            assert field_of(await gam.ask(admission.encode()), b"MSA", 1) == "AA"
            [first] = await dpi.wait_for(1)
            assert field_of(first, b"MSH", 9) == "ADT^A01"
            sent = await dpi.wait_for(3)
            parts = [one for one in sent if field_of(one, b"MSH", 9) == "ORU^R01"]
            assert [(field_of(one, b"OBX", 5), field_of(one, b"OBX", 6)) for one in parts] == [
                ("12", "g/dl"),
                ("14", "g/dl"),
            ]
            await engine.settled(dead=1, delivered=1)
            dead = await engine.call("dead_list")
            [row] = dead["rows"]
            assert (row["code"], row["part"]) == ("E-PYTHON", "2 of 3")
            assert "units of units.py didn't return within 1 s" in row["reason"]
            assert field_of(await lis.ask(oru("R2", "15")), b"MSA", 1) == "AA"
            await dpi.wait_for(4)
            status = await engine.call("status")
            assert status["balance"]["difference"] == 0

    asyncio.run(run())
