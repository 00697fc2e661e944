"""The control socket: a round trip over a real Unix socket, who may use it, what a bad request gets."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
from pathlib import Path

import pytest

from engine.errors import DoorFailed
from engine.operations.address import SOCKET, socket_path
from engine.operations.client import Client, EngineAway
from engine.operations.control import ControlServer
from engine.operations.service import Operations
from tests.support.custody import NOW_MS, engine_in_thread, opened


def raw_request(directory: Path, request: bytes) -> tuple[int, dict[str, object]]:
    """Send bytes as they are; return the status and the body."""
    with socket_path(directory) as path, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(path)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        data = b""
        while chunk := connection.recv(65_536):
            data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def post(path: str, body: bytes = b"{}") -> bytes:
    """Return a request."""
    return b"POST %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (
        path.encode(), len(body), body,
    )  # fmt: skip


def test_only_root_and_the_owner_may_ask(tmp_path: Path) -> None:
    """Everybody else gets 403 and exit code 77, whatever is asked."""
    asked: list[int] = []

    def nobody(uid: int) -> bool:
        asked.append(uid)
        return False

    async def run() -> None:
        desk, store = await opened()
        server = ControlServer(tmp_path, Operations(desk), now_ms=lambda: NOW_MS, allowed=nobody)
        await server.open()
        status, answer = await asyncio.to_thread(raw_request, tmp_path, post("/v1/status"))
        assert (status, answer["exit_code"]) == (403, 77)
        assert "only root and the owner" in str(answer["error"])
        await server.close()
        await store.close()

    asyncio.run(run())
    assert asked == [os.getuid()], "the kernel says who asks"
    owner = ControlServer(tmp_path, Operations(None), now_ms=lambda: 0)  # type: ignore[arg-type]
    verdicts = [owner._owner_or_root(uid) for uid in (0, tmp_path.stat().st_uid, tmp_path.stat().st_uid + 12_345)]
    assert verdicts == [True, True, False]


def test_the_socket_is_closed_to_others_by_its_mode(tmp_path: Path) -> None:
    """A second wall behind the data directory's 0700."""
    with engine_in_thread(tmp_path):
        assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post("/v1/shutdown"), 400),
        (post("/"), 404),
        (b"GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 404),
        (post("/v1/status", b"{"), 400),
        (post("/v1/status", b"[]"), 400),
        (post("/v1/status", b'{"verbose": true}'), 400),
        (post("/v1/dead_show", b'{"id": "99"}'), 409),
        (post("/v1/dead_show", b'{"id": "' + b"9" * 4_100_000 + b'"}'), 413),
    ],
    ids=["unknown operation", "no operation", "GET", "no JSON", "no object", "unknown argument", "refused", "too long"],
)
def test_bad_requests_get_a_sentence(tmp_path: Path, request_: bytes, status: int) -> None:
    """Each has an answer that says what is wrong, and the server stays up."""
    with engine_in_thread(tmp_path):
        found, answer = raw_request(tmp_path, request_)
        assert found == status
        assert answer["error"]
        with Client(tmp_path) as engine:
            assert engine.call("status")["v"] == 1


def test_noise_ends_the_connection_only(tmp_path: Path) -> None:
    """Bytes that are no HTTP close their own connection."""
    with engine_in_thread(tmp_path):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / SOCKET))
            connection.sendall(b"\x0bMSH|^~\\&|\x1c\r\n\r\n")
            connection.settimeout(60)
            assert connection.recv(100) == b""
        with Client(tmp_path) as engine:
            assert engine.call("status")["v"] == 1


def test_a_fault_of_ours_is_answered_without_its_text(tmp_path: Path) -> None:
    """The exception's words may hold a value: only its class is told."""

    class Broken(Operations):
        async def call(self, *_: object, **__: object) -> dict[str, object]:
            raise KeyError("ZUBROWKA")

    async def run() -> None:
        server = ControlServer(tmp_path, Broken(None), now_ms=lambda: NOW_MS)  # type: ignore[arg-type]
        await server.open()
        status, answer = await asyncio.to_thread(raw_request, tmp_path, post("/v1/status"))
        assert status == 500
        assert "KeyError" in str(answer["error"])
        assert "ZUBROWKA" not in str(answer)
        await server.close()

    asyncio.run(run())


def test_it_works_under_uvloop(tmp_path: Path) -> None:
    """The daemon's loop is uvloop where it installs: the peer's uid and the long path work there too."""
    uvloop = pytest.importorskip("uvloop")
    deep = tmp_path / ("u" * 120)
    deep.mkdir()

    async def run() -> None:
        desk, store = await opened()
        server = ControlServer(deep, Operations(desk), now_ms=lambda: NOW_MS)
        await server.open()
        status, _ = await asyncio.to_thread(raw_request, deep, post("/v1/status"))
        assert status == 200
        await server.close()
        await store.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def test_a_socket_left_by_a_killed_run_is_replaced(tmp_path: Path) -> None:
    """The lock is ours, so the old socket is nobody's."""
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(tmp_path / SOCKET))
    with pytest.raises(EngineAway):
        Client(tmp_path)
    with engine_in_thread(tmp_path), Client(tmp_path) as engine:
        assert engine.call("status")["v"] == 1
    assert not (tmp_path / SOCKET).exists()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """Client and server each say so in their own words."""
    with pytest.raises(EngineAway):
        Client(tmp_path / "absent")
    server = ControlServer(tmp_path / "absent", Operations(None), now_ms=lambda: 0)  # type: ignore[arg-type]
    with pytest.raises(DoorFailed, match="can't be opened"):
        asyncio.run(server.open())


def test_a_full_disk_is_no_trouble_of_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon says which disk is full; a sentence about the socket would lead astray."""

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.operations.control.note_running", full)

    async def run() -> None:
        server = ControlServer(tmp_path, Operations(None), now_ms=lambda: 0)  # type: ignore[arg-type]
        with pytest.raises(OSError, match="No space left"):
            await server.open()
        await server.close()

    asyncio.run(run())
