"""Code of the hospital's own, for trials that run in a thread beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.core.asking import Question, Reply
from engine.operations.desk import Desk


def asker(desk: Desk) -> Callable[[Question], Reply]:
    """Return what replies to questions, to be called in any thread but the loop's."""
    sandbox, loop = desk.sandbox, asyncio.get_running_loop()

    def ask(question: Question) -> Reply:
        if sandbox is None:
            return Reply(failure=f"{question.code.call} of {question.code.file} can't be called here")
        return asyncio.run_coroutine_threadsafe(sandbox.ask(question), loop).result()

    return ask
