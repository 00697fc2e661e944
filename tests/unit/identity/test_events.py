"""Which messages nothing passes, which may pass a fault."""

from __future__ import annotations

import pytest

from engine.core.messages import DeliveryFlag
from engine.identity.events import flags_of


@pytest.mark.parametrize("event", ["A40", "A41", "A44", "A47", "A49", "A24", "A37", "A18", "A34"])
def test_identity_events(event):
    """Merges, moves, renames and links."""
    assert flags_of("ADT", event) == DeliveryFlag.IDENTITY_EVENT


@pytest.mark.parametrize("type_", ["ORU", "ORM", "OML", "OMI", "MDM", "OUL"])
def test_results(type_):
    """Results, orders and documents."""
    assert flags_of(type_, "R01") == DeliveryFlag.RESULT


def test_others():
    """A movement is neither; A40 is one of ADT only."""
    assert flags_of("ADT", "A01") == 0
    assert flags_of("", "") == 0
    assert flags_of("ACK", "A40") == 0
