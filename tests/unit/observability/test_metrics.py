"""The figures of status as Prometheus reads them."""

from __future__ import annotations

import re

from engine.observability.metrics import exposition
from tests.support.custody import DESTINATION, SECRETS, SOURCE, FakeLive, call

LINE = re.compile(r'passerelle_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.]+')


def test_queues_counts_and_states() -> None:
    """Each metric once with its help and type; numbers to their last digit; nothing of a message."""
    text = exposition(call("status"))
    lines = text.splitlines()
    for line in (
        "passerelle_up 1",
        f'passerelle_deliveries{{destination="{DESTINATION}",state="dead"}} 2',
        f'passerelle_delivered_total{{destination="{DESTINATION}"}} 1',
        f'passerelle_destination_outage{{destination="{DESTINATION}"}} 0',
        f'passerelle_source_connections{{source="{SOURCE}"}} 2',
        'passerelle_messages{state="filtered"} 1',
        "passerelle_received_total 6",
        "passerelle_balance_difference 0",
        "passerelle_configuration_refused 0",
    ):
        assert line in lines
    samples = [line for line in lines if not line.startswith("#")]
    assert not [line for line in samples if not LINE.fullmatch(line)]
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(set(names)) == len(names)
    assert {re.split(r"[{ ]", line)[0] for line in samples} == set(names)
    assert text.endswith("\n")
    assert not [secret for secret in SECRETS if secret in text]


def test_an_outage_and_a_refused_configuration() -> None:
    """What should wake somebody is a 1."""
    live = FakeLive()
    live.facts[DESTINATION] = {"state": "down", "why": "dpi accepts no connection"}
    live.refused = "configuration refused: routes.yaml has 1 error"
    lines = exposition(call("status", live=live)).splitlines()
    assert f'passerelle_destination_outage{{destination="{DESTINATION}"}} 1' in lines
    assert f'passerelle_destination_state{{destination="{DESTINATION}",state="down"}} 1' in lines
    assert "passerelle_configuration_refused 1" in lines
    assert "passerelle_degraded 1" in lines


def test_a_stopped_engine() -> None:
    """Is not up; its queues are told all the same, no state of a destination is."""
    text = exposition(call("status", stopped=True))
    assert "passerelle_up 0\n" in text
    assert f'passerelle_deliveries{{destination="{DESTINATION}",state="waiting"}} 1\n' in text
    assert "passerelle_destination_state{" not in text


def test_labels_are_escaped() -> None:
    """Names are small letters; what an old store holds may be anything."""
    status = call("status")
    status["sources"][0]["name"] = 'a"b\\c\nd'
    assert 'passerelle_source_dead{source="a\\"b\\\\c\\nd"}' in exposition(status)


def test_large_numbers_are_whole() -> None:
    """Not rounded to six digits."""
    status = call("status")
    status["balance"]["received"] = 123_456_789
    assert "passerelle_received_total 123456789\n" in exposition(status)
