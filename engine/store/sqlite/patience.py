"""
Operators' questions while the writer says nothing: a stopped process, a disk that hangs.

A stage waits, because it must not find on a page what it will hear of later. An operator must not: what is on disk
is told as it is, and where not even that can be read, since when the store doesn't answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

LOOK_SECONDS: Final = 0.2
ASK_SECONDS: Final = 1.0
"""Silence after which a question is not kept waiting."""
SILENT_SECONDS: Final = 5.0
"""Silence that needs a person: no commit takes so long on a disk that is well."""


async def patiently(work: asyncio.Future[Any], silent_seconds: Callable[[], float]) -> bool:
    """
    Wait for some work as long as the writer gives signs of life.

    Returns:
        Whether it is done; where not, nobody need await it any more.
    """
    while not work.done():
        await asyncio.wait({work}, timeout=LOOK_SECONDS)
        if not work.done() and silent_seconds() >= ASK_SECONDS:
            work.add_done_callback(_forget)
            return False
    return True


def silence(seconds: float, since: str, pid: int) -> str:
    """Say that the store doesn't answer, since when, and what to do."""
    return (
        f"the store has not answered since {since} ({seconds:.0f} s): nothing is taken into custody, and nothing "
        f"leaves, until it does; its writer (process {pid}) is stopped, or its disk hangs: look at the disk, then "
        "restart the service"
    )


def _forget(work: asyncio.Future[Any]) -> None:
    if not work.cancelled():
        work.exception()
