"""Numbers and times as people read them; the same words in the command line, the console and `why` sentences."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from engine.errors import OperationRefused

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "j": 86400, "w": 604800}
_DURATION: Final = re.compile(r"(\d+)\s*(ms|min|s|m|h|d|j|w)")


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


def read_duration(text: str) -> float:
    """
    Read `90s`, `30m`, `2h`, `1h30m`, `7d` as seconds.

    Raises:
        OperationRefused: The text has another form (usage).
    """
    compact = text.strip().lower().replace(" ", "")
    parts = _DURATION.findall(compact)
    if not parts or "".join(count + unit for count, unit in parts) != compact:
        raise OperationRefused(f"'{text}' is no duration; write it like 90s, 30m, 2h or 1h30m", exit_code=2)
    return float(sum(int(count) * _UNITS[unit] for count, unit in parts))


def read_moment(text: str, now_ms: int) -> int:
    """
    Read a moment in the past: `2h` (ago), `22:00` (the last one, local), `2024-05-02`, `2024-05-02T16:58`.

    Returns:
        Milliseconds since 1970 UTC.

    Raises:
        OperationRefused: The text has another form (usage).
    """
    if _DURATION.match(text.strip().lower()):
        return now_ms - int(read_duration(text) * 1000)
    now = dt.datetime.fromtimestamp(now_ms / 1000).astimezone()
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text.strip()):
            hour, minute, *second = (int(part) for part in text.strip().split(":"))
            at = now.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
            if at > now:
                at -= dt.timedelta(days=1)
        else:
            at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        sentence = f"'{text}' is no moment; write it like 2h (ago), 22:00, 2024-05-02 or 2024-05-02T16:58"
        raise OperationRefused(sentence, exit_code=2) from None
    return int(at.timestamp() * 1000)
