"""`drop` ends the route."""

from __future__ import annotations

import pytest

from engine.transforms.step import Dropped


def test_reason(run):
    """The reason is told; a condition that doesn't hold drops nothing."""
    with pytest.raises(Dropped) as caught:
        run('  - drop: "not for {site}"')
    assert caught.value.reason == "not for cha"
    run("  - drop: never\n    when: event == Z99")
