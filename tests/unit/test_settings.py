"""Settings come from the command line, then from the environment, then have defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ConfigurationRefused
from engine.settings import Keep, Settings


def test_defaults() -> None:
    """With nothing said: routes.yaml and data, here."""
    settings = Settings.read({})
    assert (settings.routes, settings.data, settings.min_free_bytes) == (Path("routes.yaml"), Path("data"), None)


def test_retention_by_variables() -> None:
    """Days by kind; 30, 90 and 13 months unless told."""
    assert Settings.read({}).keep == Keep(bodies_days=30, dead_days=90, rows_days=396)
    names = ("BODIES", "DEAD", "ROWS")
    given = {f"PASSERELLE_KEEP_{name}_DAYS": str(days) for days, name in enumerate(names, 1)}
    assert Settings.read(given).keep == Keep(bodies_days=1, dead_days=2, rows_days=3)


def test_the_command_line_goes_first() -> None:
    """An option beats a variable, a variable beats the default."""
    environment = {"PASSERELLE_ROUTES": "/etc/r.yaml", "PASSERELLE_DATA": "/var/d", "PASSERELLE_MIN_FREE_BYTES": "5"}
    settings = Settings.read(environment, data=Path("/tmp/d"))
    assert (settings.routes, settings.data, settings.min_free_bytes) == (Path("/etc/r.yaml"), Path("/tmp/d"), 5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSERELLE_MIN_FREE_BYTES", "1GB"),
        ("PASSERELLE_KEEP_DEAD_DAYS", "0"),
        ("PASSERELLE_KEEP_ROWS_DAYS", "1 year"),
        ("PASSERELLE_LOG_LEVEL", "loud"),
        ("PASSERELLE_LOG_STYLE", "xml"),
    ],
)
def test_what_is_allowed_is_said(name: str, value: str) -> None:
    """A wrong value names the variable and what to write; exit code 78."""
    with pytest.raises(ConfigurationRefused, match=name) as refused:
        Settings.read({name: value})
    assert refused.value.exit_code == 78
