"""What validation says."""

from __future__ import annotations

import pytest

from engine.validation.findings import RULES, SEVERITIES, Finding, Place, path_of


@pytest.mark.parametrize(
    ("place", "rank", "count", "repeated", "path"),
    [
        (Place(2), 1, 1, False, "PID"),
        (Place(2), 2, 3, False, "PID[2]"),
        (Place(2, 3), 1, 1, False, "PID-3"),
        (Place(2, 3, 1, 4, 2), 1, 1, False, "PID-3.4.2"),
        (Place(2, 3, 2, 4, 2), 1, 1, True, "PID-3[2].4.2"),
        (Place(2, 5, 1), 3, 3, False, "PID[3]-5"),
    ],
)
def test_paths_are_those_of_routes(place, rank, count, repeated, path):
    """Ranks stand only where there are several."""
    assert path_of("PID", rank, count, place, repeated=repeated) == path


def test_every_rule_has_a_severity():
    """One of the three."""
    assert set(RULES.values()) <= set(SEVERITIES)
    assert Finding("type", "error", "PID-7", "no date", Place()).as_json() == {
        "severity": "error", "rule": "type", "path": "PID-7", "sentence": "no date",
    }  # fmt: skip
