"""`passerelle hold`, `release`, `probe`: keep something at the exit, let it go, try the way."""

from __future__ import annotations

import click

from engine.cli.acting import act, act_options
from engine.cli.asking import Answer, ask
from engine.cli.options import common_options, options
from engine.cli.printing import print_rows
from engine.operations.wording import read_duration, several

_KINDS = click.Choice(["destination", "source", "route", "lane"])


@click.command()
@click.argument("name")
@click.option("--for", "duration", metavar="DURATION", help="How long (2h, 30m); else until it is released.")
@click.option("--kind", type=_KINDS, help="What NAME is, where several have that name.")
@act_options
@common_options
def hold(*, name: str, duration: str | None, kind: str | None, reason: str, yes: bool, expect: int | None) -> None:
    """Hold the destination, source or route NAME: it is taken and routed, nothing of it leaves."""
    seconds = read_duration(duration) if duration else 0.0

    def sentence(counted: Answer) -> str:
        until = f"for {duration}" if duration else "until it is released"
        return f"{counted['kind']} {name} will be held {until}; {_waiting(counted)}"

    act("hold", sentence, reason=reason, yes=yes, expect=expect, name=name, kind=kind, seconds=seconds)


@click.command()
@click.argument("name")
@click.option("--kind", type=_KINDS, help="What NAME is, where several have that name.")
@act_options
@common_options
def release(*, name: str, kind: str | None, reason: str, yes: bool, expect: int | None) -> None:
    """Release what was held, by an operator or by the engine itself."""

    def sentence(counted: Answer) -> str:
        return f"{counted['kind']} {name} will be released; {_waiting(counted)}"

    act("release", sentence, reason=reason, yes=yes, expect=expect, name=name, kind=kind)


@click.command()
@click.argument("destination")
@common_options
def probe(*, destination: str) -> None:
    """Try name, route and connection of DESTINATION; no message is sent. Exits with 1 when a step fails."""
    answer = ask("probe", destination=destination)
    if options().json:
        print_rows(answer["rows"], ())
    for row in [] if options().json else answer["rows"]:
        click.echo(f"{'ok  ' if row['fine'] else 'FAIL'}  {row['what']}: {row['sentence']}")
    click.get_current_context().exit(0 if answer["fine"] else 1)


def _waiting(counted: Answer) -> str:
    if counted["kind"] in ("route", "lane"):
        return "what waits of it is not counted"
    if counted["kind"] == "source":
        return several(int(counted["count"]), "message waits", "messages wait")
    return several(int(counted["count"]), "delivery waits", "deliveries wait")
