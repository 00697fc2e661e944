"""Durations and moments as people type them; how they are written is core.wording."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from engine.core.wording import age, clock, number, several
from engine.errors import OperationRefused

__all__ = ["age", "clock", "number", "read_duration", "read_moment", "several"]

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "j": 86400, "w": 604800}
_DURATION: Final = re.compile(r"(\d+)\s*(ms|min|s|m|h|d|j|w)")


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
