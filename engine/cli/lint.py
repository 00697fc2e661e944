"""`passerelle lint`: what is wrong with routes.yaml, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from engine.cli.asking import check_routes, files_of_tests
from engine.cli.options import Options, common_options, options
from engine.cli.printing import print_json
from engine.errors import ConfigurationRefused, PasserelleError
from engine.operations.client import Client
from engine.operations.wording import several

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration

_PATIENCE: Final = 5.0
"""Seconds that a running engine may take to say what it runs."""


@click.command()
@common_options
def lint() -> None:
    """Check the configuration; nothing is started, nothing is changed."""
    chosen = options()
    if not chosen.routes.is_file():
        sentence = f"there is no configuration at '{chosen.routes}' (--routes PATH or PASSERELLE_ROUTES)"
        raise ConfigurationRefused(sentence)
    configuration, findings = check_routes(chosen, tests=files_of_tests(chosen))
    for finding in findings:
        if chosen.json:
            print_json(finding.as_json())
        else:
            click.echo(finding.render())
    if not chosen.json and configuration is not None:
        click.echo(
            f"{chosen.routes}: fine ({several(len(configuration.sources), 'source')}, "
            f"{several(len(configuration.routes), 'route')}, "
            f"{several(len(configuration.destinations), 'destination')}"
            + (f", {several(len(findings), 'warning')})" if findings else ")")
        )
        _say_what_runs(chosen, configuration)
    elif not chosen.json:
        first = next(one.code for one in findings if one.level == "error")
        said = f"{chosen.routes}: refused, {several(len(findings), 'finding')}; `passerelle code {first}` explains"
        click.echo(said, err=True)
    click.get_current_context().exit(0 if configuration is not None else ConfigurationRefused.exit_code)


def _say_what_runs(chosen: Options, configuration: Configuration) -> None:
    """Say that an engine runs this file, and not as it is now."""
    try:
        with Client(chosen.data, timeout=_PATIENCE) as engine:
            runs = engine.call("status").get("configuration", {})
    except PasserelleError:  # none runs, or it isn't ours to ask
        return
    if runs.get("path") == str(chosen.routes.absolute()) and runs.get("hash") != configuration.hash:
        sentence = f"the engine runs {runs['hash']}, this is {configuration.hash}"
        click.echo(f"{sentence}: `passerelle plan` says what differs, `passerelle apply` takes it", err=True)
