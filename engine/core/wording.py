"""Numbers and times as people read them: the same words in the command line and in `why` sentences."""

from __future__ import annotations

import datetime as dt


def number(value: int) -> str:
    """Write `48211` as `48,211`."""
    return f"{value:,}"


def several(count: int, noun: str, plural: str = "") -> str:
    """Write `1 message`, `2 messages`, `1,204 deliveries`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def age(seconds: float) -> str:
    """
    Write a duration as one or two words: `0 s`, `42 s`, `6 min`, `3 h 05`, `2 d 4 h`.

    Args:
        seconds: How long; a negative one (clocks differ) counts as 0.
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d}"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def clock(at_ms: int, now_ms: int) -> str:
    """
    Write a moment in local time: `16:58:30` today, `2024-05-02 16:58:30` otherwise, empty for 0.

    Args:
        at_ms: The moment, milliseconds since 1970 UTC.
        now_ms: Now, to know whether it is today.
    """
    if not at_ms:
        return ""
    at = dt.datetime.fromtimestamp(at_ms / 1000).astimezone()
    today = dt.datetime.fromtimestamp(now_ms / 1000).astimezone().date()
    return at.strftime("%H:%M:%S" if at.date() == today else "%Y-%m-%d %H:%M:%S")
