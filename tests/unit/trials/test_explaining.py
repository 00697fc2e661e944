"""Why a route wants a message."""

from __future__ import annotations

from typing import Any

import pytest

from engine.trials.explaining import explain, told
from engine.trials.messages import taken
from tests.unit.trials.conftest import ADT

ROUTES = """routes:
  r:
    from: [gam, lis]
    when: type == ADT and (PID-8 == M or not PID-3[*].1 in [999])
    steps:
      - set: { PID-8: M }
      - drop: enough
        when: event == A08
    to:
      - dpi
      - { destination: bus, when: PID-8 == M and event == A02 }
      - { destination: raw, when: length(PID-5.1) < 10 and PID-5.1 > 3 }
"""


@pytest.fixture
def explained(loaded, tmp_path) -> Any:
    """Ask the route r about a message; values are shown between brackets, with their paths."""

    def go(message: str = ADT, routes: str = ROUTES, source: str = "gam") -> Any:
        from engine.routes import load
        from tests.unit.routes.conftest import SMALL

        (tmp_path / "routes.yaml").write_text(SMALL + routes)
        configuration = load(tmp_path / "routes.yaml", environment={})
        stored = taken(message.replace("\n", "\r").encode(), configuration.sources[source], 1)
        return told(explain(configuration, "r", stored, "m"), lambda path, value: f"{path}={value}")

    return go


def flat(row: dict[str, Any] | None) -> list[Any]:
    if row is None:
        return []
    mine = (row["text"], row["holds"], row.get("values", []))
    return [mine, *(one for part in row.get("clauses", []) for one in flat(part))]


def test_each_clause(explained):
    """As it is written, with its truth and what it saw; also what `or` would have left out."""
    row = explained()
    assert flat(row["when"]) == [
        ("type == ADT and (PID-8 == M or not PID-3[*].1 in [999])", True, []),
        ("type == ADT", True, ["type=ADT"]),
        ("PID-8 == M or not PID-3[*].1 in [999]", True, []),
        ("PID-8 == M", False, ["PID-8=F"]),
        ("not PID-3[*].1 in [999]", True, []),
        ("PID-3[*].1 in [999]", False, ["PID-3[*].1=111", "PID-3[*].1=AR9"]),
    ]
    assert (row["asked"], row["site"], row["source"], row["type"]) == (True, "cha", "gam", "ADT^A01")


def test_exits_see_what_the_steps_left(explained):
    """A condition of `to:` is asked of the changed message; one that fails says why, without its value."""
    row = explained()
    exits = {one["destination"]: one["when"] for one in row["exits"]}
    assert exits["dpi"] is None
    assert flat(exits["bus"])[1:] == [("PID-8 == M", True, ["PID-8=M"]), ("event == A02", False, ["event=A01"])]
    assert exits["raw"]["holds"] is None
    assert exits["raw"]["clauses"][1]["trouble"] == "E-COMPARE PID-5.1: > compares a number with what is none"
    assert row["ending"].startswith("it is delivered to dpi, it is dead for raw (E-COMPARE")


def test_not_wanted_and_not_asked(explained):
    """Exits are asked when the route wants the message and its steps let it through; a message without site comes
    to no route."""
    row = explained(ADT.replace("ADT^A01", "ORU^R01"))
    assert (row["when"]["holds"], row["exits"]) == (False, [])
    assert explained(ADT.replace("ADT^A01", "ADT^A08"))["exits"] == []
    lost = explained(ADT.replace("000000026", "NOBODY"), source="lis")
    assert (lost["asked"], lost["when"]) == (False, None)
    assert "E-SITE-UNKNOWN" in lost["ending"]


def test_another_route_takes_it(explained):
    """What this route leaves isn't unrouted where others want it."""
    answer = explained(
        routes="""routes:
  r: { from: gam, when: type == ORU, to: dpi }
  s: { from: gam, when: type == ADT, to: dpi }
  t: { from: gam, when: type == ADT, to: bus }
"""
    )
    assert answer["wanted_by"] == ["s", "t"]
    assert answer["ending"] == "it is routed by s, t, not by this route"


def test_a_route_without_condition(explained):
    """It wants everything."""
    row = explained(routes="routes:\n  r: { from: [gam, lis], to: [dpi, bus, raw] }\n")
    assert (row["asked"], row["when"], [one["when"] for one in row["exits"]]) == (True, None, [None, None, None])


def test_what_is_asked_is_what_the_router_asks(explained, loaded):
    """The explanation's truth is that of the evaluation."""
    for message in (ADT, ADT.replace("|F", "|M"), ADT.replace("ADT^A01", "ORU^R01"), ADT.replace("|111^", "|999^")):
        row = explained(message)
        assert row["when"]["holds"] is ("delivered to dpi" in row["ending"])
