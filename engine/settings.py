"""Settings of one engine on its machine: where, not what (that is routes.yaml)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from engine.errors import ConfigurationRefused

_LEVELS = ("debug", "info", "warning", "error")
_STYLES = ("auto", "console", "json")

_DAYS_MAX: Final = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How many days finished messages are kept; what is unfinished is kept whatever its age."""

    bodies_days: int = 30
    """Bytes of messages and deliveries, after the last outcome."""
    dead_days: int = 90
    """The same of messages that died or were discarded, wholly or for one destination."""
    rows_days: int = 396
    """What happened to a message (13 months), without its bytes; the audit trail too."""


_DEFAULT: Final = Keep()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from `PASSERELLE_…` variables; the command line's options go first."""

    routes: Path = Path("routes.yaml")
    data: Path = Path("data")
    log_level: str = "info"
    log_style: str = "auto"
    keep: Keep = _DEFAULT
    min_free_bytes: int | None = None
    """Free space under which no message is taken any more; 0: never asked; None: the store's own default."""

    @classmethod
    def read(
        cls, environment: Mapping[str, str] = os.environ, *, routes: Path | None = None, data: Path | None = None
    ) -> Self:
        """
        Read the settings.

        Raises:
            ConfigurationRefused: A variable has a value that is not among the allowed ones.
        """
        free = environment.get("PASSERELLE_MIN_FREE_BYTES", "")
        if free and not free.isdecimal():
            raise ConfigurationRefused("PASSERELLE_MIN_FREE_BYTES must be a number of bytes, for example 1000000000")
        return cls(
            routes=routes or Path(environment.get("PASSERELLE_ROUTES", "routes.yaml")),
            data=data or Path(environment.get("PASSERELLE_DATA", "data")),
            log_level=_one_of("PASSERELLE_LOG_LEVEL", environment.get("PASSERELLE_LOG_LEVEL", "info"), _LEVELS),
            log_style=_one_of("PASSERELLE_LOG_STYLE", environment.get("PASSERELLE_LOG_STYLE", "auto"), _STYLES),
            min_free_bytes=int(free) if free else None,
            keep=Keep(
                bodies_days=_days("PASSERELLE_KEEP_BODIES_DAYS", environment, _DEFAULT.bodies_days),
                dead_days=_days("PASSERELLE_KEEP_DEAD_DAYS", environment, _DEFAULT.dead_days),
                rows_days=_days("PASSERELLE_KEEP_ROWS_DAYS", environment, _DEFAULT.rows_days),
            ),
        )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ConfigurationRefused(f"{name} is {value}, allowed: {', '.join(allowed)}")
    return value


def _days(name: str, environment: Mapping[str, str], default: int) -> int:
    value = environment.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdecimal() and 1 <= int(value[:9]) <= _DAYS_MAX):
        raise ConfigurationRefused(f"{name} must be a number of days from 1 to {_DAYS_MAX}, for example {default}")
    return int(value)
