"""
Since when the engine runs, or is stopped: DIR/presence.

The control server writes it at start and at a clean stop. After a crash it still says `running`: the last
change of the store's files is then the best witness, noted before an offline command changes them.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE: Final = "presence"
_OWN: Final = frozenset({FILE, "presence.new", "control.sock", "lock", "key"})


def note_running(directory: Path, now_ms: int) -> None:
    """Write that an engine runs since now."""
    _write(directory, {"state": "running", "since_ms": now_ms, "pid": os.getpid()})


def note_stopped(directory: Path, now_ms: int) -> None:
    """Write that the engine stopped, now, in order."""
    _write(directory, {"state": "stopped", "since_ms": now_ms})


def running_pid(directory: Path) -> int:
    """Return the process id that an engine noted here when it started; 0 when there is none to read."""
    try:
        noted = json.loads((directory / FILE).read_text("utf-8"))
        return int(noted["pid"]) if noted["state"] == "running" else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def stopped_since_ms(directory: Path) -> int:
    """
    Tell since when no engine runs; to be asked before the store is opened, when nobody answers.

    Returns:
        Milliseconds since 1970 UTC; 0 when no engine ever ran here.
    """
    try:
        noted = json.loads((directory / FILE).read_text("utf-8"))
        state, since = str(noted["state"]), int(noted["since_ms"])
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError):
        state, since = "running", 0
    if state == "stopped":
        return since
    last = max((_changed_ms(path) for path in directory.iterdir() if path.name not in _OWN), default=since)
    since = max(last, since)
    with suppress(OSError):  # on a full disk: whoever opens the store then says so
        _write(directory, {"state": "stopped", "since_ms": since, "crashed": True})
    return since


def _changed_ms(path: Path) -> int:
    try:
        return int(path.stat().st_mtime * 1000) if path.is_file() else 0
    except OSError:
        return 0


def _write(directory: Path, noted: dict[str, str | int | bool]) -> None:
    """Replace the file at once, so that nobody reads half of it."""
    fresh = directory / f"{FILE}.new"
    fresh.write_text(json.dumps(noted), "utf-8")
    fresh.replace(directory / FILE)
