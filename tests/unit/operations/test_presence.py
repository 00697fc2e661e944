"""Since when the engine runs, or is stopped."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from engine.operations.presence import stopped_since_ms
from tests.support.custody import NOW_MS, engine_in_thread


def test_a_full_disk_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash its time is told all the same; what opens the store next says that the disk is full."""
    (tmp_path / "presence").write_text(json.dumps({"state": "running", "since_ms": 7000, "pid": 1}))

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert stopped_since_ms(tmp_path) == 7000


def test_presence_tells_since_when_nothing_runs(tmp_path: Path) -> None:
    """A clean stop notes its time; after a crash the last change of the store's files is taken, and kept."""
    assert stopped_since_ms(tmp_path) == 0
    with engine_in_thread(tmp_path):
        assert json.loads((tmp_path / "presence").read_text())["state"] == "running"
    assert stopped_since_ms(tmp_path) == NOW_MS
    (tmp_path / "presence").write_text(json.dumps({"state": "running", "since_ms": 1000, "pid": 1}))
    wal = tmp_path / "passerelle.db-wal"
    wal.write_bytes(b"x")
    os.utime(wal, (5000, 5000))
    assert stopped_since_ms(tmp_path) == 5_000_000
    os.utime(wal, (9000, 9000))
    assert stopped_since_ms(tmp_path) == 5_000_000, "an offline command that opens the store doesn't move it"
    (tmp_path / "presence").write_text("{")
    assert stopped_since_ms(tmp_path) == 9_000_000
