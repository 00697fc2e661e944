"""`passerelle version`."""

from __future__ import annotations

import platform
from importlib.metadata import version as version_of

import click

from engine.cli.options import common_options, options
from engine.cli.printing import print_json


@click.command()
@common_options
def version() -> None:
    """Say which version this is."""
    number, python = version_of("passerelle"), platform.python_version()
    if options().json:
        print_json({"passerelle": number, "python": python})
    else:
        click.echo(f"passerelle {number} (Python {python})")
