"""The engine's side of the workers: started when they are needed, ended when they don't return."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Any, Final

from engine.core.asking import Question, Reply
from engine.sandbox.frames import FRAME_MAX, LENGTH, frame, value_of

_WORKERS_MAX: Final = 4
_START_SECONDS: Final = 30.0
_CALLS_MAX: Final = 10_000
"""Then a worker is replaced: what its functions keep can't grow for ever."""


class WorkerLost(Exception):
    """The worker ended, or what it wrote is no reply."""


class _Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.calls = 0
        self.loaded: set[tuple[str, str]] = set()
        """Files and texts that it has in memory."""

    @classmethod
    async def start(cls) -> _Worker:
        """
        Start a process and wait until it takes calls.

        Raises:
            WorkerLost: It didn't come up.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", "engine.sandbox.worker",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"}, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise WorkerLost(f"no worker can be started: {error.strerror}") from None
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker._receive()
        except (TimeoutError, WorkerLost):
            await worker.end()
            raise WorkerLost("a worker didn't start") from None
        except BaseException:
            await worker.end()
            raise
        return worker

    async def call(self, value: dict[str, Any]) -> dict[str, Any]:
        """Send a call, wait for its reply."""
        self.calls += 1
        stdin = self._process.stdin
        assert stdin is not None, "it was started with a pipe"
        try:
            stdin.write(frame(value))
            await stdin.drain()
        except OSError:
            raise WorkerLost("the worker ended") from None
        return await self._receive()

    async def _receive(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None, "it was started with a pipe"
        try:
            (size,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
            if size > FRAME_MAX:
                raise WorkerLost("what it wrote is no reply")
            return value_of(await stdout.readexactly(size))
        except (asyncio.IncompleteReadError, ValueError):
            raise WorkerLost("the worker ended") from None

    async def end(self) -> None:
        """Kill it, with whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


class Pool:
    """core.asking.Sandbox: a few workers, for any function."""

    def __init__(self, workers_max: int = _WORKERS_MAX) -> None:
        """Begin without a process."""
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._places = asyncio.Semaphore(workers_max)
        self._closed = False

    async def ask(self, question: Question) -> Reply:
        """Call a function; see core.asking.Sandbox."""
        async with self._places:
            if self._closed:
                return Reply(failure="the engine stops")
            try:
                worker = self._idle.pop() if self._idle else await _Worker.start()
            except WorkerLost as lost:
                return Reply(failure=str(lost))
            self._busy.add(worker)
            try:
                reply = await self._called(worker, question)
            except BaseException:
                await worker.end()
                raise
            finally:
                self._busy.discard(worker)
            return reply

    async def _called(self, worker: _Worker, question: Question) -> Reply:
        code = question.code
        value = {
            "file": code.file, "text": code.text, "call": code.call, "timeout": code.timeout,
            "message": question.message.decode("utf-8", "surrogatepass"), "facts": dict(question.facts),
            "reads": sorted(code.reads), "writes": sorted(code.writes),
        }  # fmt: skip
        try:
            found = await self._loaded(worker, value)
            if found is None:
                async with asyncio.timeout(code.timeout):
                    found = await worker.call(value)
        except TimeoutError:
            await worker.end()
            return Reply(failure=f"{code.call} of {code.file} didn't return within {code.timeout:g} s: it was ended")
        except WorkerLost as lost:
            await worker.end()
            return Reply(failure=f"{code.call} of {code.file}: {lost}")
        if worker.calls < _CALLS_MAX and not self._closed:
            self._idle.append(worker)
        else:
            await worker.end()
        return _reply(found)

    async def _loaded(self, worker: _Worker, value: dict[str, Any]) -> dict[str, Any] | None:
        """Have a file run once in a worker, imports and all, apart from the time of its function; None: it is."""
        key = value["file"], value["text"]
        if key in worker.loaded:
            return None
        try:
            async with asyncio.timeout(_START_SECONDS):
                found = await worker.call(value | {"load": True, "timeout": _START_SECONDS})
        except TimeoutError:
            raise WorkerLost(f"it took more than {_START_SECONDS:g} s to load") from None
        if "failure" in found:
            return found
        worker.loaded.add(key)
        return None

    async def close(self) -> None:
        """End all workers; what is asked meanwhile is told so."""
        self._closed = True
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        for worker in workers:
            await worker.end()


def _reply(found: dict[str, Any]) -> Reply:
    failure = found.get("failure")
    if failure is not None:
        return Reply(failure=str(failure))
    return Reply([(str(path), None if text is None else str(text)) for path, text in found.get("writes", ())])
