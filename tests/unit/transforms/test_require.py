"""`require` stops the route."""

from __future__ import annotations

import pytest

from engine.errors import StepFailed

STEP = (
    '  - require:\n      all:\n        - { when: PID-5.1 exists, else: "no name" }\n'
    '        - { when: PV1-2 == E, else: "{event} of {site} wants class E" }'
)


def test_sentence(run):
    """The sentence of the first condition that doesn't hold reaches the operator."""
    with pytest.raises(StepFailed) as caught:
        run(STEP)
    assert (caught.value.code, caught.value.reason) == ("E-REQUIRE", "A01 of cha wants class E")


def test_no_value_in_the_sentence(compiled):
    """A path in the sentence would show a patient's value: it doesn't load."""
    assert compiled('  - require: { all: [ { when: PID-5 exists, else: "{PID-5}" } ] }').codes == ["E114"]
    assert compiled('  - require: { all: [ { when: PID-5 exists, else: "{nda}" } ] }').codes == ["E114"]
    assert compiled("  - require: { all: [ { when: PID-5 exists } ] }").codes == ["E120"]
