"""An idle connection is asked for from time to time."""

from __future__ import annotations

import socket
from typing import Any

from engine.transports.keepalive import keep_alive


class Transport:
    def __init__(self, peer: socket.socket | None) -> None:
        self.peer = peer

    def get_extra_info(self, name: str) -> Any:
        return self.peer if name == "socket" else None


def test_the_system_asks_after_minutes() -> None:
    """Not after two hours; without a socket (a test's transport) nothing happens."""
    with socket.socket() as peer:
        keep_alive(Transport(peer))  # type: ignore[arg-type]
        assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        waits = [peer.getsockopt(socket.IPPROTO_TCP, one) for one in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)]
        assert waits[0] + waits[1] * peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) < 300
    keep_alive(Transport(None))  # type: ignore[arg-type]
