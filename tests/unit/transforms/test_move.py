"""`move` carries a value and takes it away where it was."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed

PID = 'MSH|^~\\&|A\rPID|1|{two}|{three}||DOE^JANE||""\rPV1|1|I\r'


def moved(run, pairs: str, *, two: str = "", three: str = "1^^^A^PI~2^^^B^MR~3^^^C^MR") -> list[str]:
    return run(f"  - move: {{ {pairs} }}", message=PID.format(two=two, three=three)).lines


def test_a_component(run):
    """The component is empty afterwards, its neighbours stay."""
    assert moved(run, "PID-5.2: PID-5.3")[1].endswith('||DOE^^JANE||""')


def test_a_repetition_leaves_no_gap(run):
    """With its components; of several that the path selects the first moves, the others stay."""
    assert moved(run, "'PID-3[5=MR]': PID-4")[1].startswith("PID|1||1^^^A^PI~3^^^C^MR|2^^^B^MR|")


def test_a_field_with_several_repetitions(run):
    """Only its first one moves: nothing is lost."""
    assert moved(run, "PID-2: 'PID-3[+]'", two="X^^^D^RI~Y", three="1")[1].startswith("PID|1|Y|1~X^^^D^RI|")


def test_nothing_to_move(run):
    """An absent or null value is left where it is."""
    for pairs in ("PID-8: PID-9", "PID-7: PID-9", "ZZZ-1: PID-9"):
        assert moved(run, pairs)[1].endswith('||DOE^JANE||""')


def test_into_a_component_the_text_is_one_leaf(run):
    """Structure is escaped where there is no room for it."""
    assert moved(run, "PID-5: PID-6.2")[1].endswith('|||^DOE\\S\\JANE|""')


def test_in_foreach(run):
    """Relative paths move within the segment at hand."""
    done = run("  - foreach: OBX\n    do:\n      - move: { .5: .6 }")
    assert done.lines[3:5] == ["OBX|1|CE|A^1|||10", "OBX|2|CE|B^2|||20"]


def test_to_nowhere(run):
    """An absent segment to write to is a dead letter."""
    with pytest.raises(StepFailed) as caught:
        moved(run, "PID-5.1: ZZZ-1")
    assert caught.value.code == "E-NO-SEGMENT"


@pytest.mark.parametrize("path", ["'OBX[*]-5'", "'PID-3[+]'", "PID", "MSH-2", "'PID-3[*].1'"])
def test_refused(compiled, path):
    """What doesn't lead to one value can't be moved."""
    assert compiled(f"  - move: {{ {path}: PV1-4 }}").codes == ["E112"]
