"""A test that failed, as people read it."""

from __future__ import annotations

from engine.trials.judging import judge
from engine.trials.report import failed, shortened
from engine.trials.running import run_case

TOLD = """\
FAILED r: a unit (routes.yaml:45)
  routes.yaml:48:26: dpi: PV1-4 is R, not X
  adt: ADT^A01 from gam, cha; it is delivered to dpi, it is delivered to bus
    input
      MSH|^~\\&|A|000000026|C|D|20260301||ADT^A01|9|P|2.5|||||FRA|UNICODE UTF-8
      PID|1||111^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI~AR9^^^ARCHIVES^MR||DOE^JANE||1984|F
      PV1|1|I|1010
    output 1-0 to dpi
      MSH|^~\\&|A|000000026|C|D|20260301||ADT^A01|1-0|P|2.5|||||FRA|UNICODE UTF-8
      PID|1||111^^^CHA-IPP&1.2.250.1.999.10.1&ISO^PI~AR9^^^ARCHIVES^MR||DOE^JANE||1984|F
      PV1|1|I|1010|R
    difference
      MSH-10 9 -> 1-0
      PV1-4 (absent) -> R
    output 1-1 to bus ght/cha/adt/A01
      {"unit":"1010"}"""


def test_input_output_and_difference(loaded):
    """Where the expectation stands, what went in, what came out, what differs."""
    made = loaded(
        "      - name: a unit\n        source: gam\n        given: adt.hl7\n        expect: { dpi: { PV1-4: X } }"
    )
    [case] = made.configuration.cases
    session = run_case(made.configuration, case)
    assert "\n".join(failed(case, judge(case, session), session)) == TOLD


def test_of_several_messages_only_those_that_are_judged(loaded):
    """A sequence of twenty isn't printed for one that failed."""
    made = loaded("      - { name: t, source: gam, given: [adt.hl7, a40.hl7], expect: { dpi: { PV1-4: X } } }")
    [case] = made.configuration.cases
    session = run_case(made.configuration, case)
    told = "\n".join(failed(case, judge(case, session), session))
    assert "  a40: ADT^A40" in told
    assert "  adt: ADT" not in told


def test_long_lines_are_cut():
    """A document in a field isn't what one reads."""
    assert shortened("x" * 5000).endswith("… (5,000 characters)")
    assert shortened("x" * 300) == "x" * 300
