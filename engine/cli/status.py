"""`passerelle status`: is anything stuck, is anything silent, is anything refused?"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from engine.cli.asking import Answer, ask
from engine.cli.options import common_options, options
from engine.cli.printing import cell, console, print_json, table_of

if TYPE_CHECKING:
    from rich.console import RenderableType

_SECONDS: Final = 2.0
_DESTINATION_COLUMNS: Final = (
    ("name", "destination"), "state", ("oldest_age_s", "oldest unsent"), ("last_ack_ms", "last ack"), "waiting",
    "retrying", "parked", "dead", ("rate", "per s"), "delivered",
)  # fmt: skip
_SOURCE_COLUMNS: Final = (
    ("name", "source"), "state", ("last_ms", "last message"), "received", "refused", "dead", "connections",
)  # fmt: skip


@click.command()
@click.option("--watch", is_flag=True, help="Again every two seconds, until Ctrl-C.")
@common_options
def status(*, watch: bool) -> None:
    """
    Say how things stand; the last line is the balance.

    Exits with 1 when the engine is stopped or degraded.
    """
    if watch:
        _watch()
        return
    answer = ask("status")
    if options().json:
        print_json(answer)
    else:
        console().print(render(answer))
    click.get_current_context().exit(0 if answer["engine"] == "running" else 1)


def render(answer: Answer) -> RenderableType:
    """Draw one status: the headline first, the balance last."""
    from rich.console import Group
    from rich.text import Text

    fine = answer["engine"] == "running"
    parts: list[Any] = [Text(str(answer["headline"]), style="bold green" if fine else "bold red")]
    parts += [Text(f"  {problem}", style="yellow") for problem in answer["problems"]]
    told = "\n".join(answer["problems"])
    reasons = [row["why"] for row in answer["destinations"] if row["why"] and row["why"] not in told]
    parts += [Text(f"  {reason}") for reason in reasons]
    parts += [Text(f"  alert since {cell('at_ms', one['at_ms'])}: {one['sentence']}") for one in answer["alerts"]]
    parts.append(Text(""))
    if answer["destinations"]:
        parts += [table_of(answer["destinations"], _DESTINATION_COLUMNS), Text("")]
    if answer["sources"]:
        parts += [table_of(answer["sources"], _SOURCE_COLUMNS), *_findings(answer["sources"]), Text("")]
    parts.append(Text(str(answer["balance"]["line"]), style="" if not answer["balance"]["difference"] else "bold red"))
    return Group(*parts)


def _findings(sources: list[dict[str, Any]]) -> list[Any]:
    """Say what was odd, the most frequent first: a line for each source that has some."""
    from rich.text import Text

    lines = [
        f"  {row['name']}: " + ", ".join(f"{finding} {count:,}" for finding, count in row["findings"].items())
        for row in sources if row["findings"]
    ]
    return [Text("findings"), *map(Text, lines)] if lines else []


def _watch() -> None:
    """Ask again and again: a live screen on a terminal, else one status after the other."""
    if options().json or not sys.stdout.isatty():
        while True:
            answer = ask("status")
            print_json(answer) if options().json else console().print(render(answer))
            sys.stdout.flush()
            time.sleep(_SECONDS)
    from rich.live import Live

    with Live(console=console(), screen=True, auto_refresh=False) as live:
        while True:
            live.update(render(ask("status")), refresh=True)
            time.sleep(_SECONDS)
