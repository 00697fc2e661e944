"""Paths that lead to values."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("step", ["set: { PID: x }", "default: { MSH-2: x }", "copy: { ZFP: PID-2 }",
                                  "set: { MSH-1: x }",
                                  "map: { field: PV1, table: codes, take: to, on_missing: keep }"])  # fmt: skip
def test_a_segment_or_delimiters_are_no_value(compiled, step):
    """Told when the configuration loads, not when a message passes."""
    made = compiled(f"  - {step}")
    assert made.codes == ["E112"]
    assert made.findings[0].hint
