"""A data directory that is copied and put back: no control id comes for another message."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from engine.daemon import destinations
from tests.support.engine import free_port, running_engine
from tests.support.mllp import Receiver, Sender, field_of, plain_ack, receiver
from tests.support.until import until

ROUTES = """
version: 1
sites: {{ cha: {{ finess_eg: "000780064", charset: UTF-8 }} }}
sources:
  gam: {{ type: mllp, site: cha, listen: "127.0.0.1:{port}" }}
destinations:
  dpi:
    type: mllp
    connect: 127.0.0.1:{dpi}
    order_by: none
    retry: {{ unknown: {{ first: 100ms, longest: 200ms }}, connect: {{ first: 100ms, longest: 200ms }} }}
  folder: {{ type: directory, path: out, order_by: none }}
routes:
  all: {{ from: [gam], to: [dpi, folder] }}
"""


def message(name: str) -> bytes:
    return f"MSH|^~\\&|GAM|CHA|||20260102||ADT^A01|{name}|P|2.5\rEVN||20260102\rPID|1||{name}\r".encode()


class Knowing:
    """A receiver that takes a control id once, and answers AA to its repetition without looking at it."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}
        self.repeated: list[str] = []
        self.silent = True

    def __call__(self, raw: bytes) -> bytes | None:
        control_id, patient = field_of(raw, b"MSH", 10), field_of(raw, b"PID", 3)
        if control_id in self.taken:
            self.repeated.append(patient)
        self.taken.setdefault(control_id, patient)
        return None if self.silent else plain_ack(raw)


def test_no_control_id_comes_again_after_a_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of a message is given again; its control id isn't, nor its file's name; a repetition keeps it."""
    monkeypatch.setattr(destinations, "_ANSWER_SECONDS", 0.2)
    knowing, port = Knowing(), free_port()
    (tmp_path / "out").mkdir()

    async def life(dpi: Receiver, name: str, **balance: int) -> list[int]:
        async with running_engine(ROUTES.format(port=port, dpi=dpi.port), tmp_path) as engine:
            async with Sender.connected(port) as sender:
                assert field_of(await sender.ask(message(name)), b"MSA", 1) == "AA"
            await dpi.wait_for(1)
            if balance:
                await engine.settled(**balance)
            return [row["place"] for row in await engine.messages()]

    async def test() -> None:
        async with receiver(knowing) as dpi:
            await life(dpi, "A1")
            shutil.copytree(tmp_path / "data", tmp_path / "backup")
            knowing.silent = False
            numbers = await life(dpi, "A2", delivered=2)
            shutil.rmtree(tmp_path / "data")
            shutil.copytree(tmp_path / "backup", tmp_path / "data")
            second = int(time.time())
            await until(lambda: int(time.time()) > second)  # a restore takes longer
            assert await life(dpi, "A3", delivered=2) == numbers

    asyncio.run(test())
    assert sorted(knowing.taken.values()) == ["A1", "A2", "A3"], "none was taken for a repetition of another"
    assert set(knowing.repeated) == {"A1"}, "of an unknown outcome: the same again"
    files = sorted(tmp_path.glob("out/*.hl7"))
    assert sorted(field_of(one.read_bytes(), b"PID", 3) for one in files) == ["A1", "A2", "A3"]
    assert all(one.stem.rpartition("-")[2].isalnum() and "_" not in one.stem for one in files)
