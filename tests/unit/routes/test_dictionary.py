"""How many fields a segment has at most."""

from __future__ import annotations

from engine.routes.dictionary import FIELDS_MAX, UNSTABLE_POSITIONS


def test_limits():
    """PID-45 exists in no version; French Z segments are known; every unstable field exists."""
    assert FIELDS_MAX["PID"] == 40
    assert FIELDS_MAX["ZBE"] == 9
    for field in UNSTABLE_POSITIONS:
        segment, _, number = field.partition("-")
        assert int(number) <= FIELDS_MAX[segment]
