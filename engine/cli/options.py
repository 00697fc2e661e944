"""Options that every command takes, before or after the subcommand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(slots=True)
class Options:
    """What the common options say."""

    routes: Path = Path("routes.yaml")
    data: Path = Path("data")
    json: bool = False
    no_color: bool = False

    @property
    def colour(self) -> bool:
        """Whether to colour: a terminal, and nobody asked for none (no-color.org)."""
        return not self.no_color and not os.environ.get("NO_COLOR") and sys.stdout.isatty()


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        """Keep the value that stands nearest to the command; an absent one changes nothing."""
        options = context.find_root().ensure_object(Options)
        if value is not None and value is not False:
            setattr(options, name, Path(value) if name in ("routes", "data") else value)

    return keep


def common_options(command: Command) -> Command:
    """Add --routes, --data, --json, --no-color to a command or group; `options()` gives their values."""
    for decorate in (
        click.option(
            "--no-color",
            is_flag=True,
            expose_value=False,
            callback=_keep("no_color"),
            help="No colour (also NO_COLOR).",
        ),
        click.option(
            "--json", is_flag=True, expose_value=False, callback=_keep("json"), help="JSON lines, one object each."
        ),
        click.option(
            "--data",
            metavar="DIR",
            expose_value=False,
            callback=_keep("data"),
            help="Data directory (PASSERELLE_DATA; default data).",
        ),
        click.option(
            "--routes",
            metavar="PATH",
            expose_value=False,
            callback=_keep("routes"),
            help="Configuration (PASSERELLE_ROUTES; default routes.yaml).",
        ),
    ):
        command = decorate(command)
    return command


def options() -> Options:
    """Return the common options of the command that runs."""
    return click.get_current_context().find_root().ensure_object(Options)


def from_environment() -> Options:
    """Return what the environment says, before any option."""
    return Options(
        routes=Path(os.environ.get("PASSERELLE_ROUTES") or "routes.yaml"),
        data=Path(os.environ.get("PASSERELLE_DATA") or "data"),
    )
