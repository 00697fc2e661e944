"""Profiles are values."""

from __future__ import annotations

from engine.validation.profile import ANY_VERSION, Profile, Rule


def test_a_profile_alone_is_hl7_itself():
    """In the version of each message, with nothing on top."""
    profile = Profile(name="x")
    assert profile.version == ANY_VERSION
    for part in (profile.overrides, profile.rules, profile.tables, profile.structures, profile.keys):
        assert not part
    assert Rule(name="x", severity="error").events == frozenset()
