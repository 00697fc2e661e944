"""`passerelle lint`: what is wrong with routes.yaml, all at once."""

from __future__ import annotations

import click

from engine.cli.asking import check_routes, files_of_tests
from engine.cli.options import common_options, options
from engine.cli.printing import print_json
from engine.errors import ConfigurationRefused
from engine.operations.wording import several


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
    elif not chosen.json:
        first = next(one.code for one in findings if one.level == "error")
        said = f"{chosen.routes}: refused, {several(len(findings), 'finding')}; `passerelle code {first}` explains"
        click.echo(said, err=True)
    click.get_current_context().exit(0 if configuration is not None else ConfigurationRefused.exit_code)
