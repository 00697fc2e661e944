"""A real engine process, to be killed for real."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.until import wait_until

READY_SECONDS = 30.0


class EngineProcess:
    """`passerelle run` as a child; its log goes to a file beside its data."""

    def __init__(self, routes: Path, data: Path) -> None:
        self.routes, self.data = routes, data
        self.log = data.parent / "engine.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start and wait until every source listens; return the seconds that it took."""
        began = time.monotonic()
        before = self.log.stat().st_size if self.log.exists() else 0
        environment = os.environ | {"PASSERELLE_LOG_STYLE": "json", "PASSERELLE_MIN_FREE_BYTES": "0"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "engine", "run", "--routes", str(self.routes), "--data", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        process = self._process

        def is_ready() -> bool:
            with self.log.open("rb") as log:
                log.seek(before)
                return b'"event": "ready"' in log.read()

        with contextlib.suppress(AssertionError):  # why it isn't is told below
            wait_until(lambda: is_ready() or process.poll() is not None, READY_SECONDS)
        assert is_ready(), f"the engine did not start: {self.log.read_text()[-2000:]}"
        return time.monotonic() - began

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    @property
    def writer_pid(self) -> int:
        """Of its writer process."""
        (writer,) = self._children()
        return writer

    def kill_writer(self) -> None:
        """kill -9 of its writer process; the engine ends by itself, with the exit code of a defect."""
        os.kill(self.writer_pid, signal.SIGKILL)
        assert self._process is not None
        assert self._process.wait(timeout=30) == 1, "an engine without its writer must not go on"

    def stop(self) -> int:
        """Stop cleanly; return the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=30)

    def ask(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command with --json, return its lines."""
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "engine",
                "--routes",
                str(self.routes),
                "--data",
                str(self.data),
                *arguments,
                "--json",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    def rss_bytes(self) -> int:
        """Return the resident memory, of its children too."""
        return sum(_rss_bytes(pid) for pid in [self.pid, *self._children()])

    def _children(self) -> list[int]:
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for children in tasks for pid in children.read_text().split()]


def _rss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # a child that has just ended
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
