"""How messages end, as a test expects it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("{ file: adt.hl7, with: { MSH-9.2: A08 } }", "{ filtered: yes }"),
        ("{ file: adt.hl7, with: { MSH-9.2: A08 } }", "{ filtered: enough, dpi: nothing }"),
        ("{ file: adt.hl7, with: { MSH-9.2: Z99 } }", "{ unrouted: { code: E-UNROUTED } }"),
        ("{ file: adt.hl7, with: { PV1-10: X } }", "{ dead_letter: { code: E-MAP-MISS, field: PV1-10 } }"),
        ("{ file: adt.hl7, with: { PV1-10: X } }", "{ dead_letter: E-MAP-MISS }"),
        ("{ file: adt.hl7, with: { PV1-10: X } }", "{ dpi: { dead_letter: { reason: table codes } } }"),
    ],
)
def test_met(failures, given, expect):
    """Each ending, by its code, field or reason."""
    assert failures(given, expect) == []


@pytest.mark.parametrize(
    ("given", "expect", "sentence"),
    [
        ("adt.hl7", "{ filtered: yes }", "to be filtered was expected, but it is delivered to dpi"),
        ("adt.hl7", "{ dead_letter: E-MAP-MISS }", "a dead letter E-MAP-MISS was expected, but it is delivered"),
        (
            "{ file: adt.hl7, with: { PV1-10: X } }",
            "{ dead_letter: { code: E-MAP-MISS, field: PV1-9 } }",
            "a dead letter E-MAP-MISS PV1-9 was expected, but it is dead for dpi (E-MAP-MISS PV1-10: ",
        ),
        (
            "{ file: adt.hl7, with: { MSH-9.2: A08 } }",
            "{ filtered: other }",
            'to be filtered "other" was expected, but it is filtered (E-FILTERED: enough)',
        ),
        (
            "{ file: adt.hl7, with: { MSH-14: p1 }, without: [PID] }",
            "{ filtered: yes }",
            (
                "to be filtered was expected, but it is waiting (E-FRAGMENT-WAITING MSH-14: it continues another "
                "message: it waits for the other parts of the whole; to try it as a whole, put all parts into one "
                "file, in their order)"
            ),
        ),
    ],
)
def test_not_met(failures, given, expect, sentence):
    """What was expected, and what became of the message."""
    [found] = failures(given, expect)
    assert found.startswith(sentence)
