"""`passerelle run`: the engine, in the foreground; a service manager looks after it."""

from __future__ import annotations

import click

from engine.cli.options import common_options, options
from engine.errors import ConfigurationRefused


@click.command()
@click.option("--demo", is_flag=True, help="With a simulated GHT that sends and receives, and a live screen.")
@common_options
def run(*, demo: bool) -> None:
    """Run the engine until Ctrl-C or SIGTERM."""
    chosen = options()
    if not chosen.routes.is_file():
        sentence = f"there is no configuration at '{chosen.routes}' (--routes PATH or PASSERELLE_ROUTES)"
        raise ConfigurationRefused(sentence)
    if demo:
        from engine.simulation.demo import run_demo

        code = run_demo(chosen.routes, chosen.data)
    else:
        from engine.daemon import main as run_engine
        from engine.settings import Settings

        code = run_engine(Settings.read(routes=chosen.routes, data=chosen.data))
    click.get_current_context().exit(code)
