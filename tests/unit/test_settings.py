"""Settings come from the command line, then from the environment, then have defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ConfigurationRefused
from engine.settings import Settings


def test_defaults() -> None:
    """With nothing said: routes.yaml and data, here."""
    settings = Settings.read({})
    assert (settings.routes, settings.data, settings.min_free_bytes) == (Path("routes.yaml"), Path("data"), None)


def test_the_command_line_goes_first() -> None:
    """An option beats a variable, a variable beats the default."""
    environment = {"PASSERELLE_ROUTES": "/etc/r.yaml", "PASSERELLE_DATA": "/var/d", "PASSERELLE_MIN_FREE_BYTES": "5"}
    settings = Settings.read(environment, data=Path("/tmp/d"))
    assert (settings.routes, settings.data, settings.min_free_bytes) == (Path("/etc/r.yaml"), Path("/tmp/d"), 5)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PASSERELLE_MIN_FREE_BYTES", "1GB"), ("PASSERELLE_LOG_LEVEL", "loud"), ("PASSERELLE_LOG_STYLE", "xml")],
)
def test_what_is_allowed_is_said(name: str, value: str) -> None:
    """A wrong value names the variable and what to write; exit code 78."""
    with pytest.raises(ConfigurationRefused, match=name) as refused:
        Settings.read({name: value})
    assert refused.value.exit_code == 78
