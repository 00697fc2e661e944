"""
The control socket's server: HTTP/1.1 on DIR/control.sock, one POST an operation.

    POST /v1/<operation>    {"argument": value…}  ->  200 {"v": 1, …}
                                                  ->  4xx/5xx {"v": 1, "error": sentence, "exit_code": n}

The kernel says who is at the other end (SO_PEERCRED, unix(7)): root and the owner of the data directory may
do all, everybody else gets 403. Nothing is logged here; acts and looks at bodies stand in the audit trail.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import pwd
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import h11

from engine.errors import DoorFailed, PasserelleError
from engine.operations.address import SOCKET, not_allowed, socket_path
from engine.operations.presence import note_running, note_stopped
from engine.operations.service import Operations

BODY_BYTES_MAX: Final = 4_000_000
_CONNECTIONS_MAX: Final = 64
_READ_BYTES: Final = 65_536
_IDLE_SECONDS: Final = 60.0
_CREDENTIALS: Final = struct.Struct("3i")
_STATUS: Final = {2: 400, 69: 503, 75: 503, 77: 403}
"""Exit code of an error -> HTTP status; 409 for the others."""


def user_name(uid: int) -> str:
    """Return the name of a user, or `uid 1234` when the system knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


class ControlServer:
    """Answer operators on the data directory's control socket; lives in the daemon's loop."""

    def __init__(
        self,
        directory: Path,
        operations: Operations,
        *,
        now_ms: Callable[[], int],
        allowed: Callable[[int], bool] | None = None,
    ) -> None:
        """
        Prepare.

        Args:
            directory: The data directory, already locked by this process.
            operations: What is asked.
            now_ms: Wall clock, for DIR/presence.
            allowed: Whether a uid may do all; default: root and the owner of the directory.
        """
        self._directory = directory
        self._operations = operations
        self._now_ms = now_ms
        self._allowed = allowed if allowed is not None else self._owner_or_root
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """
        Begin to listen.

        Raises:
            DoorFailed: The socket can't be made.
            OSError: There is no room on the disk.
        """
        try:
            with socket_path(self._directory) as path:
                (self._directory / SOCKET).unlink(missing_ok=True)  # of a run that was killed: we hold the lock
                listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                try:
                    listening.bind(path)
                    (self._directory / SOCKET).chmod(0o600)
                except OSError:
                    listening.close()
                    raise
            self._server = await asyncio.start_unix_server(self._converse, sock=listening)
            note_running(self._directory, self._now_ms())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # the disk is full, and the daemon says so
            sentence = f"the control socket {self._directory / SOCKET} can't be opened: {error.strerror}"
            raise DoorFailed(sentence) from error

    async def close(self) -> None:
        """Stop listening, end conversations, note a clean stop. May be called twice."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for conversation in list(self._conversations):
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await server.wait_closed()
        with contextlib.suppress(OSError):
            (self._directory / SOCKET).unlink(missing_ok=True)
            note_stopped(self._directory, self._now_ms())

    def _owner_or_root(self, uid: int) -> bool:
        return uid in (0, self._directory.stat().st_uid)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            if len(self._conversations) <= _CONNECTIONS_MAX:
                await self._requests(reader, writer)
        except (OSError, TimeoutError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the operator went away, or the engine stops: nothing is left to answer
        finally:
            self._conversations.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = _peer_uid(writer)
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=16_384)
        while True:
            request = await _next_event(connection, reader)
            if not isinstance(request, h11.Request):
                return
            body, size = bytearray(), 0
            while isinstance(event := await _next_event(connection, reader), h11.Data):
                size += len(event.data)
                if size <= BODY_BYTES_MAX:
                    body += event.data
                elif size > 16 * BODY_BYTES_MAX:
                    return
            if not isinstance(event, h11.EndOfMessage):
                return
            if size > BODY_BYTES_MAX:  # read to its end: a connection closed before that loses our answer
                status, answer = 413, {"v": 1, "error": "this request is too long", "exit_code": 2}
            else:
                status, answer = await self._answer(request, bytes(body), uid)
            _send(connection, writer, status, answer)
            await writer.drain()
            if connection.our_state is h11.MUST_CLOSE:
                return
            connection.start_next_cycle()

    async def _answer(self, request: h11.Request, body: bytes, uid: int) -> tuple[int, dict[str, Any]]:
        if not self._allowed(uid):
            sentence = f"{user_name(uid)} may not use this engine: only root and the owner of its data directory"
            return 403, {"v": 1, "error": sentence, "exit_code": 77}
        target = request.target.decode("ascii", "replace")
        if request.method != b"POST" or not target.startswith("/v1/"):
            return 404, {"v": 1, "error": "POST /v1/<operation> is all there is", "exit_code": 2}
        try:
            arguments = json.loads(body) if body else {}
        except ValueError:
            return 400, {"v": 1, "error": "the body is no JSON", "exit_code": 2}
        if not isinstance(arguments, dict):
            return 400, {"v": 1, "error": "the body is no JSON object", "exit_code": 2}
        try:
            return 200, await self._operations.call(target[4:], arguments, who=user_name(uid))
        except PasserelleError as error:
            exit_code = error.exit_code
            return _STATUS.get(exit_code, 409), {"v": 1, "error": str(error), "exit_code": exit_code}
        except Exception as error:
            sentence = f"the engine failed to answer {target[4:]} ({type(error).__name__}): a fault of Passerelle"
            return 500, {"v": 1, "error": sentence, "exit_code": 1}


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    peer = writer.get_extra_info("socket")
    packed = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(packed)[1])


async def _next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        async with asyncio.timeout(_IDLE_SECONDS):
            connection.receive_data(await reader.read(_READ_BYTES))
    return event


def _send(connection: h11.Connection, writer: asyncio.StreamWriter, status: int, answer: dict[str, Any]) -> None:
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
        writer.write(connection.send(event) or b"")


def may_use(directory: Path) -> None:
    """
    Check that this process may work in a data directory.

    Raises:
        OperationRefused: It belongs to somebody else (exit code 77).
    """
    try:
        owner = directory.stat().st_uid
    except PermissionError:
        raise not_allowed(directory) from None
    if os.geteuid() not in (0, owner):
        raise not_allowed(directory)
