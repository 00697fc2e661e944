"""Alerts are kept, newest first, and bounded."""

from __future__ import annotations

from engine.observability.alerts import Alerts


def test_the_last_ones_are_shown() -> None:
    """Each alert has its code, subject, sentence and time."""
    alerts = Alerts(lambda: 1000)
    for number in range(150):
        alerts("storm", "dpi", f"sentence {number}")
    facts = alerts.facts()
    assert facts[0] == {"code": "storm", "subject": "dpi", "sentence": "sentence 149", "at_ms": 1000}
    assert len(facts) == 100
