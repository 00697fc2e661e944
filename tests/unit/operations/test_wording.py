"""Durations and moments, read as people type them."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.errors import OperationRefused
from engine.operations.wording import read_duration, read_moment


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("7 d", 604_800)]
)
def test_durations(text: str, seconds: float) -> None:
    """As people write them."""
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2x", "2h later", "-2h"])
def test_what_is_no_duration_is_usage(text: str) -> None:
    """Exit code 2, with an example of what to write."""
    with pytest.raises(OperationRefused, match="write it like") as refused:
        read_duration(text)
    assert refused.value.exit_code == 2


def test_moments() -> None:
    """`2h` ago, the last 22:00, a date, a date with a time."""
    noon = dt.datetime(2024, 5, 2, 12, 0).astimezone()
    now = int(noon.timestamp() * 1000)
    assert read_moment("2h", now) == now - 7_200_000
    assert read_moment("11:30", now) == now - 1_800_000
    assert read_moment("22:00", now) == now - 14 * 3_600_000
    assert read_moment("2024-05-02", now) == now - 12 * 3_600_000
    assert read_moment("2024-05-02T11:59", now) == now - 60_000
    for wrong in ("25:00", "yesterday", "2024-13-01"):
        with pytest.raises(OperationRefused, match="is no moment"):
            read_moment(wrong, now)
