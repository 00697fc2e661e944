"""Errors that repeat themselves: the first line is written, then one a minute that says how often it was meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import structlog

SECONDS: Final = 60.0
KEPT: Final = 500
"""Different errors that are remembered; the one that came first is forgotten first."""


class Repeats:
    """A processor of structlog that drops an error line that was written less than a minute ago, word for word."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin with none; `monotonic` tells the time."""
        self._monotonic = monotonic
        self._written: dict[tuple[tuple[str, str], ...], tuple[float, int]] = {}
        """By what a line says: when it was written, and how often it was dropped since."""

    def __call__(self, _: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """
        Let a line pass, with `repeated` when it was dropped before.

        Raises:
            structlog.DropEvent: It was just written.
        """
        if method != "error":
            return line
        said = tuple(sorted((key, str(value)) for key, value in line.items()))
        now = self._monotonic()
        at, dropped = self._written.pop(said, (now - SECONDS, 0))
        if now - at < SECONDS:
            self._written[said] = (at, dropped + 1)
            raise structlog.DropEvent
        self._written[said] = (now, 0)
        if len(self._written) > KEPT:
            del self._written[next(iter(self._written))]
        if dropped:
            line["repeated"] = dropped
        return line
