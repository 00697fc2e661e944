"""The addresses on which sources listen: whether one can be had, and why not."""

from __future__ import annotations

import asyncio
import os
import socket

from engine.errors import DoorFailed
from engine.routes.configuration import Source


async def require_free(source: Source) -> None:
    """
    Check that a source's address can be listened on, without listening: a start that will fail is to change nothing.

    Args:
        source: A source of type `mllp`.

    Raises:
        DoorFailed: The address is in use or not ours.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            source.host, source.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as the loop's server has it
                probe.bind(address)  # refused where somebody listens
    except OSError as error:
        raise not_ours(source, error) from error


def not_ours(source: Source, error: OSError) -> DoorFailed:
    """Say which source can't listen where, why, and what to do."""
    # The loop adds the address to its own sentence; it stands in ours.
    reason = (os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)).lower()
    return DoorFailed(
        f"source {source.name}: can't listen on {source.host}:{source.port}: {reason}; "
        "stop the program that uses it, or change listen: in routes.yaml"
    )
