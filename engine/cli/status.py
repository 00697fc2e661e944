"""`passerelle status`: is anything stuck, is anything silent, is anything refused?"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from engine.cli.asking import Answer, ask
from engine.cli.options import common_options, options
from engine.cli.printing import cell, console, print_json, table_of
from engine.operations.wording import several

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
        with contextlib.suppress(KeyboardInterrupt):
            _watch()
        return
    answer = ask("status")
    if options().json:
        print_json(answer)
    else:
        console().print(render(answer))
    click.get_current_context().exit(0 if answer.get("engine") == "running" else 1)


def render(answer: Answer, *, cut: bool = False) -> RenderableType:
    """
    Draw one status: the headline first, the balance last.

    Args:
        answer: Of the operation `status`.
        cut: The end may not be seen (a small screen): the balance stands below the headline.
    """
    from rich.console import Group
    from rich.text import Text

    fine = answer.get("engine") == "running"
    problems = [str(problem) for problem in answer.get("problems", [])]
    destinations, sources = answer.get("destinations", []), answer.get("sources", [])
    balance = answer.get("balance", {})
    parts: list[Any] = [Text(str(answer.get("headline", "")), style="bold green" if fine else "bold red")]
    parts += [Text(f"  {problem}", style="yellow") for problem in problems]
    parts += [Text(f"  {note}") for note in answer.get("notes", [])]
    told = "\n".join(problems)
    reasons = [row["why"] for row in destinations if row.get("why") and row["why"] not in told]
    parts += [Text(f"  {reason}") for reason in reasons]
    parts += [
        Text(f"  alert since {cell('at_ms', one.get('at_ms'))}: {one.get('sentence', '')}")
        for one in answer.get("alerts", [])
    ]
    if letters := int(answer.get("dead_letters") or 0):
        parts.append(Text(f"  {several(letters, 'dead letter')}: `passerelle dead groups`"))
    parts.append(Text(""))
    if destinations:
        parts += [table_of(destinations, _DESTINATION_COLUMNS), Text("")]
    if sources:
        parts += [table_of(sources, _SOURCE_COLUMNS), *_findings(sources), Text("")]
    line = Text(str(balance.get("line", "")), style="" if not balance.get("difference") else "bold red")
    parts.insert(1 if cut else len(parts), line)
    return Group(*parts)


def _findings(sources: list[dict[str, Any]]) -> list[Any]:
    """Say what was odd, the most frequent first: a line for each source that has some."""
    from rich.text import Text

    lines = [
        f"  {row.get('name', '')}: " + ", ".join(f"{finding} {count:,}" for finding, count in row["findings"].items())
        for row in sources
        if row.get("findings")
    ]
    return [Text("findings (`passerelle code WORD` explains one)"), *map(Text, lines)] if lines else []


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
            live.update(render(ask("status"), cut=True), refresh=True)
            time.sleep(_SECONDS)
