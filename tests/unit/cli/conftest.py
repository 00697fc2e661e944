"""The command line as it is typed: in this process (`passerelle`), or as a process of its own (`typed`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.group import passerelle as root
from tests.support.custody import FakeLive, engine_in_thread

Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def live(data: Path) -> Iterator[FakeLive]:
    """A running engine with a small history in that directory."""
    with engine_in_thread(data) as engine:
        yield engine


@pytest.fixture
def passerelle(data: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; stdin is no terminal."""
    monkeypatch.setenv("PASSERELLE_DATA", str(data))
    monkeypatch.setenv("PASSERELLE_ROUTES", str(data.parent / "routes.yaml"))
    monkeypatch.setenv("TZ", "UTC")

    def run(*arguments: str, **more: object) -> Result:
        return CliRunner().invoke(root, list(arguments), **more)  # type: ignore[arg-type]

    return run


@pytest.fixture
def typed(data: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command as a process."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PASSERELLE_DATA": str(data)}
        return subprocess.run(
            [sys.executable, "-m", "engine", *arguments], capture_output=True, text=True, timeout=60, input=stdin,
            env=environment, check=False, cwd=Path(__file__).resolve().parents[3],
        )  # fmt: skip

    return run
