"""One message step by step, as plain values."""

from __future__ import annotations

import json

from engine.trials.following import follow
from engine.trials.messages import taken
from engine.trials.telling import plain, told
from tests.unit.trials.conftest import ADT


def test_told(loaded):
    """Steps with their lines, changes, what is left; deliveries with their lanes; fit for JSON."""
    configuration = loaded("").configuration
    stored = taken(ADT.replace("\n", "\r").encode(), configuration.sources["gam"], 1)
    answer = told(follow(configuration, "r", stored, "m"), configuration, plain, bodies=True)
    json.dumps(answer)
    assert (answer["message"], answer["source"], answer["site"], answer["type"]) == ("m", "gam", "cha", "ADT^A01")
    assert (answer["when"], answer["wanted"]) == ("event != Z99", True)
    first = answer["steps"][0]
    assert first["changes"] == [{"path": "PV1-4", "old": None, "new": "R"}]
    assert first["where"].startswith("routes.yaml:")
    dpi, bus = answer["exits"]
    assert (dpi["destination"], dpi["deliveries"][0]["state"], dpi["deliveries"][0]["lanes"]) == ("dpi", "delivered", 1)
    assert bus["steps"][0]["body"] == '{"unit":"1010"}'
    assert bus["deliveries"][0]["target"] == "ght/cha/adt/A01"


def test_bodies_may_be_kept_back(loaded):
    """Only their size is told then."""
    configuration = loaded("").configuration
    stored = taken(ADT.replace("\n", "\r").encode(), configuration.sources["gam"], 1)
    answer = told(follow(configuration, "r", stored, "m"), configuration, lambda _: [], bodies=False)
    assert answer["exits"][1]["steps"][0]["body"] == "(15 bytes)"
    assert answer["steps"][0]["changes"] == []
