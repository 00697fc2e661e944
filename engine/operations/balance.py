"""The balance: every message received is counted once more, under what became of it; the difference must be 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.operations.wording import number

Counters = Mapping[tuple[str, str, str], int]

ENDINGS: Final = (
    "delivered",
    "waiting",
    "dead",
    "filtered",
    "unrouted",
    "duplicate",
    "joined",
    "received",
    "rejected",
    "discarded",
    "cancelled",
)
"""In the order of the line. `received` as an ending is a message that is not routed yet."""
_ALWAYS: Final = ("delivered", "waiting", "dead", "filtered", "duplicate")
_WORDS: Final = {"received": "being routed"}


def balance(counters: Counters) -> dict[str, Any]:
    """
    Draw the balance from the store's counters.

    Args:
        counters: (kind, name, what) -> n, kinds `received` (what: total) and `message` (what: ending), by source.

    Returns:
        received, parts (ending -> n), difference, line (the words), and `sources`: name -> difference of
        each source whose own sum is not what it received.
    """
    received = 0
    parts = dict.fromkeys(ENDINGS, 0)
    by_source: dict[str, int] = {}
    for (kind, name, what), count in counters.items():
        if kind == "received" and what == "total":
            received += count
            by_source[name] = by_source.get(name, 0) + count
        elif kind == "message":
            parts[what] = parts.get(what, 0) + count
            by_source[name] = by_source.get(name, 0) - count
    difference = received - sum(parts.values())
    shown = [
        f"{_WORDS.get(ending, ending)} {number(count)}" for ending, count in parts.items() if count or ending in _ALWAYS
    ]
    line = f"received {number(received)} = {' + '.join(shown)}   difference {number(difference)}"
    off = {source: count for source, count in sorted(by_source.items()) if count}
    if off:
        line += f" (in {', '.join(off)})" if difference else f"; but not by source: {', '.join(off)}"
    return {"received": received, "parts": parts, "difference": difference, "sources": off, "line": line}
