"""What a comparison says."""

from __future__ import annotations

import pytest

from engine.identity.verdicts import Verdict, all_of

S, D, U = Verdict.SAME, Verdict.DIFFERENT, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("given", "wanted"),
    [([], U), ([S], S), ([S, S], S), ([S, U], U), ([U, D], D), ([S, D, U], D), ([U], U)],
)
def test_joined(given, wanted):
    """A difference wins over what is unknown, that over what is the same."""
    assert all_of(given) is wanted
