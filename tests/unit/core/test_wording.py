"""Numbers, ages and moments in words."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.core.wording import age, clock, number, several


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 00"), (11_100, "3 h 05"),
     (86_400, "1 d 0 h"), (187_200, "2 d 4 h")],
)  # fmt: skip
def test_ages(seconds: float, words: str) -> None:
    """One or two words, never a fraction."""
    assert age(seconds) == words


def test_numbers() -> None:
    """Thousands are separated, one is singular."""
    assert number(48_211) == "48,211"
    assert several(1, "message") == "1 message"
    assert several(1204, "delivery", "deliveries") == "1,204 deliveries"


def test_clock_leaves_today_out() -> None:
    """A time of today, a date otherwise, nothing for never."""
    now = int(dt.datetime(2024, 5, 2, 12, 0).astimezone().timestamp() * 1000)
    assert clock(now, now) == "12:00:00"
    assert clock(now - 86_400_000, now) == "2024-05-01 12:00:00"
    assert clock(0, now) == ""
