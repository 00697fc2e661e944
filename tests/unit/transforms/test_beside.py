"""`label`, `when` and `on_error` of a step."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed
from engine.transforms.step import Dropped

FAILS = "{ set: { PV1-4: X, ZZZ-1: x }"


def test_without_on_error_the_route_stops(run):
    """So it does with `dead_letter`."""
    for words in ("", ", on_error: dead_letter"):
        with pytest.raises(StepFailed):
            run(f"  - {FAILS}{words} }}")


def test_keep_undoes_the_step(run):
    """What the step did before it failed isn't seen; the next steps run."""
    done = run(f"  - {FAILS}, on_error: keep }}\n  - set: {{ PV1-5: Y }}")
    assert done.lines[2] == "PV1|1|I|1010^2||Y"
    assert done.context.findings == []


def test_flag_leaves_a_finding(run):
    """The word, and the code of the failure; what the step itself had left is taken back."""
    steps = f"  - {FAILS}, on_error: {{ flag: odd }} }}"
    assert run(steps).context.findings == ["odd E-NO-SEGMENT"]


def test_in_foreach_each_segment_by_itself(run):
    """One that fails stays as it was; the others are done, and the segment at hand is still one of the message."""
    done = run(
        "  - foreach: OBX\n    do:\n"
        "      - { map: { field: .3.1, table: codes, match: { code: '{value}' }, take: to, on_missing: dead_letter },"
        " on_error: { flag: code } }\n"
        "      - set: { .4: seen }",
        message="MSH|^~\\&|A\rOBX|1|CE|A\rOBX|2|CE|Q\rOBX|3|CE|B\r",
    )
    assert done.lines[1:4] == ["OBX|1|CE|a|seen", "OBX|2|CE|Q|seen", "OBX|3|CE|b|seen"]
    assert done.context.findings == ["code E-MAP-MISS"]


def test_a_condition_that_fails_is_a_failure_of_its_step(run):
    """E-COMPARE is kept too."""
    done = run("  - { tag: x, when: PID-5.1 > 5, on_error: { flag: odd } }")
    assert (done.context.tags, done.context.findings) == ([], ["odd E-COMPARE"])


def test_segments_come_back(run):
    """Added and removed segments too."""
    done = run(
        "  - { foreach: PV1, do: [ { delete: [OBX] }, { add: { segment: NTE, after: PID } }, { set: { ZZZ-1: x } } ],"
        " on_error: keep }"
    )
    assert [line[:3] for line in done.lines] == ["MSH", "PID", "PV1", "OBX", "OBX", ""]


def test_drop_is_no_failure(run):
    """The route doesn't want the message: that isn't kept from happening."""
    with pytest.raises(Dropped):
        run("  - { drop: enough, on_error: keep }")


def test_a_label(compiled):
    """A label goes with its step, through condition and fallback; and so does its line."""
    [step] = compiled("  - { tag: x, label: why, when: event == A01, on_error: keep }").steps
    assert (step.verb, step.label, step.mark.line) == ("tag", "why", 2)


def test_refused(compiled):
    """An unknown word, a flag without a word."""
    assert compiled("  - { tag: x, on_error: stop }").codes == ["E110"]
    assert compiled("  - { tag: x, on_error: { } }").codes == ["E105"]
