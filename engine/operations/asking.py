"""Code of the hospital's own, and today's cross-reference, for trials that run in a thread beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.core.asking import Question, Reply
from engine.core.identities import IdentityRows
from engine.identity.crossreference import Unread
from engine.operations.desk import Desk


def asker(desk: Desk) -> Callable[[Question], Reply]:
    """Return what replies to questions, to be called in any thread but the loop's."""
    sandbox, loop = desk.sandbox, asyncio.get_running_loop()

    def ask(question: Question) -> Reply:
        if sandbox is None:
            return Reply(failure=f"{question.code.call} of {question.code.file} can't be called here")
        return asyncio.run_coroutine_threadsafe(sandbox.ask(question), loop).result()

    return ask


class Today:
    """Whom the engine knows today (trials.patients.Rows), to be asked in any thread but the loop's."""

    def __init__(self, desk: Desk) -> None:
        """Read from a desk's store; called in the loop."""
        self._store = desk.store
        self._loop = asyncio.get_running_loop()

    def __call__(self, unread: Unread) -> IdentityRows:
        """Read rows."""
        wanted = self._store.identities(unread.identifiers, unread.patients, unread.traits)
        return asyncio.run_coroutine_threadsafe(wanted, self._loop).result()

    def next_patient(self) -> int:
        """Return the id that the next patient would get."""
        return asyncio.run_coroutine_threadsafe(self._store.identity_facts(), self._loop).result().next_patient
