"""`copy` copies a value."""

from __future__ import annotations


def test_copies_structure_where_it_fits(run):
    """A whole repetition keeps its components; into a component it is escaped."""
    done = run("  - copy: { PID-5: PID-6, PID-5.2: PID-10.1 }")
    assert 'PID|1||111^^^X&1.2.3.1&ISO^PI~222^^^Y^MR||DOE^JANE|DOE^JANE|19840312|F|""|JANE' in done.text
    assert "|DOE\\S\\JANE" in run("  - copy: { PID-5: PID-10.1 }").text


def test_absent_or_null_is_skipped(run):
    """Nothing to copy, nothing done."""
    assert run("  - copy: { PID-9: PID-8, PID-30: PID-5 }").lines[1].count("DOE^JANE||19840312|F") == 1
