"""`reject` ends the message with a negative answer."""

from __future__ import annotations

import pytest

from engine.transforms.step import Rejected


def test_code_and_reason(run):
    """Code and reason are told; a condition that doesn't hold rejects nothing."""
    with pytest.raises(Rejected) as caught:
        run('  - reject: { code: AR, reason: "{event} not for {site}" }')
    assert (caught.value.code, caught.value.reason) == ("AR", "A01 not for cha")
    run("  - reject: { code: AE, reason: never }\n    when: event == Z99")


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("{ code: AA, reason: no }", "E110"), ("{ code: AE }", "E120"), ("{ reason: no }", "E105"),
        ('{ code: AE, reason: "{PID-5.1}" }', "E114"),
    ],
)  # fmt: skip
def test_refused(compiled, argument, code):
    """Only AE and AR, with a reason that holds no value of the message."""
    assert compiled(f"  - reject: {argument}").codes == [code]
