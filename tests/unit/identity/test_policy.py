"""The group's rules as values."""

from __future__ import annotations

from engine.identity.policy import DEAD_LETTER, HOLD, HOLD_MS, MINT, IdentityPolicy, default_on_unknown


def test_contracts_join_sites():
    """Each with each of one contract, no further."""
    policy = IdentityPolicy(contracts=frozenset({frozenset({"cha", "chb"}), frozenset({"chb", "chc"})}))
    assert policy.trusts("cha", "chb")
    assert policy.trusts("chc", "chb")
    assert policy.trusts("cha", "cha")
    assert not policy.trusts("cha", "chc")


def test_who_may_assert():
    """The message's own site by default; what may_assert names otherwise."""
    assert IdentityPolicy().allows("cha", "cha")
    assert not IdentityPolicy().allows("cha", "chb")
    assert not IdentityPolicy().allows("", "cha")
    registry = IdentityPolicy(may_assert=frozenset({"group", "cha"}))
    assert registry.allows("", "")
    assert registry.allows("cha", "")
    assert not registry.allows("chb", "chb")


def test_what_is_done_with_the_unknown():
    """Admissions make patients, results wait three days and then die."""
    assert default_on_unknown("ADT") is default_on_unknown("ADM") is MINT
    assert default_on_unknown("ORU") is HOLD
    assert (HOLD.hold_ms, HOLD.after_wait) == (HOLD_MS, DEAD_LETTER)
