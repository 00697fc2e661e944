"""The engine and its neighbours as children, memory, disk; every child ends with the context."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
ROUTES = ROOT / "bench" / "routes.yaml"
_WRITTEN = (":16661", ":16662")
"""Engine's and sink's port as bench/routes.yaml has them, for who runs it by hand."""


def _free_ports(number: int) -> list[int]:
    """Return ports on which nobody listens: several benchmarks may run at a time."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


ENGINE_PORT, SINK_PORT, SINK_CONTROL, FLOOR_PORT = _free_ports(4)


class CannotMeasure(Exception):
    """Something is missing for a measurement; the sentence says what."""


class Children:
    """Processes that end when this one does, whatever happens."""

    def __init__(self) -> None:
        """Begin without children."""
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, log: Path | IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        """Start a Python child in a group of its own, so that Ctrl-C reaches only us."""
        output = log.open("ab") if isinstance(log, Path) else subprocess.DEVNULL if log is None else log
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        if isinstance(log, Path):
            output.close()  # type: ignore[union-attr]  # the child has its own
        self._running.append(child)
        return child

    def end(self, child: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait; kill after 20 s."""
        if child.poll() is None:
            child.send_signal(number)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in self._running:
            self._running.remove(child)

    def end_all(self) -> None:
        """Kill whoever is left, with what they started: an engine's writer would write on into a folder that goes."""
        for child in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            self.end(child, signal.SIGKILL)


@contextlib.contextmanager
def children() -> Iterator[Children]:
    """Give children that end with the block, also on Ctrl-C and SIGTERM."""
    family = Children()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield family
    finally:
        family.end_all()


class Engine:
    """The measured engine, in a data directory of its own."""

    def __init__(self, family: Children, directory: Path, routes: Path = ROUTES, data: str = "data") -> None:
        """Keep where it works, and what it does; nothing runs yet."""
        self.directory = directory
        self.data = directory / data
        self._routes = _with_ports(routes, directory)
        self._family = family
        self._child: subprocess.Popen[bytes] | None = None
        self.peak_mb = 0.0

    def start(self) -> float:
        """
        Start it and return the seconds until it takes connections.

        Raises:
            CannotMeasure: It ended, or didn't listen within 30 s.
        """
        log, begin = self.directory / "engine.log", time.monotonic()
        self._child = self._family.start(
            "-m", "engine", "run", "--routes", str(self._routes), "--data", str(self.data), log=log
        )
        while not listens(ENGINE_PORT):
            if self._child.poll() is not None or time.monotonic() - begin > 30:
                text = log.read_text(errors="replace").strip().splitlines()
                raise CannotMeasure(f"the engine did not start: {text[-1] if text else 'no output'}")
            time.sleep(0.005)
        taken = time.monotonic() - begin
        threading.Thread(target=self._watch, args=(self._child,), daemon=True).start()
        return taken

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        if self._child is not None:
            self._family.end(self._child)

    def kill(self) -> None:
        """End it as a power cut would: at once, no farewell."""
        if self._child is not None:
            self._family.end(self._child, signal.SIGKILL)

    def size(self) -> int:
        """Bytes of its data directory."""
        return sum(path.stat().st_blocks * 512 for path in self.data.rglob("*") if path.is_file())

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        while child.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                self.peak_mb = max(self.peak_mb, resident_mb(child.pid))
            time.sleep(0.25)


def _with_ports(routes: Path, directory: Path) -> Path:
    """Write routes with the ports of this run, and their tables beside them; return the file."""
    text = routes.read_text(encoding="utf-8")
    for written, port in zip(_WRITTEN, (ENGINE_PORT, SINK_PORT), strict=True):
        assert text.count(written) == 1, f"{routes} names the port {written} once"
        text = text.replace(written, f":{port}")
    shutil.copytree(ROUTES.parent / "tables", directory / "tables", dirs_exist_ok=True)
    file = directory / f"measured-{routes.name}"
    file.write_text(text, encoding="utf-8")
    return file


class LoadRun:
    """A load generator at work."""

    def __init__(self, family: Children, **options: float | str) -> None:
        """Start it; options are those of bench.load."""
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `figures`; it has no name that could be left
        self._child = family.start("-m", "bench.load", *arguments, log=self._log)

    def ended(self) -> bool:
        """Say whether it is done."""
        return self._child.poll() is not None

    def figures(self, timeout: float = 300.0) -> dict[str, Any]:
        """
        Wait for it and return what it printed.

        Raises:
            CannotMeasure: It failed.
        """
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            raise CannotMeasure(f"the load generator took more than {timeout:.0f} s") from None
        with self._log as log:
            log.seek(0)
            text = log.read().decode().strip()
        if self._child.returncode:
            raise CannotMeasure(f"the load generator failed: {text.splitlines()[-1] if text else 'no output'}")
        answer: dict[str, Any] = json.loads(text.splitlines()[-1])
        return answer


def start_sink(family: Children) -> subprocess.Popen[bytes]:
    """
    Start the sink and wait until it listens.

    Raises:
        CannotMeasure: It ended, or didn't listen within 10 s.
    """
    child = family.start("-m", "bench.sink", str(SINK_PORT), str(SINK_CONTROL))
    deadline = time.monotonic() + 10
    while not listens(SINK_CONTROL):
        if child.poll() is not None or time.monotonic() > deadline:
            raise CannotMeasure("the sink did not start")
        time.sleep(0.02)
    return child


def floor_rate(family: Children, directory: Path, messages: int) -> float:
    """
    Measure one connection against a server that does nothing but one fdatasync for each message (bench.floor).

    Raises:
        CannotMeasure: It did not start.
    """
    child = family.start("-m", "bench.floor", str(FLOOR_PORT), str(directory / "floor"))
    try:
        deadline = time.monotonic() + 10
        while not listens(FLOOR_PORT):
            if child.poll() is not None or time.monotonic() > deadline:
                raise CannotMeasure("the server that only writes did not start")
            time.sleep(0.02)
        measured = LoadRun(family, port=FLOOR_PORT, connections=1, messages=messages).figures()
        return float(measured["rate"])
    finally:
        family.end(child)
        (directory / "floor").unlink(missing_ok=True)


def ask_sink(**question: Any) -> Any:
    """Ask the sink's control port, from outside any loop."""
    with socket.create_connection(("127.0.0.1", SINK_CONTROL), 30) as connection:
        connection.sendall(json.dumps(question).encode() + b"\n")
        with connection.makefile("rb") as answers:
            return json.loads(answers.readline())


def listens(port: int) -> bool:
    """Say whether somebody takes connections on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def resident_mb(process: int) -> float:
    """Resident memory of a process and its children, MB (VmRSS; what they share counts twice)."""
    total = 0.0
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            total += int(line.split()[1]) / 1024
    for children_of in Path(f"/proc/{process}/task").glob("*/children"):
        total += sum(resident_mb(int(child)) for child in children_of.read_text().split())
    return total


def fsyncs_a_second(directory: Path, seconds: float = 2.0) -> float:
    """Measure how many appends of 4 KB, each with fdatasync, the disk under a directory allows."""
    path, block, count = directory / "fsync", os.urandom(4096), 0
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            os.write(handle, block)
            os.fdatasync(handle)
            count += 1
        return count / (time.monotonic() - begin)
    finally:
        os.close(handle)
        path.unlink()
