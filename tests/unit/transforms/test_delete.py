"""`delete` removes."""

from __future__ import annotations


def test_repetition_component_segment(run):
    """A selected repetition goes wholly, a component is emptied, a segment's name removes its segments."""
    done = run('  - delete: ["PID-3[5=MR]", PID-5.2, OBX, PID-39]')
    assert done.lines[1].startswith("PID|1||111^^^X&1.2.3.1&ISO^PI||DOE")
    assert "OBX" not in done.text
    assert "JANE" not in done.text


def test_header_stays(compiled):
    """MSH and its delimiters can't be removed."""
    assert compiled("  - delete: MSH").codes == ["E112"]
    assert compiled("  - delete: MSH-2").codes == ["E112"]
    assert compiled("  - delete: MSH-3").codes == []
