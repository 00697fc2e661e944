"""`passerelle run`, `lint`, `simulate`: what they hand over, and their exit codes."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest


@pytest.fixture
def routes(data: Path) -> Path:
    """A file that is there; its content doesn't matter."""
    path = data.parent / "routes.yaml"
    path.write_text("version: 1\n")
    return path


def module(monkeypatch: pytest.MonkeyPatch, name: str, **functions: object) -> None:
    """Put a module in the place of one that `run` imports late."""
    fake = types.ModuleType(name)
    for function, value in functions.items():
        setattr(fake, function, value)
    monkeypatch.setitem(sys.modules, name, fake)


def test_run_hands_over_where_and_returns_its_code(passerelle, data, routes, monkeypatch) -> None:
    """Options go before the environment."""
    seen = []
    module(monkeypatch, "engine.daemon", main=lambda settings: seen.append(settings) or 1)
    assert passerelle("run").exit_code == 1
    assert passerelle("run", "--data", "/elsewhere").exit_code == 1
    assert [(one.routes, one.data) for one in seen] == [(routes, data), (routes, Path("/elsewhere"))]


def test_run_demo_starts_the_demo(passerelle, data, routes, monkeypatch) -> None:
    """With the same places."""
    seen = []
    module(monkeypatch, "engine.simulation.demo", run_demo=lambda *where: seen.append(where) or 0)
    assert passerelle("run", "--demo").exit_code == 0
    assert seen == [(routes, data)]


def test_simulate_forwards_its_options(passerelle, routes, monkeypatch) -> None:
    """Its own parser knows them; the common ones are added."""
    seen = []
    module(monkeypatch, "engine.simulation.command", simulate_main=lambda given: seen.append(given) or 0)
    assert passerelle("--json", "simulate", "--rate", "3", "--plain").exit_code == 0
    assert passerelle("simulate", "--routes=x.yaml").exit_code == 0
    assert seen == [["--rate", "3", "--plain", "--json", "--routes", str(routes)], ["--routes=x.yaml"]]


def test_lint_says_fine(passerelle) -> None:
    """The delivered routes.yaml, in one line."""
    delivered = Path(__file__).resolve().parents[3] / "routes.yaml"
    shown = passerelle("lint", "--routes", str(delivered))
    assert shown.exit_code == 0, shown.output
    assert "fine (" in shown.stdout


def test_lint_says_when_an_engine_runs_something_else(passerelle, routes, live) -> None:
    """Of its own file only; it is fine all the same."""
    live.running.path = routes
    routes.write_text(
        "version: 1\nsites: { cha: {} }\nsources: { gam: { type: mllp, site: cha, listen: '127.0.0.1:6101' } }\n"
        "destinations: { dpi: { type: mllp, connect: '127.0.0.1:5500' } }\n"
        "routes: { adt: { from: [gam], to: [dpi] } }\n"
    )
    shown = passerelle("lint")
    assert shown.exit_code == 0
    assert shown.stderr.startswith("the engine runs c0ffee, this is ")
    assert "`passerelle plan`" in shown.stderr
    live.running.path = routes.parent / "other.yaml"
    assert passerelle("lint").stderr == ""


def test_lint_shows_where(passerelle, routes) -> None:
    """Exit code 78; the file, the line and the column, as text and as JSON."""
    routes.write_text("version: 1\nsorces: {}\n")
    shown = passerelle("lint")
    assert (shown.exit_code, "routes.yaml:2:1: error" in shown.stdout) == (78, True), shown.output
    assert "refused, " in shown.stderr
    rows = [json.loads(line) for line in passerelle("lint", "--json").stdout.splitlines()]
    assert {"v", "code", "line", "column", "sentence"} <= rows[0].keys()


def test_lint_has_what_run_has(passerelle, data, monkeypatch) -> None:
    """The environment's variables, and the secrets of the data directory that `--data` names."""
    elsewhere = data / "elsewhere"
    (elsewhere / "secrets").mkdir(parents=True)
    (elsewhere / "secrets" / "word").write_text("w", encoding="utf-8")
    path = data.parent / "routes.yaml"
    path.write_text(
        "sites: { cha: { label: A } }\n"
        'sources: { gam: { type: mllp, site: cha, listen: "127.0.0.1:${env:GAM_PORT}" } }\n'
        'destinations: { bus: { type: mqtt, connect: "mqtt://127.0.0.1", topic: t, password: "${secret:word}" } }\n'
        "routes: { all: { from: [gam], to: [bus] } }\n"
    )
    monkeypatch.setenv("GAM_PORT", "6101")
    shown = passerelle("lint", "--data", str(elsewhere))
    assert shown.exit_code == 0, shown.output
    assert passerelle("lint").exit_code == 78
    monkeypatch.delenv("GAM_PORT")
    assert passerelle("lint", "--data", str(elsewhere)).exit_code == 78


def test_version(passerelle) -> None:
    """As text and as JSON."""
    assert passerelle("version").stdout.startswith("passerelle 0.")
    assert json.loads(passerelle("version", "--json").stdout)["v"] == 1
