"""One near word is suggested; else what is allowed is listed."""

from __future__ import annotations

import pytest

from engine.routes.suggestions import distance, suggest


@pytest.mark.parametrize(
    ("one", "other", "wanted"), [("form", "from", 1), ("", "abc", 3), ("event", "event", 0), ("evnt", "event", 1)]
)
def test_distance(one, other, wanted):
    """A swap of neighbours counts once."""
    assert distance(one, other) == wanted


def test_one_near_word():
    """The nearest is named when it is near enough and alone."""
    assert suggest("form", ["from", "to"]) == "did you mean from?"
    assert suggest("xyz", ["from", "to"]) == "allowed: from, to"
    assert suggest("gam_chd", ["gam_cha", "gam_chb"]) == "allowed: gam_cha, gam_chb"
    assert suggest("x", []) == "none is declared"
