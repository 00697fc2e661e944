"""`keep` removes the repetitions that no path selects."""

from __future__ import annotations

import pytest


def test_keep(run):
    """What any of the paths selects stays, in its order; what is removed is counted."""
    message = "MSH|^~\\&|A\rPID|1||9^^^B^MR~1^^^IPP&1.2.3.1&ISO^PI~2^^^C^RRI~3^^^D^INS|X~Y\r"
    done = run("  - keep: ['PID-3[5=INS]', 'PID-3[@ipp]']", message=message)
    assert done.lines[1] == "PID|1||1^^^IPP&1.2.3.1&ISO^PI~3^^^D^INS|X~Y"
    assert done.context.findings == ["removed PID-3", "removed PID-3"]


def test_none_or_all(run):
    """Where none is selected none stays; where all are, nothing is touched."""
    assert run("  - keep: 'PID-3[5=XX]'").lines[1].startswith("PID|1||||DOE")
    done = run("  - keep: 'PID-3[5 in PI,MR]'")
    assert done.context.message.splices() == []
    assert done.context.findings == []


def test_each_segment(run):
    """A path over several segments keeps in each."""
    message = "MSH|^~\\&|A\rOBX|1|CE|a|b|1~2\rOBX|2|CE|a|b|3\rOBX|3|CE|a|b\r"
    assert run("  - keep: 'OBX[*]-5[last]'", message=message).lines[1:4] == [
        "OBX|1|CE|a|b|2", "OBX|2|CE|a|b|3", "OBX|3|CE|a|b",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["PID-3", "'PID-3[5=PI].1'", "'PID-3[+]'", "PID", "'OBX[3=1]'"])
def test_refused(compiled, path):
    """Only repetitions can be kept."""
    assert compiled(f"  - keep: [{path}]").codes == ["E112"]
