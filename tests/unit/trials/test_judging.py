"""What a test expects, compared with what became of its messages."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("adt.hl7", "{ dpi: delivered }"),
        ("adt.hl7", "{ site: cha, findings: 'tag:seen' }"),
        ("{ file: adt.hl7, with: { MSH-9.2: A02, PV1-3: '2020' } }", "{ dpi: { PV1-3: '2020' }, bus: nothing }"),
        ("[adt.hl7, other.hl7, a40.hl7]", "{ dpi: { order: [adt, other, a40], lanes: { adt: 1, a40: 2 } } }"),
        ("[adt.hl7, other.hl7, a40.hl7]", "{ dpi: { waits_for: { a40: [adt] } } }"),
        ("[adt.hl7, other.hl7, a40.hl7]", "{ dpi: { waits_for: { other: [] } } }"),
        (
            "[adt.hl7, { file: adt.hl7, name: again, with: { MSH-9.2: A08 } }]",
            "{ filtered: yes, messages: { adt: { dpi: { PV1-4: R } } } }",
        ),
    ],
)
def test_met(failures, given, expect):
    """Sites, findings, destinations, order and lanes."""
    assert failures(given, expect) == []


@pytest.mark.parametrize(
    ("given", "expect", "sentence"),
    [
        (
            "adt.hl7",
            "{ dpi: nothing }",
            "dpi: 0 deliveries were expected, there are 1: it is delivered to dpi, it is delivered to bus",
        ),
        ("adt.hl7", "{ raw: delivered }", "raw: 1 delivery was expected, there are 0"),
        ("adt.hl7", "{ dpi: [ { PV1-4: R }, { PV1-4: R } ] }", "dpi: 2 deliveries were expected, there are 1"),
        ("adt.hl7", "{ dpi: { split: 3 } }", "dpi: 3 deliveries were expected, there are 1"),
        ("adt.hl7", "{ site: chb }", "the site is cha, not chb"),
        ("adt.hl7", "{ findings: 'tag:x' }", "there is no finding tag:x; found: tag:seen"),
        (
            "[adt.hl7, other.hl7]",
            "{ dpi: { order: [other, adt] } }",
            "other: dpi: they leave as adt, other; expected: other, adt",
        ),
        ("[adt.hl7, other.hl7]", "{ dpi: { waits_for: { other: adt } } }", "other: dpi: other doesn't wait for adt"),
        ("[adt.hl7, a40.hl7]", "{ dpi: { waits_for: { a40: [] } } }", "a40: dpi: a40 waits for others"),
        ("[adt.hl7, a40.hl7]", "{ dpi: { lanes: { a40: 1 } } }", "a40: dpi: the number of lanes of a40 is 2, not 1"),
    ],
)
def test_not_met(failures, given, expect, sentence):
    """What is, and what was expected."""
    [found] = failures(given, expect)
    assert found.startswith(sentence)


def test_all_at_once(failures):
    """Each expectation that isn't met is told."""
    assert len(failures("adt.hl7", "{ site: chb, dpi: { PV1-4: X, PID-8: M }, bus: nothing }")) == 4
