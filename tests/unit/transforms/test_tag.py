"""`tag` leaves a word."""

from __future__ import annotations


def test_once(run):
    """A word stands once; the message doesn't change."""
    done = run("  - tag: urgent\n  - tag: urgent\n  - tag: rare")
    assert done.context.tags == ["urgent", "rare"]
    assert done.context.message.splices() == []


def test_refused(compiled):
    """A tag is a name."""
    assert compiled("  - tag: Very Urgent").codes == ["E117"]
