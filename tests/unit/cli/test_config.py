"""`passerelle apply`, `confirm`, `rollback`, `config`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.operations.test_changing import ROUTES


def test_apply_says_what_changes_first(passerelle, live, tmp_path: Path) -> None:
    """Then asks, then does it; the number is the number of differences."""
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES)
    shown = passerelle("apply", "--routes", str(live.running.path), "--reason", "r", "--expect", "5", "--yes")
    assert shown.exit_code == 3, shown.output
    shown = passerelle(
        "apply", "--routes", str(live.running.path), "--reason", "r", "--yes", "--confirm", "10m", "--expect", "10"
    )
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[:2] == ["~ site cha", "~ source gam_cha"]
    assert "+ destination record" in lines
    assert "- destination dpi" in lines
    assert "  queue dpi: 1 delivery waits; can't be removed while something waits for it" in lines
    assert "it goes back by itself after 10m, unless confirmed" in lines
    assert lines[-1] == "1 done: runs now on trial: passerelle confirm lets it stay"
    assert passerelle("confirm", "--reason", "seen").exit_code == 0
    assert passerelle("apply", "--confirmed").exit_code == 0
    assert [one[0] for one in live.running.asked] == ["apply", "confirm", "confirm"]


def test_a_file_that_runs_already_is_no_trial(passerelle, live, tmp_path: Path) -> None:
    """Nothing changes: it doesn't say that it would go back."""
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES)
    words = ("apply", "--reason", "r", "--yes", "--confirm", "10m", "--expect")
    assert passerelle(*words, "10").exit_code == 0
    shown = passerelle(*words, "0")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines()[:3] == [
        "nothing changes", "0 differences", f"{live.runs.hash} runs already; there is nothing to confirm",
    ]  # fmt: skip
    assert "goes back" not in shown.stdout


def test_a_plan_shows_the_lines_that_differ(passerelle, live, tmp_path: Path) -> None:
    """The first ones behind the list, all with --diff."""
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES)
    assert passerelle("apply", "--reason", "r", "--yes", "--expect", "10").exit_code == 0
    live.running.path.write_text(ROUTES.replace("5500", "5501") + "# a note\n" * 40)
    shown = passerelle("plan")
    lines = shown.stdout.splitlines()
    assert lines[0] == "~ destination record"
    assert "-  record: { type: mllp, connect: 127.0.0.1:5500 }" in lines
    assert "+  record: { type: mllp, connect: 127.0.0.1:5501 }" in lines
    assert lines[-1] == "and 20 more lines: --diff shows all"
    whole = passerelle("plan", "--diff").stdout.splitlines()
    assert whole.count("+# a note") == 40
    live.running.path.write_text(ROUTES)
    assert passerelle("plan").stdout.splitlines() == ["nothing changes", "0 differences"]


def test_a_refused_file_exits_with_78(passerelle, live, tmp_path: Path) -> None:
    """One sentence, and the running one stays."""
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES.replace("version: 1", "version: 2"))
    shown = passerelle("apply", "--routes", str(live.running.path), "--reason", "r", "--yes")
    assert shown.exit_code == 78
    assert shown.stderr.startswith("passerelle: routes.yaml has 1 error; the first: routes.yaml:2:")


def test_the_log_is_empty_before_anything_ran(passerelle, live) -> None:
    """No error; there is nothing to go back to."""
    assert passerelle("config", "log").stdout.strip() == "none ran here"
    shown = passerelle("rollback", "--yes", "--reason", "r")
    assert (shown.exit_code, shown.stderr.split(":")[1].strip()) == (1, "no other configuration ran before this one")


@pytest.mark.parametrize(
    "command",
    [("plan",), ("apply", "--yes", "--reason", "r"), ("try", "adt", "--message", "1"),
     ("explain", "adt", "--message", "1")],
)  # fmt: skip
def test_a_file_that_is_named_and_isnt_there(passerelle, live, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Is never taken for the engine's own."""
    shown = passerelle(*command, "--routes", str(tmp_path / "nope.yaml"))
    assert shown.exit_code == 78
    assert shown.stderr.startswith(f"passerelle: there is no configuration at '{tmp_path / 'nope.yaml'}'")
    assert live.running.asked == []


def test_without_a_name_the_engines_own_is_meant(passerelle, live, tmp_path: Path, monkeypatch) -> None:
    """From whatever folder somebody asks."""
    live.running.path = tmp_path / "engine.yaml"
    live.running.path.write_text(ROUTES)
    monkeypatch.delenv("PASSERELLE_ROUTES")
    monkeypatch.chdir(tmp_path)
    shown = passerelle("plan")
    assert shown.exit_code == 1
    assert "+ destination record" in shown.stdout


def test_programs_read_json(passerelle, live, tmp_path: Path) -> None:
    """An object of `plan`, a line for each outcome of `apply`, each row of the log; the exit codes are the same."""
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES)
    shown = passerelle("plan", "--shadow", "10", "--json")
    assert shown.exit_code == 1
    plan = json.loads(shown.stdout)
    assert plan["differs"]
    assert plan["changes"]["destinations"]["added"] == ["record"]
    assert plan["effect"]["messages"] == 6
    count = str(plan["count"])
    shown = passerelle("apply", "--json", "--yes", "--expect", count, "--reason", "r", "--confirm", "10m")
    assert shown.exit_code == 0
    [done] = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (done["id"], done["accepted"]) == (plan["hash"], True)
    assert json.loads(passerelle("confirm", "--json").stdout)["outcome"] == "confirmed: it stays"
    assert passerelle("config", "log", "--json").stdout == ""
    again = passerelle("plan", "--json")
    assert (again.exit_code, json.loads(again.stdout)["count"]) == (0, 0)


def test_a_refusal_is_json_too(passerelle, live, tmp_path: Path) -> None:
    """On stderr, with the exit code of a refused configuration."""
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text("version: 2\n")
    for command in (("plan",), ("apply", "--yes", "--reason", "r")):
        shown = passerelle(*command, "--json")
        assert (shown.exit_code, shown.stdout) == (78, "")
        assert "routes.yaml:1:" in json.loads(shown.stderr)["error"]
