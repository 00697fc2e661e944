"""Errors that repeat themselves don't fill the log."""

from __future__ import annotations

import pytest
import structlog

from engine.observability import repeats
from engine.observability.repeats import Repeats


def test_an_error_is_told_once_a_minute_with_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word the same: dropped, then told with how often; others pass, and so do warnings."""
    monkeypatch.setattr(repeats, "KEPT", 3)
    now = 0.0
    seen = Repeats(lambda: now)

    def told(method: str, **line: object) -> dict[str, object] | None:
        try:
            return dict(seen(None, method, dict(line)))
        except structlog.DropEvent:
            return None

    again = {"event": "router starts again", "group": "main"}
    assert told("error", **again) == again
    assert [told("error", **again) for _ in range(54)] == [None] * 54
    assert told("error", event="router starts again", group="other") is not None
    assert [told("warning", event="alert") for _ in range(2)] == [{"event": "alert"}] * 2
    now = 60.0
    assert told("error", **again) == again | {"repeated": 54}
    now = 120.0
    assert told("error", **again) == again
    for number in range(3):
        assert told("error", event=str(number)) is not None
    assert told("error", **again) == again, "forgotten: what is remembered is bounded"
