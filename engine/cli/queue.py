"""`passerelle queue`: what waits, for whom, behind what."""

from __future__ import annotations

import click

from engine.cli.asking import ask
from engine.cli.options import common_options, options
from engine.cli.printing import cell, print_more, print_rows


@click.group()
@common_options
def queue() -> None:
    """Queues of the destinations."""


@queue.command("ls")
@common_options
def list_queues() -> None:
    """List the queues, and the holds in force."""
    answer = ask("queue_list")
    columns = ("name", "state", ("oldest_age_s", "oldest unsent"), "waiting", "retrying", "parked", "dead", "lanes")
    print_rows(answer["rows"], (*columns, "why"), empty="no destination")
    for hold in [] if options().json else answer["holds"]:
        until = f"until {cell('until_ms', hold['until_ms'])}" if hold["until_ms"] else "until released"
        click.echo(f"{hold['kind']} {hold['name']} is held {until} by {hold['who']}: {hold['reason']}")


@queue.command("show")
@click.argument("destination")
@click.option("--after", default="", metavar="ID", help="Go on after this delivery.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@common_options
def show_queue(*, destination: str, after: str, limit: int) -> None:
    """Show the deliveries that wait for DESTINATION, in order."""
    answer = ask("queue_show", destination=destination, after=after, limit=limit)
    columns = ("id", "type", "state", "route", "attempts", ("due_ms", "next attempt"), "code", "reason", "flags")
    print_rows(answer["rows"], columns, empty=f"nothing waits for {destination}")
    print_more(answer, "--after")


@queue.command("lanes")
@click.argument("destination")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@common_options
def show_lanes(*, destination: str, limit: int) -> None:
    """Show the lanes of DESTINATION, the longest first, with what stands at the head of each."""
    answer = ask("queue_lanes", destination=destination, limit=limit)
    columns = ("lane", "waiting", "head", "state", ("due_ms", "next attempt"), "code")
    print_rows(answer["rows"], columns, empty=f"nothing waits for {destination}")
    if not options().json:
        more = "" if answer["all"] else f", of the first {answer['seen']:,} deliveries"
        click.echo(f"{answer['lanes']:,} lanes{more}", err=True)
