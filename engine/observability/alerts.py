"""Alerts: what needs a person. One line when it begins, one when it ends; the open ones are shown in `status`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

_log = structlog.get_logger(__name__)

_KEPT: Final = 100


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

    def __init__(self, now_ms: Callable[[], int]) -> None:
        """
        Begin with none.

        Args:
            now_ms: Wall clock.
        """
        self._now_ms = now_ms
        self._last: deque[Alert] = deque(maxlen=_KEPT)

    def __call__(self, code: str, subject: str, sentence: str) -> None:
        """Raise an alert; flow.delivery calls this once at the start and once at the end of a trouble."""
        self._last.append(Alert(code, subject, sentence, self._now_ms()))
        _log.warning("alert", code=code, subject=subject, sentence=sentence)

    def facts(self) -> list[dict[str, Any]]:
        """Return the last alerts, newest first, for status."""
        return [
            {"code": alert.code, "subject": alert.subject, "sentence": alert.sentence, "at_ms": alert.at_ms}
            for alert in reversed(self._last)
        ]
