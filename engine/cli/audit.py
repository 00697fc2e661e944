"""`passerelle audit`: who saw or did what, when, why."""

from __future__ import annotations

import click

from engine.cli.asking import ask
from engine.cli.options import common_options, options
from engine.cli.printing import print_rows


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@common_options
def audit(*, limit: int) -> None:
    """List acts and looks at bodies, newest first, and the acts that wait for an engine."""
    answer = ask("audit", limit=limit)
    columns = (("at_ms", "at"), "who", "verb", "subject", "outcome", "reason")
    print_rows(answer.get("rows", []), columns, empty="nothing was done")
    if answer.get("waiting") and not options().json:
        click.echo("\nrecorded, not carried out yet:")
        print_rows(answer["waiting"], (("at_ms", "at"), "who", "stage", "verb", "reason"))
