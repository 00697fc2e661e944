"""`passerelle metrics`: the figures of `status` for Prometheus."""

from __future__ import annotations

import click

from engine.cli.asking import ask
from engine.cli.options import common_options, options
from engine.cli.printing import print_json


@click.command()
@common_options
def metrics() -> None:
    """
    Print queues, counts and states in Prometheus' text format, for its textfile collector.

    No value of a message is in it. A stopped engine is `passerelle_up 0`, not an error.
    """
    answer = ask("status")
    if options().json:
        print_json(answer)
        return
    from engine.observability.metrics import exposition

    click.echo(exposition(answer), nl=False)
