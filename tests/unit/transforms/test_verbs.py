"""The list of verbs."""

from __future__ import annotations

import json

import pytest

from engine.transforms.verbs import VERBS


@pytest.mark.parametrize("name", sorted(VERBS))
def test_each_has_a_schema(name):
    """The editor's schema can be made of each, and a sentence says what it does."""
    json.dumps(VERBS[name].shape.schema())
    assert VERBS[name].summary
    assert VERBS[name].name == name
