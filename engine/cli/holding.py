"""`passerelle hold`, `release`, `probe`: keep something at the exit, let it go, try the way."""

from __future__ import annotations

import click

from engine.cli.acting import act, act_options
from engine.cli.asking import Answer, ask
from engine.cli.options import common_options, options
from engine.cli.printing import note, print_rows
from engine.errors import OperationRefused
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
    seconds = 0.0 if duration is None else _seconds(duration)

    def sentence(counted: Answer) -> str:
        until = f"for {duration}" if duration else "until it is released"
        return f"{counted.get('kind', '')} {name} will be held {until}; {_waiting(counted)}"

    act("hold", sentence, reason=reason, yes=yes, expect=expect, moving=True, name=name, kind=kind, seconds=seconds)


@click.command()
@click.argument("name")
@click.option("--kind", type=_KINDS, help="What NAME is, where several have that name.")
@act_options
@common_options
def release(*, name: str, kind: str | None, reason: str, yes: bool, expect: int | None) -> None:
    """Release what was held, by an operator or by the engine itself."""

    def sentence(counted: Answer) -> str:
        return f"{counted.get('kind', '')} {name} will be released; {_waiting(counted)}"

    act("release", sentence, reason=reason, yes=yes, expect=expect, moving=True, name=name, kind=kind)


@click.command()
@click.argument("destination")
@common_options
def probe(*, destination: str) -> None:
    """Try name, route and connection of DESTINATION; no message is sent. Exits with 1 when a step fails."""
    answer = ask("probe", destination=destination)
    if options().json:
        print_rows(answer.get("rows", []), ())
    for row in [] if options().json else answer.get("rows", []):
        click.echo(f"{'ok  ' if row.get('fine') else 'FAIL'}  {row.get('what', '')}: {row.get('sentence', '')}")
    if answer.get("then"):
        note(answer["then"])
    click.get_current_context().exit(0 if answer.get("fine") else 1)


def _seconds(duration: str) -> float:
    """Read a duration of more than 0."""
    seconds = 0.0 if duration.strip().startswith("-") else read_duration(duration)
    if seconds <= 0:
        raise OperationRefused("a duration must be more than 0", exit_code=2)
    return seconds


def _waiting(counted: Answer) -> str:
    kind, count = counted.get("kind"), int(counted.get("count") or 0)
    if kind == "route":
        return "what waits of it is not counted"
    if kind == "lane" and not count:
        return "nothing waits in that lane: is it the right one? `passerelle queue lanes DEST` shows them"
    if kind == "source":
        return several(count, "message waits", "messages wait")
    return several(count, "delivery waits", "deliveries wait")
