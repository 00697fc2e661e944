"""The process's own limits: open files, and memory that goes back to the system."""

from __future__ import annotations

import ctypes
import resource
from typing import Final

_MMAP_THRESHOLD: Final = (-3, 256 * 1024)
_ARENAS_MAX: Final = (-8, 2)
"""Parameters of mallopt(3), glibc's malloc.h."""


def raise_open_files() -> int:
    """
    Allow as many open files as the system lets us have: each connection is one.

    The usual soft limit of 1,024 would end at some thousand senders, whatever `max_connections` says.

    Returns:
        The limit now in force.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def give_back_large_blocks() -> bool:
    """
    Make the C library give large blocks back to the system when they are freed.

    Its threshold grows with the largest block freed: after one 20 MB message all others come from a heap that
    only shrinks at its end. Fixed, a message's memory goes with the message. Few arenas, because the store's
    threads would each keep a heap of their own.

    Returns:
        Whether the C library has these settings (glibc does).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library: its own ways do
        return False
    return all(mallopt(*parameter) == 1 for parameter in (_MMAP_THRESHOLD, _ARENAS_MAX))
