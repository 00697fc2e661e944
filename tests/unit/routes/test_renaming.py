"""What was received under a former name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import delivery_id
from engine.routes.evaluation import evaluate, render_again
from engine.routes.renaming import Renamed

ROUTES = "routes:\n  r1:\n    from: [adm]\n    when: source == adm\n    to: [dpi]\n"


def test_lookups_alone_know_former_names() -> None:
    """What lists, counts or compares declarations sees those of the file."""
    found = Renamed({"adm": 1, "lab": 2}, {"gam": "adm", "lab": "adm", "old": "gone"})
    assert (found["gam"], found.get("gam"), found["lab"], found.get("lab")) == (1, 1, 2, 2)
    assert found.get("old") is None
    assert found.get("old", 7) == 7
    with pytest.raises(KeyError):
        found["old"]
    assert "gam" not in found
    assert list(found) == ["adm", "lab"]
    assert found == {"adm": 1, "lab": 2}


def test_what_waited_or_died_follows_its_source(small, references, stored) -> None:
    """It is routed, and retried, as if it had come under the new name."""
    from tests.unit.routes.conftest import SMALL

    base = SMALL.replace("  gam: {", "  adm: { renamed_from: gam,")
    assert base != SMALL
    configuration = small(ROUTES, base=base)
    message = stored(b"MSH|^~\\&|GAM|CHA|||2026||ADT^A01|1|P|2.5\rPID|1||42^^^CHA^PI\rPV1|1|I\r", "gam")
    decision = evaluate(configuration, message, references)
    assert decision.state is MessageState.ROUTED
    assert decision.deliveries[0].lanes != (references.hash("source", "", "gam"),), "that of the patient"
    nobody = replace(message, raw=message.raw.replace(b"42^^^CHA^PI", b""), source="adm")
    assert evaluate(configuration, nobody, references).deliveries[0].lanes == (references.hash("source", "", "gam"),)
    again = render_again(configuration, message, references, "r1", "dpi", delivery_id(7, 0))
    assert again.state is DeliveryState.PENDING
    assert message.source == "gam", "its row and its counts stay as they are"
