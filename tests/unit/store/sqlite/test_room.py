"""The room left on the disk: what is said of it, and from when to when."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import StoreUnavailable
from engine.store.sqlite import room
from engine.store.sqlite.room import Room, too_little

MEGABYTE = 1 << 20
LOST = "make room; nothing that was acknowledged is lost"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "total_bytes", lambda _directory: 40 * MEGABYTE)


@pytest.mark.parametrize(
    ("free", "trouble", "said"),
    [
        (0, "", f"the disk of /d is full (0 of 40 MB free): {LOST}"),
        (1_990_000, "database or disk is full", f"the disk of /d is full (1.8 of 40 MB free): {LOST}"),
        (1_990_000, "", f"the disk of /d is nearly full (1.8 of 40 MB free), so nothing is received: {LOST}"),
        (2 * MEGABYTE, "", ""),
    ],
)
def test_one_sentence(free: int, trouble: str, said: str) -> None:
    """What, where, how much is left, what to do; nothing where there is room."""
    seen = Room(Path("/d"), 2 * MEGABYTE, lambda: free, lambda: StoreUnavailable(trouble) if trouble else None)
    assert seen.shortage() == said


def test_a_disk_of_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One unit for both figures, never more than there is."""
    monkeypatch.setattr(room, "total_bytes", lambda _directory: 1_500 << 30)
    assert "(0.9 of 1,500 GB free)" in Room(Path("/d"), 1 << 30, lambda: (1 << 30) - 1).shortage()


def test_it_ends_with_a_tenth_more() -> None:
    """Around the limit it neither begins nor ends with each message."""
    assert [too_little(free, 100, already=already) for free, already in ((99, False), (100, False))] == [True, False]
    assert [too_little(free, 100, already=True) for free in (109, 110)] == [True, False]
    free = [99]
    seen = Room(Path("/d"), 0, lambda: free[0] * 10_000)  # no limit: what a commit needs at least
    told = []
    for free[0] in (100, 99, 100, 109, 110, 109):
        told.append(bool(seen.shortage()))
    assert told == [False, True, True, True, False, False]


def test_a_disk_that_does_not_say() -> None:
    """What was last said stays: the engine doesn't end because of a question, a commit tells what is wrong."""
    free: list[int] = [1_990_000]

    def left() -> int:
        if not free:
            raise OSError(5, "Input/output error")
        return free[0]

    seen = Room(Path("/d"), 2 * MEGABYTE, left)
    said = seen.shortage()
    free.clear()
    assert seen.shortage() == said
    assert (seen.full, seen.facts()["free_bytes"]) == (False, 1_990_000)
