"""What the system refuses for want of room is told as that, with the exit code of an engine that can't be asked."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from engine.cli import status
from engine.store.sqlite import room


@pytest.mark.parametrize(
    ("free", "code", "words"),
    [(0, 69, "is full (0 of "), (10**9, 1, "the output can't be written: No space left on device")],
)
def test_a_write_that_names_no_file(
    passerelle, data: Path, monkeypatch: pytest.MonkeyPatch, free: int, code: int, words: str
) -> None:
    """Of the data directory when its disk is full, else of the output."""

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(status, "ask", full)
    monkeypatch.setattr(room, "free_bytes", lambda _directory: free)
    done = passerelle("status")
    assert (done.exit_code, words in done.stderr) == (code, True), done.stderr
    assert done.stderr.count("\n") == 1
