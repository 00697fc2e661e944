"""Wait until something is so: tests never sleep for a time in which it ought to have happened."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_EVERY_SECONDS = 0.01
Seen = TypeVar("Seen")


async def until(
    seen: Callable[[], Seen | Awaitable[Seen]], seconds: float = 30.0, *, every: float = _EVERY_SECONDS
) -> Seen:
    """
    Look until `seen()` is true; return what it gave.

    Args:
        seen: A function or a coroutine function.
        seconds: How long to look: a bound for the loaded machine, not how long it takes.
        every: How often to look, seconds: seldom where a look is dear.

    Raises:
        AssertionError: It never was.
    """
    end = time.monotonic() + seconds
    while True:
        found = seen()
        found = await found if inspect.isawaitable(found) else found
        if found:
            return found
        assert time.monotonic() < end, f"not so after {seconds:g} s"
        await asyncio.sleep(every)


def wait_until(seen: Callable[[], Seen], seconds: float = 30.0) -> Seen:
    """Look until `seen()` is true, in a test without a loop; arguments, result and error as those of `until`."""
    end = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < end, f"not so after {seconds:g} s"
        time.sleep(_EVERY_SECONDS)
    return found
