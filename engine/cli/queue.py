"""`passerelle queue`: what waits, for whom, behind what."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.asking import Answer, ask, now_ms
from engine.cli.options import common_options, options
from engine.cli.printing import cell, note, print_more, print_rows


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
    print_rows(answer.get("rows", []), (*columns, "why"), empty="no destination")
    for hold in [] if options().json else answer.get("holds", []):
        until = f"until {cell('until_ms', hold['until_ms'])}" if hold.get("until_ms") else "until released"
        click.echo(
            f"{hold.get('kind', '')} {hold.get('name', '')} is held {until} by {hold.get('who', '')}:"
            f" {hold.get('reason', '')}"
        )


@queue.command("show")
@click.argument("destination")
@click.option("--after", default="", metavar="ID", help="Go on after this delivery.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@common_options
def show_queue(*, destination: str, after: str, limit: int) -> None:
    """Show the deliveries that wait for DESTINATION, in order."""
    answer = ask("queue_show", destination=destination, after=after, limit=limit)
    columns = ("id", "type", "state", "route", "attempts", ("next", "next attempt"), "code", "reason", "flags")
    print_rows(_with_next(answer), columns, empty=f"nothing waits for {destination}")
    if answer.get("why"):
        note(answer["why"])
    print_more(answer, "--after")


@queue.command("lanes")
@click.argument("destination")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@common_options
def show_lanes(*, destination: str, limit: int) -> None:
    """Show the lanes of DESTINATION, the longest first, with what stands at the head of each."""
    answer = ask("queue_lanes", destination=destination, limit=limit)
    columns = ("lane", "waiting", "head", "state", ("next", "next attempt"), "code")
    print_rows(_with_next(answer), columns, empty=f"nothing waits for {destination}")
    if not options().json:
        more = "" if answer.get("all", True) else f", of the first {answer.get('seen', 0):,} deliveries"
        click.echo(f"{answer.get('lanes', 0):,} lanes{more}", err=True)


def _with_next(answer: Answer) -> list[dict[str, Any]]:
    """Say in words when each moves: a dead delivery isn't tried again, but results may pass it at a moment."""
    rows: list[dict[str, Any]] = answer.get("rows", [])
    if options().json:
        return rows
    now = now_ms()
    return [row | {"next": _next(row, now), "type": _type(row)} for row in rows]


def _type(row: dict[str, Any]) -> str:
    """Name what is no message: a fence or a wall, which keeps order and is never sent."""
    return str(row["kind"]) if row.get("kind") in ("fence", "wall") else str(row.get("type") or "")


def _next(row: dict[str, Any], now: int) -> str:
    dead = row.get("state") == "dead"
    at = int(row.get("results_pass_ms") or row.get("due_ms") or 0)
    if not at:
        return "all waits" if dead else ""
    if dead:
        return "results pass " + (f"at {cell('due_ms', at)}" if at > now else "now")
    return cell("due_ms", at) if at > now else "now"
