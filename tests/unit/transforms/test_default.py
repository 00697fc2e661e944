"""`default` writes where nothing is."""

from __future__ import annotations


def test_only_absent(run):
    """A value stays, an erasing null stays, an absent field is written."""
    done = run("  - default: { PID-5.1: X, PID-9: Y, PID-10: Z }")
    assert done.lines[1].endswith('DOE^JANE||19840312|F|""|Z')
