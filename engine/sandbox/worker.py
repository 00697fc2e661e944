"""
The worker process: `python -I -m engine.sandbox.worker`.

Reads calls from stdin, runs the hospital's function, writes replies to stdout; ends when stdin does, when the engine
dies, or when a call takes longer than it may. What the function prints goes nowhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Mapping
from typing import Any, BinaryIO, Final

from engine.errors import ParseError, PathError, StepFailed
from engine.parsers import open_message
from engine.parsers.paths import Path
from engine.sandbox.frames import LENGTH, frame, value_of

_MEMORY_BYTES: Final = 1 << 30
_FILES: Final = 64
_DIE_WITH_PARENT: Final = 1
"""prctl(2): PR_SET_PDEATHSIG."""
_SLACK_SECONDS: Final = 5.0
"""The engine ends a worker that is late; this ends it where the engine can't."""


class NotDeclared(Exception):
    """The function did what the route doesn't say, or asked for what is no path."""

    def __init__(self, path: object, named: str, unnamed: str) -> None:
        """
        Keep what is told.

        Args:
            path: As the function gave it.
            named: The sentence where it stands so in the function's file.
            unnamed: The sentence else: a path that was put together, or an argument at the wrong place, may hold a
                patient's value.
        """
        super().__init__(unnamed)
        self._path = path
        self._named = named

    def told(self, code: str) -> str:
        """Return the sentence for a function whose file holds this code."""
        return self._named if any(f"{mark}{self._path}{mark}" in code for mark in "'\"") else str(self)


class Given:
    """
    What a function of the hospital's gets: the segments under `reads`, and the paths under `writes`.

    Attributes:
        site, source, type, event, control_id: Of the message received.
        rank: Of this part of a message that was split, from 1; 0: it wasn't.
    """

    def __init__(self, raw: bytes, facts: Mapping[str, str], reads: Collection[str], writes: Collection[str]) -> None:
        self._message = open_message(raw, "auto", default_charset="utf-8", as_utf8=True)
        self._reads = frozenset(reads)
        self._allowed = frozenset(writes)
        self.site = facts["site"]
        self.source = facts["source"]
        self.type = facts["type"]
        self.event = facts["event"]
        self.control_id = facts["control_id"]
        self.rank = int(facts["rank"])
        self.written: list[tuple[str, str | None]] = []

    def first(self, path: str) -> str:
        """Return the first value of a path, "" when there is none."""
        return self._path(path).first(self._message)

    def read(self, path: str) -> list[str]:
        """Return all values of a path (`OBX[*]-5`); HL7's null is `""` (two characters)."""
        return self._path(path).read(self._message)

    def write(self, path: str, text: str) -> None:
        """Write a text to a path under `writes`; `""` (two characters) is HL7's null."""
        self._note(path, str(text))

    def delete(self, path: str) -> None:
        """Empty a path under `writes`."""
        self._note(path, None)

    def _note(self, path: str, text: str | None) -> None:
        if path not in self._allowed:
            raise NotDeclared(path, f"{path} isn't under writes", "it writes a path that isn't under writes")
        self.written.append((path, text))
        # what was written is read back, where that can be seen
        with contextlib.suppress(StepFailed, PathError):
            parsed = Path.parse(path)
            if parsed.segment in self._reads and not parsed.authorities:
                parsed.delete(self._message) if text is None else parsed.write(self._message, text)

    def _path(self, text: str) -> Path:
        try:
            path = Path.parse(text)
        except PathError as error:
            raise NotDeclared(text, str(error), "it reads what is no path") from None
        if path.authorities:
            hint = "write the component with its type: PID-3[5=PI].1"
            raise NotDeclared(text, f"{text} names an authority; {hint}", f"it reads by an authority; {hint}")
        if path.segment not in self._reads:
            unnamed = "it reads a path whose segment isn't under reads"
            raise NotDeclared(text, f"{path.segment or text} isn't under reads", unnamed)
        return path


def main() -> None:
    """Serve until stdin ends."""
    calls, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    _limit()
    _send(replies, {"ready": True})
    loaded: dict[tuple[str, str], dict[str, Any]] = {}
    while (call := _receive(calls)) is not None:
        signal.setitimer(signal.ITIMER_REAL, float(call["timeout"]) + _SLACK_SECONDS)
        reply = run(call, loaded)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(replies, reply)


def run(call: Mapping[str, Any], loaded: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """
    Run one call.

    Args:
        call: file, text, call, message, facts, reads, writes; with `load` the file is only loaded.
        loaded: Modules by file and text, kept from call to call.

    Returns:
        `writes`, or `failure`: type and line, no value.
    """
    file = str(call["file"])
    try:
        function = _function(file, str(call["text"]), str(call["call"]), loaded)
        if call.get("load"):
            return {"writes": []}
        given = Given(call["message"].encode("utf-8", "surrogatepass"), call["facts"], call["reads"], call["writes"])
        function(given)
        return {"writes": given.written}
    except NotDeclared as error:
        return {"failure": f"{error.told(str(call['text']))} ({_place(error, file)})"}
    except (ParseError, MemoryError, RecursionError, Exception, SystemExit) as error:
        return {"failure": f"{type(error).__name__} at {_place(error, file)}"}


def _function(
    file: str, text: str, name: str, loaded: dict[tuple[str, str], dict[str, Any]]
) -> Callable[[Given], object]:
    module = loaded.get((file, text))
    if module is None:
        module = loaded[file, text] = {"__name__": file, "__file__": file}
        try:
            exec(compile(text, file, "exec"), module)  # noqa: S102 - that is what a worker is for
        except BaseException:
            del loaded[file, text]
            raise
    function: Callable[[Given], object] = module[name]
    return function


def _place(error: BaseException, file: str) -> str:
    """Return the last line of the hospital's own file on the way to the error."""
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == file]
    return f"{file}:{lines[-1]}" if lines else file


def _limit() -> None:
    """Bound what a fault can take from the machine, and die with the engine."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C on a terminal is the engine's
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def _receive(calls: BinaryIO) -> dict[str, Any] | None:
    head = calls.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    data = calls.read(size)
    return value_of(data) if len(data) == size else None


def _send(replies: BinaryIO, value: dict[str, Any]) -> None:
    replies.write(frame(value))
    replies.flush()


if __name__ == "__main__":
    main()
