"""`ack: after_route` with the verb `reject`, over a real socket: the sender is told, and nothing is kept for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.engine import free_port, running_engine
from tests.support.mllp import Sender, field_of, receiver

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }}
sources:
  gam: {{ type: mllp, site: cha, listen: 127.0.0.1:{port}, ack: after_route }}
destinations:
  dpi: {{ type: mllp, connect: 127.0.0.1:{dpi}, encode: {{ control_id: as_received }} }}
routes:
  before:
    from: [gam]
    to: [dpi]
    when: type == ADT
  checked:
    from: [gam]
    steps:
      - reject: {{ code: {code}, reason: "no place for {{event}}" }}
        when: PV1-3 is empty
    to: [dpi]
    on_no_match: filter
    when: type == ADT
"""


def a01(control_id: str, place: str) -> bytes:
    return (
        f"MSH|^~\\&|GAM|CHA|PASSERELLE|GHT|20260102030405||ADT^A01^ADT_A01|{control_id}|P|2.5\r"
        f"PID|1||42^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||TEST^HELENE||19850712|F\rPV1|1|I|{place}\r"
    ).encode()


def conversation(directory: Path, code: str) -> None:
    async def run() -> None:
        port = free_port()
        async with (
            receiver() as dpi,
            running_engine(ROUTES.format(port=port, dpi=dpi.port, code=code), directory) as engine,
            Sender.connected(port) as sender,
        ):
            for times in (1, 2):  # a sender that was told no may correct its tables and repeat: no duplicate
                answer = await sender.ask(a01("R1", ""))
                assert (field_of(answer, b"MSA", 1), field_of(answer, b"MSA", 2)) == (code, "R1")
                assert "no place for A01" in answer.decode()
                await engine.settled(rejected=times)
            answer = await sender.ask(a01("R2", "UF1"))
            assert field_of(answer, b"MSA", 1) == "AA"
            await engine.settled(rejected=2, delivered=1)
            sent = await dpi.wait_for(2)
            assert {field_of(one, b"MSH", 10) for one in sent} == {"R2"}
            rows = await engine.messages()
            assert [row["state"] for row in rows] == ["rejected", "rejected", "routed"]

    asyncio.run(run())


def test_an_error_is_answered_with_its_reason(tmp_path: Path) -> None:
    """AE with the sentence, message rejected, no delivery of any route; the same again is evaluated again."""
    conversation(tmp_path, "AE")


def test_a_rejection_is_answered_with_its_reason(tmp_path: Path) -> None:
    """The same with AR."""
    conversation(tmp_path, "AR")
