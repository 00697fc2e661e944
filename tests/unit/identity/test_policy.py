"""The group's rules as values."""

from __future__ import annotations

from engine.identity.policy import DEAD_LETTER, HOLD_MS, IdentityPolicy, OnUnknown, Unknown


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


def test_a_wait_of_which_nothing_more_is_said():
    """It lasts three days, and then the message dies."""
    wait = OnUnknown(Unknown.HOLD)
    assert (wait.hold_ms, wait.after_wait) == (HOLD_MS, DEAD_LETTER)
