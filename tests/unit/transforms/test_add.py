"""`add` makes a segment."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed


def test_adds_after(run):
    """The segment stands behind the last one named, filled."""
    done = run("  - add: { segment: ZBE, after: PV1, set: { ZBE-4: INSERT } }")
    assert done.lines[3] == "ZBE||||INSERT"


def test_existing_is_only_written(run):
    """A segment that exists isn't added twice."""
    assert run("  - add: { segment: PV1, after: PID, set: { PV1-4: R } }").lines[2] == "PV1|1|I|1010^2|R"


def test_nothing_to_stand_behind(run):
    """Without the segment before it, an error."""
    with pytest.raises(StepFailed) as caught:
        run("  - add: { segment: ZBE, after: ZZZ }")
    assert caught.value.code == "E-NO-SEGMENT"
