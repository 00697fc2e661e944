"""
`passerelle run --demo`: the engine and the simulated GHT as child processes, and a live screen.

The parent owns the terminal: Ctrl-C reaches it alone, it then stops the GHT, then the engine, and ends
with 0. A child that dies ends the demo with the sentence that it left.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

from engine.errors import PasserelleError, StoreLocked
from engine.operations.client import Client
from engine.operations.presence import running_pid
from engine.routes import load
from engine.simulation.screen import draw, one_line

REFRESH_SECONDS: Final = 0.5
LINE_SECONDS: Final = 5.0
"""Between two lines where stdout is no terminal."""
STOP_SECONDS: Final = 15.0
"""A child that has not ended by then is killed."""
_PR_SET_PDEATHSIG: Final = 1


class ChildDied(PasserelleError):
    """A child of the demo ended by itself; the sentence is its own."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class Child:
    """One process of the demo; what it writes to stderr goes to a file, whose end says why it died."""

    def __init__(self, name: str, arguments: list[str], log: Path, *, piped: bool = False) -> None:
        """
        Start it.

        Args:
            name: For sentences.
            arguments: After `python`.
            log: Gets what it writes.
            piped: Whether its stdout is read with `lines`.
        """
        self.name = name
        self._log = log
        self._rest = b""
        with log.open("wb") as output:
            # A group of its own: Ctrl-C is for the parent. It ends with the parent, even if that is killed.
            self._process = subprocess.Popen(  # noqa: S603  # our own modules
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # no threads here
            )
        if piped:
            os.set_blocking(self._pipe().fileno(), False)

    def lines(self) -> Iterator[bytes]:
        """Give whole lines written since the last call; never waits."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._pipe().fileno(), 65536):
                self._rest += data
        *whole, self._rest = self._rest.split(b"\n")
        yield from whole

    def check(self) -> None:
        """
        Look whether it lives.

        Raises:
            ChildDied: It ended by itself.
        """
        code = self._process.poll()
        if code is None:
            return
        if code < 0:
            ended = f"{self.name} was ended from outside ({signal.Signals(-code).name})"
            raise ChildDied(f"{ended}: the demo ends too; the log is {self._log}", 1)
        written = self._log.read_text(errors="replace").strip().splitlines()
        sentence = written[-1] if written else f"{self.name} ended with code {code} and said nothing"
        raise ChildDied(sentence, code if 0 < code < 128 else 1)

    def stop(self) -> None:
        """Ask it to end, wait, kill it in the end."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _pipe(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout


def run_demo(routes: Path, data: Path, *, rate: float = 8.0, seed: int | None = None, seconds: float = 0.0) -> int:
    """
    Run the engine, the simulated group and the screen until Ctrl-C.

    Args:
        routes: routes.yaml.
        data: Data directory.
        rate: Messages a second.
        seed: Of the story; None: another one each time.
        seconds: End by itself after that; 0: never.

    Returns:
        0 after Ctrl-C; 78 without routes.yaml; the exit code of a child that died.

    Raises:
        ConfigurationRefused: routes.yaml has findings.
        StoreLocked: An engine runs on this data directory.
    """
    if not routes.is_file():
        sys.stderr.write(f"there is no '{routes}': go to the project's directory, or give --routes PATH\n")
        return 78
    _require_nobody(data)
    load(routes, environment=os.environ)  # what is wrong with it is told before anything starts
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    children: list[Child] = []
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        engine = _engine(routes, data)
        children.append(engine)
        _wait_until_ready(engine, data)
        group = _group(routes, data, rate, int(time.time()) if seed is None else seed)
        children.append(group)
        _watch(children, group, data, time.monotonic() + seconds if seconds else float("inf"))
    except KeyboardInterrupt:
        sys.stdout.write("ending…\n")
    except ChildDied as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    finally:
        signal.signal(signal.SIGTERM, before)
        _stop_all(children)
    return 0


def _engine(routes: Path, data: Path) -> Child:
    run = ["-m", "engine", "run", "--routes", str(routes), "--data", str(data)]
    return Child("the engine", run, data / "demo-engine.log")


def _group(routes: Path, data: Path, rate: float, seed: int) -> Child:
    play = ["-m", "engine.simulation", "--routes", str(routes), "--rate", str(rate), "--seed", str(seed), "--json"]
    return Child("the simulated GHT", play, data / "demo-ght.log", piped=True)


def _require_nobody(data: Path) -> None:
    """
    Check that no engine runs here: its screen would show that one, and its GHT would send to it.

    Raises:
        StoreLocked: One does.
    """
    if _status(data) is not None:
        pid = running_pid(data)
        name = f"an engine (process {pid})" if pid else "an engine"
        sentence = (
            f"{name} runs already on the data directory '{data}': stop it first, or name another one (--data DIR)"
        )
        raise StoreLocked(sentence)


def _watch(children: list[Child], group: Child, data: Path, until: float) -> None:
    status: dict[str, Any] | None = None
    figures: dict[str, Any] | None = None
    try:
        with _display() as show:
            while time.monotonic() < until:
                for child in children:
                    child.check()
                for line in group.lines():
                    figures = json.loads(line)
                status = _status(data)
                show(status, figures)
                time.sleep(REFRESH_SECONDS)
    finally:
        if status is not None:  # the live screen is gone: leave its last word
            sys.stdout.write(one_line(status, figures) + "\n")


def _wait_until_ready(engine: Child, data: Path, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        engine.check()
        if _status(data) is not None:
            return
        time.sleep(0.05)


def _status(data: Path) -> dict[str, Any] | None:
    """Ask a running engine; None while it starts or is busy."""
    try:
        with Client(data, timeout=5.0) as engine:
            return engine.call("status")
    except PasserelleError:
        return None


Show = Callable[[dict[str, Any] | None, dict[str, Any] | None], None]


@contextlib.contextmanager
def _display() -> Iterator[Show]:
    """Give a live screen on a terminal, a line now and then elsewhere."""
    if not sys.stdout.isatty():
        yield _lines()
        return
    from rich.live import Live

    with Live(draw(None, None), auto_refresh=False, screen=True) as live:
        yield lambda status, group: live.update(draw(status, group), refresh=True)


def _lines() -> Show:
    last = float("-inf")

    def show(status: dict[str, Any] | None, group: dict[str, Any] | None) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            sys.stdout.write(one_line(status, group) + "\n")
            sys.stdout.flush()

    return show


def _stop_all(children: list[Child]) -> None:
    """Stop the last started first; a second Ctrl-C meanwhile changes nothing."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for child in reversed(children):
            child.stop()
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    """In the child: SIGTERM when the parent is gone (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
