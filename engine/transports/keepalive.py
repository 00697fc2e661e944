"""A peer that is gone without a word is noticed in some minutes, where the system alone takes two hours."""

from __future__ import annotations

import socket
from asyncio import BaseTransport
from typing import Final

_IDLE_SECONDS: Final = 120
_BETWEEN_SECONDS: Final = 30
_PROBES: Final = 4


def keep_alive(transport: BaseTransport) -> None:
    """Let the system ask whether the other side of an idle connection is still there (tcp(7))."""
    peer = transport.get_extra_info("socket")
    if peer is None:
        return
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _IDLE_SECONDS), ("TCP_KEEPINTVL", _BETWEEN_SECONDS), ("TCP_KEEPCNT", _PROBES),
    ):  # fmt: skip
        if hasattr(socket, name):  # not on every system
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
