"""Defaults: what declarations say unless they say otherwise."""

from __future__ import annotations

import pytest

from engine.routes import ConfigurationRefused

ROUTE = "routes:\n  r: { from: [gam, lis], to: [dpi, raw, bus] }\n"


def test_they_fill_what_isnt_said(small):
    """Each where its kind takes it; what is said stays, whole."""
    made = small(
        "defaults:\n"
        "  sites: { timezone: Indian/Reunion }\n"
        "  sources: { idle_timeout: 10m, processing: [P, D] }\n"
        "  destinations: { ack_timeout: 7s, dead_letter: { lane: block, park_max: 1m } }\n"
        "  routes: { owner: interop, on_no_match: filter }\n" + ROUTE
    )
    assert {site.timezone for site in made.sites.values()} == {"Indian/Reunion"}
    assert (made.sources["gam"].idle_timeout, made.sources["gam"].processing) == (600.0, {"P", "D"})
    assert {name: one.ack_timeout for name, one in made.destinations.items()} == {"dpi": 7.0, "raw": 30.0, "bus": 7.0}
    assert made.destinations["raw"].dead_letter.lane == "block"
    assert (made.destinations["dpi"].dead_letter.lane, made.destinations["dpi"].dead_letter.park_max) == (
        "park",
        1800.0,
    )
    assert (made.routes[0].owner, made.routes[0].on_no_match) == ("interop", "filter")


@pytest.mark.parametrize(
    ("defaults", "code"),
    [
        ("{ tables: { } }", "E104"),
        ("{ sources: { listen: 127.0.0.1:1 } }", "E104"),
        ("{ destinations: { renamed_from: x } }", "E104"),
        ("{ destinations: { ack_timeout: soon } }", "E111"),
        ("{ sources: [P] }", "E106"),
    ],
)
def test_they_are_checked_even_unused(small, defaults, code):
    """No key that each must write itself; no value that none could have."""
    with pytest.raises(ConfigurationRefused) as caught:
        small(f"defaults: {defaults}\n{ROUTE}")
    assert {one.code for one in caught.value.findings if one.level == "error"} == {code}
