"""`passerelle queue`."""

from __future__ import annotations

import json


def test_queues_in_a_pipe(passerelle, live) -> None:
    """Ids are whole, columns that are empty everywhere are left out."""
    assert "dpi" in passerelle("queue", "ls").stdout
    shown = passerelle("queue", "show", "dpi").stdout
    assert "2-0" in shown
    assert "reason" not in shown
    lanes = passerelle("queue", "lanes", "dpi")
    assert "000000000000004d" in lanes.stdout
    assert "1 lanes" in lanes.stderr


def test_json_lines(passerelle, live) -> None:
    """One object each, with a version."""
    rows = [json.loads(line) for line in passerelle("queue", "show", "dpi", "--json").stdout.splitlines()]
    assert [(row["v"], row["id"]) for row in rows] == [(1, "2-0")]


def test_an_unknown_destination(passerelle, live) -> None:
    """One sentence, exit code 1."""
    shown = passerelle("queue", "show", "dpo")
    assert (shown.exit_code, shown.stderr) == (1, "passerelle: there is no destination 'dpo'; there are dpi\n")


def test_a_dead_delivery_has_no_next_attempt(passerelle, monkeypatch) -> None:
    """Its moment is when results pass; what is past is `now`."""
    monkeypatch.setattr("engine.cli.queue.now_ms", lambda: 1_700_000_000_000)
    rows = [
        {"id": "1-0", "state": "dead", "due_ms": 0, "results_pass_ms": 1_700_000_600_000},
        {"id": "2-0", "state": "pending", "due_ms": 1_600_000_000_000},
        {"id": "3-0", "state": "pending", "due_ms": 0},
        {"id": "4-0", "state": "dead", "due_ms": 0, "results_pass_ms": 0},
    ]
    monkeypatch.setattr("engine.cli.queue.ask", lambda *_, **__: {"rows": rows})
    lines = passerelle("queue", "show", "dpi").stdout.splitlines()
    assert "results pass at 2023-11-14 22:23:20" in lines[1]
    assert lines[2].split() == ["2-0", "pending", "now"]
    assert lines[3].split() == ["3-0", "pending"]
    assert lines[4].split() == ["4-0", "dead", "all", "waits"]


def test_a_queue_says_why_nothing_leaves(passerelle, live) -> None:
    """The sentence of `status` stands below what waits."""
    live.facts["dpi"] = {"circuit": "open", "why": "dpi can't be reached for 4 s"}
    shown = passerelle("queue", "show", "dpi")
    assert "dpi can't be reached for 4 s" in shown.stderr
    assert json.loads(passerelle("queue", "show", "dpi", "--json").stdout.splitlines()[0])["id"] == "2-0"


def test_a_fence_is_called_so(passerelle, live) -> None:
    """It has no type of a message; a row of the lanes has none either."""
    from engine.cli.queue import _type

    assert [_type(row) for row in ({"kind": "fence", "type": ""}, {"kind": "own", "type": "ADT^A01"}, {})] == [
        "fence", "ADT^A01", ""
    ]  # fmt: skip
