"""`swap` exchanges two values."""

from __future__ import annotations

import pytest

ORC = 'MSH|^~\\&|A\rORC|NW|P1^LAB|F1^DPI^2\rOBR|1|""\r'


@pytest.mark.parametrize(
    ("pairs", "line", "after"),
    [
        ("ORC-2: ORC-3", 1, "ORC|NW|F1^DPI^2|P1^LAB"),
        ("ORC-2.1: ORC-3.1", 1, "ORC|NW|F1^LAB|P1^DPI^2"),
        ("ORC-2: ORC-4", 1, "ORC|NW||F1^DPI^2|P1^LAB"),
        ("OBR-2: OBR-3", 2, 'OBR|1||""'),
        ("OBR-4: OBR-5", 2, 'OBR|1|""'),
    ],
)
def test_swap(run, pairs, line, after):
    """As they stand, structure and nulls too; an absent one is exchanged for what is there."""
    assert run(f"  - swap: {{ {pairs} }}", message=ORC).lines[line] == after


def test_refused(compiled):
    """Two parts of different kinds, and what doesn't lead to one value."""
    assert compiled("  - swap: { ORC-2: ORC-3.1 }").codes == ["E118"]
    assert compiled("  - swap: { 'PID-3[*]': PID-2 }").codes == ["E112"]
