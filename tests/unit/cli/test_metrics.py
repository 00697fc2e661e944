"""`passerelle metrics`."""

from __future__ import annotations

import json


def test_text_for_prometheus(passerelle, live) -> None:
    """Of the running engine; also while it is degraded the exit code is 0, or nobody would see the figures."""
    live.facts["dpi"] = {"state": "down", "why": "dpi accepts no connection"}
    shown = passerelle("metrics")
    assert shown.exit_code == 0
    assert "# TYPE passerelle_up gauge\npasserelle_up 1\n" in shown.stdout
    assert 'passerelle_destination_outage{destination="dpi"} 1' in shown.stdout
    assert json.loads(passerelle("metrics", "--json").stdout)["engine"] == "degraded"


def test_without_data_there_are_none(passerelle) -> None:
    """69, as every question."""
    assert passerelle("metrics").exit_code == 69
