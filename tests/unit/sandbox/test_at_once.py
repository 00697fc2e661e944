"""Workers for who can wait."""

from __future__ import annotations

import psutil

from engine.sandbox.at_once import workers
from tests.unit.sandbox.test_pool import question


def test_replies_and_nothing_left():
    """No process before the first question, none after the last."""
    before = len(psutil.Process().children())
    with workers() as ask:
        assert len(psutil.Process().children()) == before
        assert ask(question("name")).writes == [("PID-8", "DOÉ")]
        assert ask(question("never")).failure
    assert len(psutil.Process().children()) == before
