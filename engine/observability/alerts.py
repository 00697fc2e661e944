"""Alerts: what needs a person. One line when it begins, one when it ends; the open ones are shown in `status`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

_log = structlog.get_logger(__name__)

_KEPT: Final = 100
_ENDS: Final[Mapping[str, str]] = {
    "recovered": "outage",
    "E-FOLDER-BACK": "E-FOLDER-AWAY",
    "E-STORE-BACK": "E-STORE-SILENT",
    "E-DISK-ROOM": "E-DISK-FULL",
    "E-CLOCK-BACK": "E-CLOCK-AHEAD",
}
"""Code that ends -> code that it ends. What has no end here is a moment (`dead`): kept, never open."""
_LASTING: Final = frozenset(_ENDS.values())


@dataclass(slots=True)
class Alert:
    """One alert."""

    code: str
    subject: str
    """Name of the destination or source."""
    sentence: str
    at_ms: int


class Alerts:
    """The open alerts and the last ones."""

    def __init__(self, now_ms: Callable[[], int], since: Mapping[tuple[str, str], int] | None = None) -> None:
        """
        Begin with none.

        Args:
            now_ms: Wall clock.
            since: (code, subject) -> when it began, in a run before this one; 0: it is over.
        """
        self._now_ms = now_ms
        self._since = dict(since or {})
        self._last: deque[Alert] = deque(maxlen=_KEPT)
        self._open: dict[tuple[str, str], Alert] = {}
        """By code and subject: what has begun and not ended."""

    def __call__(self, code: str, subject: str, sentence: str) -> None:
        """
        Raise an alert; called once at the start and once at the end of a trouble, and when it becomes another one.

        Args:
            code: `outage` (ended by `recovered`), `E-FOLDER-AWAY` (by `E-FOLDER-BACK`), or a moment: `dead`, `stuck`…
            subject: Name of the destination or source.
            sentence: For people; no value of a message.
        """
        alert = Alert(code, subject, sentence, self._since.pop((code, subject), 0) or self._now_ms())
        self._last.append(alert)
        ended = _ENDS.get(code)
        if ended is not None:
            self._open.pop((ended, subject), None)
            self._since.pop((ended, subject), None)
            _log.info("alert ended", code=ended, subject=subject, sentence=sentence)
            return
        if code in _LASTING:
            begun = self._open.get((code, subject))
            self._open[code, subject] = replace(alert, at_ms=begun.at_ms) if begun is not None else alert
        _log.warning("alert", code=code, subject=subject, sentence=sentence)

    def facts(self) -> dict[str, list[dict[str, Any]]]:
        """Return for status the `open` alerts, oldest first, and the `last` ones, newest first."""
        return {"open": [_row(alert) for alert in self._open.values()], "last": [_row(a) for a in reversed(self._last)]}


def _row(alert: Alert) -> dict[str, Any]:
    return {"code": alert.code, "subject": alert.subject, "sentence": alert.sentence, "at_ms": alert.at_ms}
