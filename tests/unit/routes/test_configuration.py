"""The configuration as data."""

from __future__ import annotations

import dataclasses

import pytest

from engine.identity.authorities import Authority
from engine.routes import configuration
from engine.routes.configuration import split_variant, variant_of


def test_variants():
    """A variant names a site and the `untyped:` of its source."""
    assert variant_of("cha", "") == "cha"
    assert split_variant(variant_of("cha", "ipp")) == ("cha", "ipp")
    assert split_variant("cha") == ("cha", "")


def test_authority_is_that_of_identity():
    """One class, wherever it is imported from."""
    assert configuration.Authority is Authority


def test_nothing_changes_after_the_load(delivered):
    """Records are frozen; a password isn't shown."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        delivered.destinations["dpi"].port = 1
    assert "hunter2" not in repr(configuration.Destination(name="d", type="mqtt", password="hunter2"))
