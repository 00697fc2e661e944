"""`passerelle apply`, `confirm`, `rollback`, `config`."""

from __future__ import annotations

from pathlib import Path

from tests.unit.operations.test_changing import ROUTES


def test_apply_says_what_changes_first(passerelle, live, tmp_path: Path) -> None:
    """Then asks, then does it; the number is the number of differences."""
    live.running.path = tmp_path / "routes.yaml"
    live.running.path.write_text(ROUTES)
    shown = passerelle("apply", "--routes", str(live.running.path), "--reason", "r", "--expect", "5", "--yes")
    assert shown.exit_code == 3, shown.output
    shown = passerelle("apply", "--routes", str(live.running.path), "--reason", "r", "--yes", "--confirm", "10m")
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
