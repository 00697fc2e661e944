"""The control socket's client: ask a running engine, without a loop."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import h11

from engine.errors import OperationRefused, PasserelleError
from engine.operations.address import not_allowed, socket_path
from engine.operations.presence import running_pid

_READ_BYTES: Final = 65_536


class EngineAway(PasserelleError):
    """No engine answers on this data directory."""

    exit_code = 69


class EngineSilent(PasserelleError):
    """The engine was there, and went away or said nothing before it answered."""

    exit_code = 69


class Client:
    """
    One connection to a running engine; kept open for several requests.

    with Client(directory) as engine:
        engine.call("status")
    """

    def __init__(self, directory: Path, *, timeout: float = 60.0) -> None:
        """
        Connect.

        Args:
            directory: The data directory.
            timeout: Seconds that one answer may take.

        Raises:
            EngineAway: Nobody listens there.
            OperationRefused: The socket belongs to another account (exit code 77).
        """
        self._directory = directory
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._connection = h11.Connection(h11.CLIENT)
        try:
            with socket_path(directory) as path:
                self._socket.connect(path)
        except PermissionError:
            self._socket.close()
            raise not_allowed(directory) from None
        except OSError as error:
            self._socket.close()
            raise EngineAway(f"no engine answers on '{directory}'") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def require_alive(self, within: float) -> None:
        """
        Check that the engine's loop turns: any request is answered at once, an unknown one too.

        Args:
            within: Seconds that it may take.

        Raises:
            EngineSilent: It doesn't.
        """
        patience = self._socket.gettimeout()
        self._socket.settimeout(within)
        try:
            self._exchange("GET", "/", b"")
        except TimeoutError:
            pid = running_pid(self._directory)
            name = f"the engine (pid {pid})" if pid else "the engine"
            sentence = f"{name} is there but doesn't answer; `passerelle doctor` works beside it; restart the service"
            raise EngineSilent(sentence) from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise EngineSilent("the engine went away before it answered") from error
        self._socket.settimeout(patience)

    def call(self, operation: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """
        Ask for one operation.

        Args:
            operation: Its name (service.OPERATIONS).
            arguments: Its arguments; JSON values.

        Returns:
            Its answer.

        Raises:
            OperationRefused: The engine says no; with the exit code that it gives.
            EngineSilent: The engine went away before it answered, or did not in time.
        """
        body = json.dumps(dict(arguments or {})).encode()
        try:
            status, answer = self._exchange("POST", f"/v1/{operation}", body)
        except TimeoutError:
            raise EngineSilent("the engine did not answer in time; it may still carry out what was asked") from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise EngineSilent("the engine went away before it answered") from error
        if status != 200:
            raise OperationRefused(str(answer.get("error", "refused")), exit_code=int(answer.get("exit_code", 1)))
        return answer

    def _exchange(self, method: str, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if self._connection.our_state is h11.DONE:
            self._connection.start_next_cycle()
        headers = [("host", "passerelle"), ("content-length", str(len(body)))]
        for event in (
            h11.Request(method=method, target=target, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self._socket.sendall(self._connection.send(event) or b"")
        return self._read()

    def _read(self) -> tuple[int, dict[str, Any]]:
        status = 0
        body = bytearray()
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                self._connection.receive_data(self._socket.recv(_READ_BYTES))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                break
        answer = json.loads(body) if body else {}
        return status, answer if isinstance(answer, dict) else {}
