"""One message through one route, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from engine.trials.following import Followed, follow
from engine.trials.messages import taken
from tests.unit.trials.conftest import ADT


@pytest.fixture
def followed(loaded) -> Any:
    """Follow a message through the route r."""

    def go(message: str = ADT, route: str = "r") -> Followed:
        configuration = loaded("").configuration
        stored = taken(message.replace("\n", "\r").encode(), configuration.sources["gam"], 1)
        return follow(configuration, route, stored, "m")

    return go


def seen(followed: Followed) -> list[tuple[str, int, list[str], str]]:
    return [
        (one.verb, one.runs, [f"{change.path} {change.old} -> {change.new}" for change in one.changes], one.stopped)
        for one in followed.steps
    ]


def test_each_step(followed):
    """What it changed and left; one whose condition doesn't hold didn't run."""
    done = followed()
    assert done.wanted is True
    assert seen(done) == [
        ("set", 1, ["PV1-4 None -> R"], ""), ("drop", 0, [], ""), ("map", 1, [], ""), ("tag", 1, [], ""),
    ]  # fmt: skip
    assert done.steps[3].left == ["tag:seen"]
    assert done.steps[0].mark is not None
    assert [one.body for one in done.exits["bus"]] == [b'{"unit":"1010"}']
    assert [one.destination for one in done.deliveries()] == ["dpi", "bus"]


def test_where_it_stops(followed):
    """The step that fails or drops says why; those after it didn't run."""
    assert seen(followed(ADT.replace("1010", "1010|||||||X")))[2:] == [
        ("map", 1, [], "E-MAP-MISS PV1-10: the code isn't in the table codes"), ("tag", 0, [], ""),
    ]  # fmt: skip
    assert seen(followed(ADT.replace("A01", "A08")))[1] == ("drop", 1, [], "dropped: enough")


def test_not_wanted(followed):
    """A condition that doesn't hold: no step ran, nothing is delivered."""
    done = followed(ADT.replace("A01", "Z99"))
    assert done.wanted is False
    assert {one.runs for one in done.steps} == {0}
    assert done.deliveries() == []
    assert followed(route="other").wanted is None


def test_foreach_and_tolerance(loaded, tmp_path):
    """Steps inside are seen each time that they run; one that is tolerated says what failed."""
    configuration = loaded("").configuration
    text = (tmp_path / "routes.yaml").read_text()
    text = text.replace("      - { tag: seen }\n", "      - foreach: OBX\n        do: [ { set: { .5: x } } ]\n"
                        "      - { set: { PV1-5: y, ZZZ-1: x }, on_error: keep }\n      - tag: last\n")  # fmt: skip
    (tmp_path / "routes.yaml").write_text(text)
    from engine.routes import load

    configuration = load(tmp_path / "routes.yaml", environment={})
    message = (ADT + "OBX|1\nOBX|2\n").replace("\n", "\r").encode()
    done = follow(configuration, "r", taken(message, configuration.sources["gam"], 1), "m")
    assert seen(done)[3:] == [
        ("set", 2, ["OBX[1]-5 None -> x", "OBX[2]-5 None -> x"], ""),
        ("set", 1, [], "E-NO-SEGMENT ZZZ-1: the message has no ZZZ segment; add one first: add: { segment: ZZZ }"),
        ("tag", 1, [], ""),
    ]


def test_as_received_runs_the_steps_again(loaded, tmp_path):
    """On the received bytes, when these aren't what the router works on: each step is told once all the same."""
    loaded("")
    text = (
        (tmp_path / "routes.yaml")
        .read_text()
        .replace("    to: [raw]", "    steps: [ { set: { PV1-4: R } } ]\n    to: [raw]")
    )
    (tmp_path / "routes.yaml").write_text(text)
    from engine.routes import load

    configuration = load(tmp_path / "routes.yaml", environment={})
    message = ADT.replace("\n", "\r\n").encode()
    done = follow(configuration, "other", taken(message, configuration.sources["gam"], 1), "m")
    assert seen(done) == [("set", 1, ["PV1-4 None -> R"], "")]
    assert done.deliveries()[0].rendered == message.replace(b"|1010\r", b"|1010|R\r")
