"""Alerts: the open ones until they end, the last ones bounded."""

from __future__ import annotations

from engine.observability.alerts import Alerts


def test_the_last_ones_are_shown() -> None:
    """Each alert has its code, subject, sentence and time; newest first."""
    alerts = Alerts(lambda: 1000)
    for number in range(150):
        alerts("dead", "dpi", f"sentence {number}")
    facts = alerts.facts()
    assert facts["last"][0] == {"code": "dead", "subject": "dpi", "sentence": "sentence 149", "at_ms": 1000}
    assert len(facts["last"]) == 100
    assert facts["open"] == []


def test_an_alert_is_open_until_it_ends() -> None:
    """By code and subject; what began first stays first, with the time of its begin."""
    times = iter(range(1000, 2000))
    alerts = Alerts(lambda: next(times))
    alerts("outage", "dpi", "no answer")
    alerts("E-FOLDER-AWAY", "labo", "gone")
    alerts("outage", "archive", "no answer")
    alerts("outage", "dpi", "told twice")
    alerts("recovered", "archive", "answers again")
    opened = [(one["code"], one["subject"], one["at_ms"]) for one in alerts.facts()["open"]]
    assert opened == [("outage", "dpi", 1000), ("E-FOLDER-AWAY", "labo", 1001)]
    assert alerts.facts()["open"][0]["sentence"] == "told twice", "the last one is what is so now"
    alerts("recovered", "labo", "no end of another code")
    alerts("E-FOLDER-BACK", "labo", "back")
    alerts("recovered", "dpi", "answers again")
    assert alerts.facts()["open"] == []
    assert len(alerts.facts()["last"]) == 8


def test_one_of_a_run_before_goes_on_with_its_begin() -> None:
    """What began before the restart; what ended meanwhile begins anew."""
    alerts = Alerts(lambda: 5000, {("outage", "dpi"): 1000, ("outage", "archive"): 2000, ("outage", "bus"): 0})
    alerts("recovered", "archive", "answers again")
    for name in ("dpi", "archive", "bus"):
        alerts("outage", name, "no answer")
    assert [one["at_ms"] for one in alerts.facts()["open"]] == [1000, 5000, 5000]
    alerts("recovered", "dpi", "answers again")
    alerts("outage", "dpi", "no answer")
    assert alerts.facts()["open"][-1]["at_ms"] == 5000
