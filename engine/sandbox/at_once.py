"""Workers for who can wait: commands and tests, which have no loop of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from engine.core.asking import Question, Reply
from engine.sandbox.pool import Pool


@contextlib.contextmanager
def workers() -> Iterator[Callable[[Question], Reply]]:
    """
    Give what replies to questions; no process is started before the first, and none is left.

    Not for threads with a running event loop.
    """
    runner: asyncio.Runner | None = None
    pool: Pool | None = None

    def ask(question: Question) -> Reply:
        nonlocal runner, pool
        if runner is None or pool is None:
            runner = asyncio.Runner()
            pool = runner.run(_pool())
        return runner.run(pool.ask(question))

    try:
        yield ask
    finally:
        if runner is not None and pool is not None:
            runner.run(pool.close())
            runner.close()


async def _pool() -> Pool:
    return Pool(workers_max=1)
