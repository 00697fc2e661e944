"""`passerelle status`."""

from __future__ import annotations

import json


def test_the_balance_is_the_last_line(passerelle, live) -> None:
    """After the headline, the destinations and the sources; nothing is coloured in a pipe."""
    shown = passerelle("status")
    lines = shown.stdout.rstrip("\n").split("\n")
    assert shown.exit_code == 0
    assert lines[0].startswith("engine running for ")
    assert lines[-1] == "received 6 = delivered 1 + waiting 1 + dead 3 + filtered 1 + duplicate 0   difference 0"
    assert any(line.startswith("dpi") and "waiting" in line for line in lines)
    assert "\x1b" not in shown.stdout


def test_a_degraded_engine_exits_with_1_and_says_why(passerelle, live) -> None:
    """The sentence stands below the headline."""
    live.facts["dpi"] = {"state": "down", "why": "dpi accepts no connection since 16:58:30"}
    shown = passerelle("status")
    assert shown.exit_code == 1
    assert "dpi accepts no connection since 16:58:30" in shown.stdout.split("\n")[1]


def test_json_is_one_line(passerelle, live) -> None:
    """With everything that the screen of the demo needs."""
    shown = passerelle("status", "--json")
    answer = json.loads(shown.stdout)
    assert shown.stdout.count("\n") == 1
    assert {"engine", "headline", "destinations", "sources", "balance", "problems", "now_ms"} <= answer.keys()


def test_watch_goes_on_until_interrupted(passerelle, live, monkeypatch) -> None:
    """One status after the other in a pipe."""
    turns = iter([None, None])

    def nap(_: float) -> None:
        if next(turns, "over") == "over":
            raise KeyboardInterrupt

    monkeypatch.setattr("engine.cli.status.time.sleep", nap)
    shown = passerelle("status", "--watch", "--json")
    assert len(shown.stdout.strip().split("\n")) == 3


def test_open_alerts_and_findings_have_lines(passerelle, live) -> None:
    """Since when; what was odd in the messages of a source, when there is some."""
    assert "findings" not in passerelle("status").stdout
    live.alerts = {"open": [{"code": "outage", "subject": "dpi", "sentence": "dpi: no answer", "at_ms": 1000}]}
    live.source_facts = {"findings": {"charset-unknown": 1200}}
    shown = passerelle("status").stdout
    assert any(line.startswith("  alert since 1970-01-01") and line.endswith(": dpi: no answer")
               for line in shown.splitlines())  # fmt: skip
    assert "findings (`passerelle code WORD` explains one)\n  gam_cha: charset-unknown 1,200\n" in shown


def test_ctrl_c_ends_the_watch_quietly(passerelle, live, monkeypatch) -> None:
    """No word, exit code 0."""

    def nap(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.cli.status.time.sleep", nap)
    shown = passerelle("status", "--watch")
    assert (shown.exit_code, shown.stderr) == (0, "")


def test_dead_letters_have_a_line(passerelle, live) -> None:
    """With the command to go on."""
    assert "  3 dead letters: `passerelle dead groups`\n" in passerelle("status").stdout


def test_an_answer_of_an_older_engine_is_shown(passerelle, live, monkeypatch) -> None:
    """Fields that it doesn't have are left out."""
    monkeypatch.setattr("engine.cli.status.ask", lambda _: {"v": 1, "engine": "running", "headline": "engine running"})
    shown = passerelle("status")
    assert (shown.exit_code, shown.stdout.strip()) == (0, "engine running")
