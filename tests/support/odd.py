"""An engine with one source, for odd senders."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.engine import RunningEngine, free_port, running_engine
from tests.support.mllp import Receiver, Sender, receiver

ROUTES = """
version: 1
sites:
  cha:
    finess_eg: "000780064"
    charset: ISO-8859-1
    authorities:
      ipp: {{ oid: 1.2.250.1.999.10.1, hd1: CHA-IPP, hd3: ISO, type: PI }}
sources:
  gam:
    type: mllp
    site: cha
    listen: 127.0.0.1:{port}
    {source}
destinations:
  dpi:
    type: mllp
    connect: 127.0.0.1:{dpi}
    encode: {{ control_id: as_received }}
routes:
  all:
    from: [gam]
    when: not type == XXX
    to: [dpi]
"""


A01 = (
    "MSH|^~\\&|GAM|CHA|PASSERELLE|GHT|20260102030405||ADT^A01^ADT_A01|{id}|P|2.5|||{acks}||{charset}\r"
    "EVN||20260102030405\r"
    "PID|1||{ipp}^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI||TESTÉ^Hélène^^^^^L||19850712|F\r"
    "PV1|1|I|UF1\r"
)


def a01(
    control_id: str, *, charset: str = "UNICODE UTF-8", codec: str = "utf-8", ipp: str = "42", acks: str = "|"
) -> bytes:
    return A01.format(id=control_id, charset=charset, ipp=ipp, acks=acks).encode(codec)


class Case:
    """An engine, its receiver, and a way to talk to it."""

    def __init__(self, engine: RunningEngine, dpi: Receiver, port: int) -> None:
        self.engine, self.dpi, self.port = engine, dpi, port

    async def connect(self) -> Sender:
        return await Sender.connect(self.port)

    async def ask(self, message: bytes, *, byte_by_byte: bool = False) -> bytes:
        sender = await self.connect()
        answer = await sender.ask(message, byte_by_byte=byte_by_byte)
        await sender.close()
        return answer


@contextlib.asynccontextmanager
async def case(directory: Path, source: str = "dedupe: 10m") -> AsyncIterator[Case]:
    port = free_port()
    async with (
        receiver() as dpi,
        running_engine(ROUTES.format(port=port, dpi=dpi.port, source=source), directory) as engine,
    ):
        yield Case(engine, dpi, port)


BOTH_WAYS = pytest.mark.parametrize("byte_by_byte", [False, True], ids=["one write", "byte by byte"])
