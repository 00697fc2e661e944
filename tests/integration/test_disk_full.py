"""The disk is full, or nearly: nothing is acknowledged, nothing is lost, it is said, and it resumes by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.daemon import listening, service
from engine.errors import StoreUnavailable
from engine.observability.metrics import exposition
from engine.store.sqlite import SqliteStore
from engine.store.sqlite.directory import DataDirectory
from tests.support.engine import free_port, running_engine
from tests.support.mllp import Sender, field_of, framed, receiver
from tests.support.until import until

ROUTES = """
version: 1
sites:
  cha: {{ finess_eg: "000780064" }}
sources:
  waits: {{ type: mllp, site: cha, listen: "127.0.0.1:{waits}" }}
  says: {{ type: mllp, site: cha, listen: "127.0.0.1:{says}", when_unavailable: ar }}
destinations:
  dpi:
    type: mllp
    connect: "127.0.0.1:{dpi}"
    encode: {{ control_id: as_received }}
    contact: {{ name: Bureau du DPI, phone: "5555" }}
routes:
  all: {{ from: [waits, says], to: [dpi] }}
"""


def message(control_id: str) -> bytes:
    return f"MSH|^~\\&|G|C|||2026||ADT^A01|{control_id}|P|2.5\rPID|1||42\r".encode()


def test_nearly_full_and_well_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wait`: no answer until there is room, then AA; `ar`: the sender is told at once."""
    room = [10**12]
    monkeypatch.setattr(DataDirectory, "free_bytes", lambda self: room[0])
    # The writer must see our disk, not the real one: in this process, then.
    monkeypatch.setattr(service, "SqliteStore", lambda path, *, min_free, apart: SqliteStore(path, min_free=min_free))

    async def run() -> None:
        waits, says = free_port(), free_port()
        async with (
            receiver() as dpi,
            running_engine(
                ROUTES.format(waits=waits, says=says, dpi=dpi.port), tmp_path, min_free_bytes=10**9
            ) as engine,
            Sender.connected(waits) as patient,
            Sender.connected(says) as told,
        ):
            assert field_of(await patient.ask(message("A1")), b"MSA", 1) == "AA"
            room[0] = 10**6
            answer = ""
            while answer != "AR":  # the disk is looked at once a second
                answer = field_of(await told.ask(message("B1")), b"MSA", 1)
            await patient.write(framed(message("A2")))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5):
                    await patient.reader.readexactly(1)
            room[0] = 10**12
            assert field_of(await patient.answer(), b"MSA", 2) == "A2"
            for control_id in ("A1", "A2"):  # by name: a fast machine asked with B1 a thousand times
                assert await engine.queries.find_messages(control_id=control_id)
            await dpi.wait_for(2)

    asyncio.run(run())


def test_a_full_disk_is_said_and_nobody_else_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence in status, alert and metric; no paused source, no outage, no contact beside it. Then it is over."""
    room = [10**12]
    monkeypatch.setattr(DataDirectory, "free_bytes", lambda self: room[0])
    monkeypatch.setattr(service, "SqliteStore", lambda path, *, min_free, apart: SqliteStore(path, min_free=min_free))
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.02)

    async def run() -> None:
        waits, says, away = free_port(), free_port(), free_port()
        routes = ROUTES.format(waits=waits, says=says, dpi=away)
        async with running_engine(routes, tmp_path) as engine, Sender.connected(waits) as patient:

            async def status() -> dict[str, Any]:
                return await engine.service._operations.call("status", {}, who="test")

            async def is_down() -> bool:
                return any(one["code"] == "outage" for one in (await status())["alerts"])

            await patient.ask(message("A1"))
            await until(is_down, 15)
            assert "5555" in str((await status())["problems"])
            room[0] = 4_096
            engine.service._sources._intake._trouble(StoreUnavailable("database or disk is full"))

            async def only_the_disk() -> bool:
                return [one["code"] for one in (await status())["alerts"]] == ["E-DISK-FULL"]

            await until(only_the_disk, 15)
            told = await status()
            (problem,) = told["problems"]
            assert problem.startswith(f"the disk of {tmp_path / 'data'} is full (0 of ")
            assert problem.endswith(" free): make room; nothing that was acknowledged is lost")
            assert told["destinations"][0]["why"] == problem
            assert "5555" not in str(told)
            assert "passerelle_disk_short 1\n" in exposition(told)
            assert "passerelle_disk_free_bytes 4096\n" in exposition(told)
            room[0] = 10**12
            engine.service._sources._intake._trouble(None)
            await until(is_down, 15)
            assert "passerelle_disk_short 0\n" in exposition(await status())
            assert "the disk" not in str((await status())["problems"])

    asyncio.run(run())
