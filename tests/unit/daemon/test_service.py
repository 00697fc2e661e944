"""The engine's life: what ends it, and what it takes up at its start."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from engine.core.changes import Receive
from engine.core.messages import StoredMessage
from engine.core.ports import Urgency
from engine.daemon import service as daemon
from engine.daemon.service import Service
from engine.errors import DoorFailed
from engine.routes.configuration import Configuration
from engine.routes.loader import load
from engine.settings import Settings
from engine.store.sqlite import SqliteStore
from tests.support.engine import free_port, running_engine
from tests.support.hall import adt
from tests.support.mllp import Sender, receiver

ROUTES = """
sites:
  cha: {{ label: Hospital A }}
sources:
  gam:
    type: mllp
    site: cha
    listen: 127.0.0.1:{port}
destinations:
  dpi:
    type: mllp
    connect: 127.0.0.1:{dpi}
routes:
  all:
    from: [gam]
    to: [dpi]
"""


def routes() -> str:
    return ROUTES.format(port=free_port(), dpi=free_port())


def test_messages_of_a_group_without_sources_become_dead_letters(tmp_path: Path) -> None:
    """A source that was removed while messages waited: they are dead letters of it, they don't wait for ever."""

    async def run() -> None:
        store = SqliteStore(tmp_path / "data", min_free=0)
        await store.open(now_ms=1_000)
        message = StoredMessage("old", "old_group", b"MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\r", 1_000)
        store.submit(Receive(message), Urgency.NOW)
        await store.close()
        async with running_engine(routes(), tmp_path) as engine:
            await engine.settled(dead=1)
            (row,) = await engine.messages()
            assert (row["code"], row["group"]) == ("E-SOURCE", "old_group")

    asyncio.run(run())


def test_a_start_whose_port_is_taken_changes_nothing(tmp_path: Path) -> None:
    """It never ran: the log of configurations says what ran before, and the engine is stopped since then."""

    async def run() -> None:
        async with running_engine(first_routes, tmp_path) as engine:
            (first,) = (await engine.call("config_log"))["rows"]
        stopped = (tmp_path / "data" / "presence").read_text("utf-8")
        with socket.create_server(("127.0.0.1", free_port())) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(DoorFailed, match=rf"source gam: can't listen on 127.0.0.1:{port}: address already in"):
                async with running_engine(ROUTES.format(port=port, dpi=free_port()), tmp_path):
                    raise AssertionError("it can't run")
        assert (tmp_path / "data" / "presence").read_text("utf-8") == stopped
        async with running_engine(first_routes, tmp_path) as engine:
            assert (await engine.call("config_log"))["rows"] == [first]

    first_routes = routes()
    asyncio.run(run())


def test_a_first_start_whose_port_is_taken_leaves_no_configuration_behind(tmp_path: Path) -> None:
    """`plan` would compare with it, and `rollback` go back to it."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", free_port())) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(DoorFailed):
                async with running_engine(ROUTES.format(port=port, dpi=free_port()), tmp_path):
                    raise AssertionError("it can't run")
        store = SqliteStore(tmp_path / "data", min_free=0)
        await store.open(now_ms=1_000)
        assert await store.queries.takeovers(limit=5) == []
        await store.close()

    asyncio.run(run())


def test_a_broken_store_stops_the_engine(tmp_path: Path) -> None:
    """It stops by itself with exit code 1: the service manager starts it again, and the store is read anew."""

    async def run() -> int:
        file = tmp_path / "routes.yaml"
        file.write_text(routes(), encoding="utf-8")
        settings = Settings(routes=file, data=tmp_path / "data", min_free_bytes=0, log_level="error")
        service = Service(settings, load(file, environment={}))
        running = asyncio.create_task(service.run())
        await service.ready.wait()
        service._store.submit(object(), Urgency.NOW)  # type: ignore[arg-type]  # no change: a defect of the writer
        return await asyncio.wait_for(running, 60)

    assert asyncio.run(run()) == 1


def test_a_broken_store_waits_for_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could write it down: a receiver that is silent must not delay the next start."""
    monkeypatch.setattr(daemon, "_STOP_SECONDS", 3_600.0)

    async def run() -> int:
        file, port = tmp_path / "routes.yaml", free_port()
        async with receiver(lambda _: None) as dpi:
            file.write_text(ROUTES.format(port=port, dpi=dpi.port), encoding="utf-8")
            settings = Settings(routes=file, data=tmp_path / "data", min_free_bytes=0, log_level="error")
            service = Service(settings, load(file, environment={}))
            running = asyncio.create_task(service.run())
            await service.ready.wait()
            async with Sender.connected(port) as sender:
                await sender.ask(adt())
            await dpi.wait_for(1)
            service._store.submit(object(), Urgency.NOW)  # type: ignore[arg-type]  # no change: a defect of the writer
            return await asyncio.wait_for(running, 20)

    assert asyncio.run(run()) == 1


def test_secrets_are_read_in_the_data_directory_of_this_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--data` says where the secrets are, whatever PASSERELLE_DATA says."""
    seen: list[str] = []

    class Told:
        def __init__(self, settings: Settings, configuration: Configuration) -> None:
            seen.append(configuration.destinations["dpi"].host)

        async def run(self) -> int:
            return 0

    monkeypatch.setattr(daemon, "Service", Told)
    monkeypatch.setattr(daemon.logs, "configure", lambda **_: None)
    monkeypatch.delenv("PASSERELLE_DATA", raising=False)
    (tmp_path / "data" / "secrets").mkdir(parents=True)
    (tmp_path / "data" / "secrets" / "dpi_host").write_text("127.0.0.9", encoding="utf-8")
    file = tmp_path / "routes.yaml"
    file.write_text(routes().replace("connect: 127.0.0.1:", "connect: ${secret:dpi_host}:"), encoding="utf-8")
    assert daemon.main(Settings(routes=file, data=tmp_path / "data")) == 0
    assert seen == ["127.0.0.9"]
