"""Tables for people, JSON lines for programs; times local, ages in words; the only module that uses rich."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from engine.cli.asking import now_ms
from engine.cli.layout import Layout, fit
from engine.cli.options import options
from engine.operations.wording import age, clock

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

Column = str | tuple[str, str]
"""Key of the rows, or (key, heading)."""
_RIGHT: Final = frozenset(
    {"waiting", "retrying", "parked", "dead", "count", "attempts", "received", "delivered", "lanes", "size", "refused",
     "connections", "oldest_age_s"}
)  # fmt: skip
_TEXTS: Final = frozenset({"reason", "why", "detail", "outcome", "sentence", "subject", "flags", "field", "columns"})
"""Columns with sentences: the first to move below their row in a narrow terminal."""
_INDENT: Final = 4
_COLOURS: Final = {
    "ok": "green", "delivered": "green", "running": "green", "waiting": "cyan", "retrying": "yellow", "held": "magenta",
    "dead": "red", "parked": "red", "blocked": "red", "gone": "red", "down": "red", "stopped": "red",
    "paused": "yellow", "filtered": "dim", "discarded": "dim",
}  # fmt: skip


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one object on one line, with its version first."""
    click.echo(json.dumps({"v": 1} | dict(answer), ensure_ascii=False, separators=(",", ":")))


def note(sentence: str) -> None:
    """Say beside a table or a tree what to do next, on stderr: for people only, programs have it in their fields."""
    if not options().json:
        click.echo(_wrapped(sentence), err=True)


def _wrapped(sentence: str) -> str:
    """Break lines between words, where a terminal would break them anywhere; a pipe gets the sentence whole."""
    if not sys.stderr.isatty():
        return sentence
    width = shutil.get_terminal_size().columns
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in sentence.split("\n")
    )


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


def table_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> FittedTable:
    """Build the table of `print_rows`, to be printed at any width."""
    pairs = [(column, column) if isinstance(column, str) else column for column in columns]
    cells = [[cell(key, row.get(key)) for key, _ in pairs] for row in rows]
    used = [index for index in range(len(pairs)) if any(line[index] for line in cells)]
    return FittedTable(
        [pairs[index][0] for index in used],
        [pairs[index][1].replace("_", " ") for index in used],
        [[line[index] for index in used] for line in cells],
    )


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A table that fits itself into the width that it gets (cli.layout)."""

    keys: list[str]
    headings: list[str]
    lines: list[list[str]]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw it (rich's protocol)."""
        from rich.cells import cell_len
        from rich.padding import Padding
        from rich.text import Text

        layout = fit(
            self.headings,
            self.lines,
            options.max_width,
            texts=lambda index: self.keys[index] in _TEXTS,
            length=cell_len,
        )
        broken = not layout.whole
        heads = [heading.split() if broken else [heading] for heading in self.headings]
        for rank in range(max((len(heads[index]) for index in layout.beside), default=0)):
            yield self._row(layout, [words[rank] if rank < len(words) else "" for words in heads], style="bold")
        for line in self.lines:
            yield self._row(layout, line)
            width = options.max_width - _INDENT
            yield from (
                Padding(Text(text), (0, 0, 0, _INDENT), expand=False) for text in self._below(layout, line, width)
            )

    def _row(self, layout: Layout, cells: Sequence[str], style: str = "") -> Text:
        """Put the cells of one line side by side; nothing stands behind the last."""
        from rich.text import Text

        row = Text(overflow="fold")
        for index in layout.beside:
            text = Text(cells[index], style=style or _COLOURS.get(cells[index], ""))
            missing = " " * (layout.widths[index] - text.cell_len)
            row.append(missing if _side(self.keys[index]) == "right" else "")
            row.append_text(text)
            row.append((missing if _side(self.keys[index]) == "left" else "") + " " * layout.gap)
        row.rstrip()
        return row

    def _below(self, layout: Layout, line: Sequence[str], width: int) -> list[str]:
        """Return the lines below a row: each sentence in its own, the others together as far as they fit."""
        short, sentences = [""], []
        for index in layout.below:
            if not line[index]:
                continue
            text = f"{self.headings[index]}: {line[index]}"
            if self.keys[index] in _TEXTS:
                sentences.append(text)
            elif short[-1] and len(short[-1]) + 2 + len(text) <= width:
                short[-1] += f"  {text}"
            else:
                short.append(text)
        return [*filter(None, short), *sentences]


def _side(key: str) -> Literal["left", "right"]:
    return "right" if key in _RIGHT else "left"


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
