"""Tables for people, JSON lines for programs; times local, ages in words; the only module that uses rich."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from engine.cli.asking import now_ms
from engine.cli.options import options
from engine.operations.wording import age, clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Column = str | tuple[str, str]
"""Key of the rows, or (key, heading)."""
_RIGHT: Final = frozenset(
    {"waiting", "retrying", "parked", "dead", "count", "attempts", "received", "delivered", "lanes", "size", "refused",
     "connections", "oldest_age_s"}
)  # fmt: skip
_WHOLE: Final = frozenset(
    {"id", "name", "delivery", "message", "group", "lane", "state", "control_id", "code", "next", "first", "last",
     "head"}
)  # fmt: skip
"""Columns whose cells are never split over two lines, nor those with a time or an age."""
_COLOURS: Final = {
    "ok": "green", "delivered": "green", "running": "green", "waiting": "cyan", "retrying": "yellow", "held": "magenta",
    "dead": "red", "parked": "red", "blocked": "red", "down": "red", "stopped": "red", "paused": "yellow",
    "filtered": "dim", "discarded": "dim",
}  # fmt: skip


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one object on one line, with its version first."""
    click.echo(json.dumps({"v": 1} | dict(answer), ensure_ascii=False, separators=(",", ":")))


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, empty: str = "nothing") -> None:
    """
    Print rows: with --json each as an object on a line of its own, else as a table.

    Args:
        rows: What to print.
        columns: Which keys, in order, for the table; columns that are empty everywhere are left out.
        empty: What to say when there is no row (people only).
    """
    if options().json:
        for row in rows:
            print_json(row)
        return
    if not rows:
        click.echo(empty)
        return
    console().print(table_of(rows, columns))


def table_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> Table:
    """Build the table of `print_rows`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, header_style="bold")
    pairs = [(column, column) if isinstance(column, str) else column for column in columns]
    cells = [[cell(key, row.get(key)) for key, _ in pairs] for row in rows]
    used = [index for index in range(len(pairs)) if any(line[index] for line in cells)]
    for index in used:
        key, heading = pairs[index]
        whole = key in _WHOLE or key.endswith(("_ms", "_age_s"))
        table.add_column(
            heading.replace("_", " "),
            justify="right" if key in _RIGHT else "left",
            no_wrap=whole,
            overflow="ignore" if whole else "fold",
        )
    for line in cells:
        texts = [Text(line[index], style=_COLOURS.get(line[index], "")) for index in used]
        table.add_row(*texts)
    return table


def cell(key: str, value: Any) -> str:
    """Write one value: `…_ms` as a local time, `…_age_s` as an age, lists with commas, none as empty."""
    if value is None or value == "" or value == []:
        return ""
    if key.endswith("_age_s"):
        return age(float(value))
    if key.endswith("_ms"):
        return clock(int(value), now_ms())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value)
    return str(value)


def console() -> Console:
    """Return a console as wide as the terminal; a pipe gets as much width as it needs, and no colour."""
    from rich.console import Console

    chosen = options()
    width = None if sys.stdout.isatty() else 2000
    return Console(
        width=width,
        no_color=not chosen.colour,
        color_system="auto" if chosen.colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not sys.stdout.isatty(),
    )


def print_more(answer: Mapping[str, Any], option: str) -> None:
    """Say how to go on when a list was cut (people only; with --json the last id says it)."""
    if answer.get("next") and not options().json:
        click.echo(f"more: add {option} {answer['next']}", err=True)
