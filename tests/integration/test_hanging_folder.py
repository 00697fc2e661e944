"""The folder of a destination hangs: people hear of it, nothing is sent twice, and it goes on by itself."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from engine.flow.delivery import overdue
from engine.transports.directory import destination
from tests.support.engine import free_port, running_engine
from tests.support.mllp import Sender
from tests.support.until import until

ROUTES = """
version: 1
sites:
  cha: {{ finess_eg: "000780064" }}
sources:
  gam: {{ type: mllp, site: cha, listen: 127.0.0.1:{port} }}
destinations:
  archive: {{ type: directory, path: {folder} }}
routes:
  all: {{ from: [gam], to: [archive] }}
"""


def test_a_share_that_hangs_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert that lasts, and a state; each message is one file when the share answers."""
    answers, write = threading.Event(), destination.write_durably

    def hang(path: Path, data: bytes) -> None:
        answers.wait(120)
        write(path, data)

    monkeypatch.setattr(destination, "write_durably", hang)
    monkeypatch.setattr(overdue, "SILENT_SECONDS", 0.2)
    folder, port = tmp_path / "share", free_port()
    folder.mkdir()

    async def run() -> None:
        async with running_engine(ROUTES.format(port=port, folder=folder), tmp_path) as engine:

            def alerts() -> list[tuple[str, str]]:
                return [(one["code"], one["subject"]) for one in engine.service.engine()["alerts"]["open"]]

            try:
                async with Sender.connected(port) as sender:
                    for number in range(3):
                        await sender.ask(
                            f"MSH|^~\\&|GAM|CHA|||2026||ADT^A01|{number}|P|2.5\rPID|1||{number}\r".encode()
                        )
                await until(lambda: alerts() == [("outage", "archive")])
                facts = engine.service.destinations()["archive"]
                assert facts["state"] == "down"
                assert facts["why"].startswith("archive has not answered for ")
            finally:
                answers.set()
            await engine.settled(delivered=3)
            await until(lambda: alerts() == [])
            assert engine.service.destinations()["archive"]["state"] == "ok"

    asyncio.run(run())
    assert len(list(folder.iterdir())) == 3
