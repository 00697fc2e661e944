"""What happens to a message whose wait is over, in words."""

from __future__ import annotations

import pytest

from engine.operations.waits import what_follows
from engine.routes.loader import load
from tests.support.officers import ROUTES

LAB = "  lab: { type: mllp, site: chb, listen: 127.0.0.1:6104, fragments: { join: 5m, then: deliver } }\n"


def configuration(tmp_path, rule: str):
    """A laboratory whose results wait."""
    step = f"normalise_identity: {{ on_unknown: {rule}, on_conflict: dead_letter }}"
    text = ROUTES.replace("destinations:", f"{LAB}destinations:") + (
        f"  oru:\n    from: [lab]\n    steps: [{{ {step} }}]\n    to: [dpi]\n"
    )
    file = tmp_path / "routes.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment={})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{ hold: 72h, then: dead_letter }", "it becomes a dead letter"),
        ("{ hold: 72h, then: { send_to: dpi } }", "it goes to dpi"),
    ],
)
def test_after_a_wait_for_a_patient(tmp_path, rule, words):
    """As the routes of its source say; those of others say nothing of it."""
    known = configuration(tmp_path, rule)
    assert what_follows(known, ["lab"], parts=False) == words
    assert what_follows(known, None, parts=False) == words
    assert what_follows(known, ["gam_cha"], parts=False) == ""


def test_after_a_wait_for_other_parts(tmp_path):
    """As the source says; of several, each of the words."""
    known = configuration(tmp_path, "mint")
    assert what_follows(known, ["lab"], parts=True) == "it goes on by itself, unless its patient may be cut"
    assert what_follows(known, ["gam_cha"], parts=True) == "it becomes a dead letter"
    words = "it becomes a dead letter or it goes on by itself, unless its patient may be cut"
    assert what_follows(known, None, parts=True) == words
    assert what_follows(None, None, parts=True) == ""
