"""
The live screen of the demo, drawn from `status` of the control socket and the simulator's own figures.

`draw` and `one_line` only lay out; `demo` asks and refreshes. Where the terminal is too low for everything, what
matters least loses its last lines: the hint, events, sources, problems, destinations. The headline and the balance,
which counts the dead letters, stay.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

Figures = Mapping[str, Any]

_COLOURS = {
    "ok": "green", "idle": "green", "running": "green", "waiting": "yellow", "retrying": "yellow", "held": "magenta",
    "parked": "magenta", "stopped": "red", "down": "red", "blocked": "red", "degraded": "yellow", "slow": "yellow",
}  # fmt: skip
_PROBLEMS_MAX = 4


def draw(status: Figures | None, group: Figures | None) -> RenderableType:
    """
    Lay out one screen.

    Args:
        status: Answer of the operation `status`; None while the engine starts.
        group: Figures of the simulated group; None before the first.
    """
    parts = [_Part(0, _headline(status, group))]
    if status is not None:
        parts += [_Part(4, _sources(status, group)), _Part(2, _destinations(status))]
        parts += [_Part(3, one) for one in _problems(status)]
    if group is not None and group.get("events"):
        events = "\n".join(reversed(group["events"][-8:]))
        parts.append(_Part(5, Text.assemble(("last events, the newest first", "bold"), "\n", events)))
    if status is not None:
        parts.append(_Part(0, Text(str(status["balance"]["line"]), style="bold")))
    hint = Text("Ctrl-C ends. In another terminal: passerelle status · dead ls · queue ls · msg find", style="dim")
    return _Fitted([*parts, _Part(6, hint)])


def one_line(status: Figures | None, group: Figures | None) -> str:
    """Say the same in one line, for a screen that is no terminal."""
    if status is None:
        return "the engine starts"
    dpi = (group or {}).get("dpi") or {}
    return f"{status['headline']}; {status['balance']['line']}; DPI {dpi.get('mode', 'away')}, {_order(dpi)}"


class _Part(NamedTuple):
    rank: int
    """0 matters most."""
    what: RenderableType


class _Fitted:
    """Parts from top to bottom, in as many lines as the screen has."""

    def __init__(self, parts: list[_Part]) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        blocks = [console.render_lines(part.what, options.reset_height(), pad=False) for part in self._parts]
        over = sum(map(len, blocks)) - options.max_height
        for _, block in sorted(zip(self._parts, blocks, strict=True), key=lambda pair: -pair[0].rank):
            gone = min(max(over, 0), len(block))
            del block[len(block) - gone :]
            over -= gone
        for line in (line for block in blocks for line in block):
            yield from line
            yield Segment.line()


def _headline(status: Figures | None, group: Figures | None) -> Text:
    state = str(status["engine"]) if status is not None else "starting"
    words = str(status["headline"]) if status is not None else "the engine starts…"
    line = Text("Passerelle ", style="bold")
    line.append(words, style=_COLOURS.get(state, "yellow"))
    dpi = (group or {}).get("dpi")
    if dpi:
        mode = str(dpi["mode"])
        line.append("   the DPI is ").append(mode, style=_COLOURS.get(mode, "red"))
        line.append(f": accepted {dpi['accepted']:,}, {_order(dpi)}")
    if bus := (group or {}).get("bus"):
        line.append(f"; the bus got {bus['published']:,} events")
    return line


def _order(dpi: Figures) -> str:
    return f"twice {dpi.get('duplicates', 0)}, out of order {dpi.get('inversions', 0)}"


def _sources(status: Figures, group: Figures | None) -> Table:
    table = _table("source", "state", "received", "dead", "refused", "last", "sender")
    senders = (group or {}).get("senders", {})
    for row in status.get("sources", ()):
        sender = senders.get(row["name"], {})
        waits = f"{sender['waiting']} unanswered, {sender.get('twice', 0)} twice" if sender else ""
        table.add_row(
            row["name"], _state(row["state"]), f"{row['received']:,}", str(row["dead"]), str(row["refused"]),
            _ago(row.get("last_ms"), status["now_ms"]), waits,
        )  # fmt: skip
    return table


def _destinations(status: Figures) -> Table:
    table = _table("destination", "state", "waiting", "retrying", "parked", "dead", "delivered", "oldest")
    for row in status.get("destinations", ()):
        oldest = row.get("oldest_age_s")
        table.add_row(
            row["name"], _state(row["state"]), f"{row['waiting']:,}", str(row["retrying"]), str(row["parked"]),
            str(row["dead"]), f"{row['delivered']:,}", f"{oldest} s" if oldest is not None else "",
        )  # fmt: skip
    return table


def _problems(status: Figures) -> list[Text]:
    """Say what is wrong, then why destinations wait where that isn't among it: in one line each, cut at its end."""
    problems = [str(problem) for problem in status.get("problems", ())][:_PROBLEMS_MAX]
    told = "\n".join(problems)
    reasons = [row["why"] for row in status.get("destinations", ()) if row.get("why") and row["why"] not in told]
    lines = [Text("\n".join(f"! {problem}" for problem in problems), style="yellow")] if problems else []
    if reasons:
        lines.append(Text("\n".join(f"  {reason}" for reason in reasons), no_wrap=True, overflow="ellipsis"))
    return lines


def _table(*columns: str) -> Table:
    table = Table(expand=True, box=None, pad_edge=False, header_style="bold")
    for column in columns:
        number = column in ("received", "dead", "refused", "waiting", "retrying", "parked", "delivered", "oldest")
        table.add_column(column, justify="right" if number else "left")
    return table


def _state(state: str) -> Text:
    return Text(state, style=_COLOURS.get(state, "yellow"))


def _ago(instant_ms: Any, now_ms: Any) -> str:
    if not instant_ms:
        return "never"
    seconds = max(0, int(now_ms or time.time() * 1000) - int(instant_ms)) // 1000
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"
