"""
A real MQTT broker for tests: the one that PASSERELLE_TEST_MQTT (`host:port`) names, else amqtt in a process of its own.

Run as a script it is that process: `python broker.py PORT` prints `ready` and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 30.0


class Broker:
    """A broker that can go away and come back on the same address; unpacks to (host, port)."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = free_port()

    def __iter__(self) -> Iterator[str | int]:
        return iter((self.host, self.port))

    def start(self) -> None:
        """Be there; returns when connections are accepted."""
        raise NotImplementedError

    def stop(self) -> None:
        """Be away: connections are cut, new ones refused."""
        raise NotImplementedError

    def restart(self) -> None:
        """Go away and come back."""
        self.stop()
        self.start()


class OwnBroker(Broker):
    """amqtt, isolated in a process: its warnings and its log are not ours. Sessions live as long as the process."""

    def __init__(self) -> None:
        super().__init__()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__)), str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline().strip() if readable else ""
        if line != "ready":
            self.stop()
            raise RuntimeError(f"the test broker did not start within {START_SECONDS:g} s")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.stdout.close()


class NamedBroker(Broker):
    """A broker that runs elsewhere, behind a relay: the relay goes away and comes back, sessions stay."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._target = (host, port)
        self._listener: socket.socket | None = None
        self._sockets: set[socket.socket] = set()
        self._guard = threading.Lock()

    def start(self) -> None:
        self._listener = socket.create_server((self.host, self.port))
        threading.Thread(target=self._listen, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        with self._guard:
            listener, self._listener = self._listener, None
            sockets, self._sockets = self._sockets, set()
        for one in (listener, *sockets):
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection(self._target)
            with self._guard:
                gone = self._listener is not listener
                if not gone:
                    self._sockets |= {near, far}
            if gone:
                near.close()
                far.close()
                return
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with self._guard:
            mine = {source, target} & self._sockets
            self._sockets -= mine
        for one in mine:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def broker() -> Iterator[Broker]:
    """Give a broker that listens, as an object that unpacks to (host, port)."""
    named = os.environ.get("PASSERELLE_TEST_MQTT", "")
    host, _, port = named.rpartition(":")
    found: Broker = NamedBroker(host, int(port)) if named else OwnBroker()
    found.start()
    try:
        yield found
    finally:
        found.stop()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _serve(port: int) -> None:
    from amqtt.broker import Broker as Amqtt  # only in the process of its own

    served = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            # The plain one admits everybody; the "anonymous" one would also forget their sessions.
            "plugins": {"amqtt.plugins.base.BaseAuthPlugin": {}},
        }
    )
    await served.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await served.shutdown()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
