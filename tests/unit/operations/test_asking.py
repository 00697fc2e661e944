"""Code of the hospital's own, for trials in a thread."""

from __future__ import annotations

import asyncio

from engine.core.asking import Question, Reply
from engine.operations.asking import asker
from engine.operations.desk import Desk
from engine.store.memory import MemoryStore
from tests.unit.core.test_asking import question


class Echo:
    """Replies with the message's length."""

    async def ask(self, question: Question) -> Reply:
        await asyncio.sleep(0)
        return Reply([("PID-8", str(len(question.message)))])


def asked(sandbox: Echo | None) -> Reply:
    async def run() -> Reply:
        store = MemoryStore()
        desk = Desk(queries=store.queries, store=store, now_ms=lambda: 0, sandbox=sandbox)
        return await asyncio.to_thread(asker(desk), question())

    return asyncio.run(run())


def test_the_loop_replies_while_the_thread_waits():
    """A thread asks, the loop goes on and answers."""
    assert asked(Echo()) == Reply([("PID-8", "6")])


def test_without_a_sandbox():
    """A sentence, no exception."""
    assert asked(None).failure == "clean of c.py can't be called here"
