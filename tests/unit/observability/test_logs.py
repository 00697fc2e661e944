"""Logs go to standard error: JSON lines where nobody reads along."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
from engine.observability import logs
import structlog
logs.configure(level={level!r}, style={style!r})
log = structlog.get_logger("x")
log.info("ready", sources=2)
log.warning("refused", code="E-IDLE")
"""


def lines_of(level: str, style: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(level=level, style=style)], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.parametrize("style", ["json", "auto"])
def test_json_lines(style: str) -> None:
    """One object a line, with event, level and time; `auto` is JSON where standard error is no terminal."""
    first, second = (json.loads(line) for line in lines_of("info", style))
    assert (first["event"], first["level"], first["sources"]) == ("ready", "info", 2)
    assert second["code"] == "E-IDLE"
    assert "timestamp" in first


def test_level_and_console() -> None:
    """Below the level nothing is written; console lines are for people."""
    (line,) = lines_of("warning", "console")
    assert "refused" in line
    assert not line.startswith("{")
