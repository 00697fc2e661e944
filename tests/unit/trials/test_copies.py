"""What a test expects of one delivery."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("adt.hl7", "{ dpi: { PV1-4: R } }"),
        ("adt.hl7", "{ dpi: { PV1-4: R, PID-8: F, PID-9: '', 'PID-3[*].1': ['111', AR9], 'PID-3[@ipp].1': '111' } }"),
        ("adt.hl7", "{ dpi: { that: [ PV1-4 == R, 'length(PID-5.1) == 3', site == cha ] } }"),
        ("adt.hl7", "{ dpi: { unchanged: [PID, PV1-3], changed_only: PV1-4 } }"),
        ("adt.hl7", '{ bus: { topic: ght/cha/adt/A01, body: \'{"unit":"1010"}\' } }'),
        ("adt.hl7", "{ bus: { body: { unit: '1010' } } }"),
        ("{ file: adt.hl7, without: PV1 }", "{ dpi: { changed_only: [] } }"),
    ],
)
def test_met(failures, given, expect):
    """Values, conditions, what must not change, topic and body."""
    assert failures(given, expect) == []


@pytest.mark.parametrize(
    ("given", "expect", "sentence"),
    [
        ("adt.hl7", "{ dpi: { PV1-4: X } }", "dpi: PV1-4 is R, not X"),
        ("adt.hl7", "{ dpi: { PID-9: X } }", "dpi: PID-9 is absent, not X"),
        ("adt.hl7", "{ dpi: { PID-8: '' } }", "dpi: PID-8 is F, not nothing"),
        ("adt.hl7", "{ dpi: { 'PID-3[*].1': '111' } }", "dpi: PID-3[*].1 is 111, AR9, not 111"),
        ("adt.hl7", "{ dpi: { that: PV1-4 == X } }", "dpi: PV1-4 == X: doesn't hold for what is delivered"),
        ("adt.hl7", "{ dpi: { that: PID-5.1 > 5 } }", "dpi: PID-5.1 > 5: can't be asked: E-COMPARE PID-5.1"),
        ("adt.hl7", "{ dpi: { unchanged: [PV1] } }", "dpi: PV1 changed: PV1-4 None -> R"),
        ("adt.hl7", "{ dpi: { changed_only: [PV1-3, PID] } }", "dpi: PV1-4 changed too: None -> R"),
        ("adt.hl7", "{ bus: { topic: x } }", "bus: the topic is ght/cha/adt/A01, not x"),
        ("adt.hl7", "{ bus: { body: '{}' } }", 'bus: the body is {"unit":"1010"}, not {}'),
        ("adt.hl7", "{ bus: { body: { unit: X } } }", "bus: unit of the body is 1010, not X"),
        ("adt.hl7", "{ bus: { body: { x: X } } }", "bus: the body has no x"),
        ("adt.hl7", "{ dpi: { body: { x: X } } }", "dpi: the body is no JSON object"),
        ("adt.hl7", "{ bus: { PID-3: X } }", "bus: what is delivered is no message of which paths could be asked"),
        ("{ file: adt.hl7, with: { PV1-10: X } }", "{ dpi: { PV1-4: R } }", "dpi: it is dead (E-MAP-MISS PV1-10: "),
    ],
)
def test_not_met(failures, given, expect, sentence):
    """What is, and what was expected."""
    [found] = failures(given, expect)
    assert found.startswith(sentence)
