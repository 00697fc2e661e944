"""`passerelle simulate`: a GHT that sends and receives, beside a running engine."""

from __future__ import annotations

import click

from engine.cli.options import options


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Simulate a GHT: hospitals that send synthetic patients, and a DPI that answers; `simulate --help` says more."""
    from engine.simulation.command import simulate_main

    chosen = options()
    given = list(arguments)
    if chosen.json and "--json" not in given:
        given.append("--json")
    if not any(one.partition("=")[0] == "--routes" for one in given):
        given += ["--routes", str(chosen.routes)]
    click.get_current_context().exit(simulate_main(given))
