"""
Where the control socket lies: DIR/control.sock.

A Unix socket's path holds at most 107 bytes (unix(7)), data directories are often deeper: the directory is
opened first and the socket named through it, /proc/self/fd/N/control.sock. Nothing lies in /tmp, where
another user could put a socket of his own in our place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.errors import OperationRefused

SOCKET: Final = "control.sock"
PATH_BYTES_MAX: Final = 107


def not_allowed(directory: Path) -> OperationRefused:
    """Say that this account may not work in a data directory (exit code 77)."""
    sentence = f"this account may not use the engine of '{directory}': use root or the owner of the directory"
    return OperationRefused(sentence, exit_code=77)


@contextmanager
def socket_path(directory: Path) -> Iterator[str]:
    """
    Give a path of the control socket that is short enough to bind or connect, inside the `with` only.

    Args:
        directory: The data directory; it exists.

    Raises:
        OSError: The directory can't be opened.
    """
    path = str(directory / SOCKET)
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        yield path
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)
