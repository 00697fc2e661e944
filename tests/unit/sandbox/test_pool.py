"""Workers as processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
import pytest

from engine.core.asking import Code, Question, Reply
from engine.sandbox.pool import Pool
from tests.support.until import until

TEXT = """
import os, subprocess, sys, time
def name(m): print("noise"); os.write(1, b"more"); m.write("PID-8", m.first("PID-5"))
def never(m):
    while True: pass
def stubborn(m):
    import signal
    for number in range(1, 30):
        try: signal.signal(number, signal.SIG_IGN)
        except OSError: pass
    while True: time.sleep(1)
def dies(m): os.kill(os.getpid(), 9)
def grows(m): [0] * 10**10
def pid(m): m.write("PID-8", str(os.getpid()))
def secrets(m): m.write("PID-8", str(sorted(os.environ)) + os.getcwd())
def children(m): subprocess.Popen(["sleep", "60"]); m.write("PID-8", "x"); time.sleep(60)
def slow(m): time.sleep(0.3); pid(m)
"""


def question(call: str, *, text: str = TEXT, timeout: float = 0.5, ipp: str = "9") -> Question:
    code = Code(
        file="c.py", text=text, call=call, reads=frozenset({"PID"}), writes=frozenset({"PID-8"}), timeout=timeout
    )
    facts = {"site": "cha", "source": "gam", "type": "ADT", "event": "A01", "control_id": "7", "rank": "0"}
    return Question(code, f"MSH|^~\\&\rPID|1||{ipp}||DOÉ\r".encode(), facts)


def with_pool(test: Callable[[Pool], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        pool = Pool()
        try:
            return await test(pool)
        finally:
            await pool.close()

    return asyncio.run(run())


def asked(*calls: str) -> list[Reply]:
    async def test(pool: Pool) -> list[Reply]:
        return [await pool.ask(question(call)) for call in calls]

    return with_pool(test)


def test_a_reply():
    """Whatever the function prints."""
    assert asked("name", "name") == [Reply([("PID-8", "DOÉ")])] * 2


@pytest.mark.parametrize("call", ["never", "stubborn"])
def test_what_never_returns_is_ended(call):
    """At its timeout, also when it ignores signals; the next call gets a new worker."""
    ended, fine = asked(call, "name")
    assert ended.failure == f"{call} of c.py didn't return within 0.5 s: it was ended"
    assert fine.failure == ""


@pytest.mark.parametrize(
    ("call", "failure"), [("dies", "dies of c.py: the worker ended"), ("grows", "MemoryError at c.py:13")]
)
def test_what_breaks(call, failure):
    """A crash, and memory without end, cost one call."""
    broken, fine = asked(call, "name")
    assert broken.failure == failure
    assert fine.failure == ""


def test_a_file_that_does_not_load():
    """Its line is told, each time."""

    async def test(pool: Pool) -> list[str]:
        return [(await pool.ask(question("name", text="import nothing_at_all\n"))).failure for _ in range(2)]

    assert with_pool(test) == ["ModuleNotFoundError at c.py:1"] * 2


def test_no_secret_and_no_folder_of_ours():
    """The worker's environment has nothing of the engine's."""
    os.environ["PASSERELLE_SECRET_X"] = "1"
    try:
        [reply] = asked("secrets")
    finally:
        del os.environ["PASSERELLE_SECRET_X"]
    assert "PASSERELLE" not in str(reply.writes)
    assert str(reply.writes[0][1]).endswith("/")


def test_workers_are_kept_and_work_beside_one_another():
    """One after the other in one process; at the same time in several, no more than there may be."""

    async def test(pool: Pool) -> None:
        pids = [(await pool.ask(question("pid"))).writes[0][1] for _ in range(3)]
        assert len(set(pids)) == 1
        replies = await asyncio.gather(*(pool.ask(question("slow", timeout=30, ipp=str(n))) for n in range(6)))
        assert [reply.failure for reply in replies] == [""] * 6
        assert 1 < len({reply.writes[0][1] for reply in replies}) <= 4

    with_pool(test)


def test_nothing_is_left():
    """Neither the worker nor what it started, at a timeout and at the end."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    asked("children", "name")
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert [child.name() for child in left if child.status() != psutil.STATUS_ZOMBIE] == []
    sleepers = [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "60"]]
    assert [one for one in sleepers if one.ppid() in (1, os.getpid())] == []


def test_an_ask_that_is_cancelled_ends_its_worker():
    """The engine stops: nobody waits for a function."""

    async def test(pool: Pool) -> Reply:
        task = asyncio.create_task(pool.ask(question("never", timeout=30)))
        await until(lambda: pool._busy)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not pool._busy
        await pool.close()
        return await pool.ask(question("name"))

    assert with_pool(test).failure == "the engine stops"
