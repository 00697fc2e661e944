"""The shipped lists are those of PAM France 2.11.1."""

from __future__ import annotations

from engine.routes.shipped import LISTS


def test_lists():
    """Z99 and A44 are stays; merges and links are identity; cancellations are stays too."""
    assert LISTS["pam.identity"] == {"A28", "A31", "A40", "A47", "A24", "A37"}
    assert {"Z99", "A44", "A01", "A11", "A54", "A55", "A21", "A52", "A22", "A53", "A38"} <= LISTS["pam.stay"]
    assert LISTS["pam.cancel"] <= LISTS["pam.stay"]
    assert not LISTS["pam.identity"] & LISTS["pam.stay"]
    assert "A08" not in LISTS["pam.stay"]
