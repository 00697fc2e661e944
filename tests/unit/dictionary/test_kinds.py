"""Message types and trigger events of all versions."""

from __future__ import annotations

from engine.dictionary.kinds import message_types, trigger_events


def test_types_and_events_of_any_version():
    """Of the first, of the last, and of PAM France; words about the table are none."""
    assert {"ADT", "ORU", "UDM", "OMQ", "PPP"} <= set(message_types())
    assert {"A01", "R01", "PC1", "Z99", "O57"} <= set(trigger_events())
    assert not {"varies", "Varies", ""} & {*message_types(), *trigger_events()}
