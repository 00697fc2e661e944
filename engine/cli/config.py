"""`passerelle plan`, `apply`, `confirm`, `rollback`, `config`: the running configuration, the next, those before."""

from __future__ import annotations

from typing import Final

import click

from engine.cli.acting import act, act_options
from engine.cli.asking import Answer, ask, named_routes
from engine.cli.options import common_options, options
from engine.cli.printing import print_json, print_rows
from engine.operations.wording import read_duration, several

_KINDS = {
    "identity": "section", "sites": "site", "sources": "source", "destinations": "destination", "routes": "route",
    "keys": "key", "tables": "table", "lists": "list",
}  # fmt: skip
_LINES_SHOWN: Final = 30


@click.command()
@click.option("--shadow", type=click.IntRange(1, 20_000), metavar="N", help="Its effect on the last N stored messages.")
@click.option("--diff", "whole", is_flag=True, help=f"All lines that differ; else the first {_LINES_SHOWN}.")
@common_options
def plan(*, shadow: int | None, whole: bool) -> None:
    """
    Say what routes.yaml would change: declarations, queues, tests, and its effect on stored messages.

    Nothing is changed, nothing is sent. Exit code 1 when it differs, 78 when it can't be read.
    """
    answer = ask("config_plan", routes=named_routes(), shadow=shadow or 0)
    if options().json:
        print_json(answer)
    else:
        click.echo(said(answer))
        for line in _lines(answer.get("lines", []), whole=whole):
            click.echo(line)
        for line in _effect(answer.get("effect")):
            click.echo(line)
    click.get_current_context().exit(1 if answer["differs"] else 0)


def _lines(lines: list[str], *, whole: bool) -> list[str]:
    """Return how the files differ, below an empty line; the beginning where not all is asked for."""
    shown = lines if whole else lines[:_LINES_SHOWN]
    left = len(lines) - len(shown)
    rest = [f"and {several(left, 'more line', 'more lines')}: --diff shows all"] if left else []
    return ["", *shown, *rest] if lines else []


def _effect(effect: Answer | None) -> list[str]:
    """Return the effect on messages, as lines."""
    if effect is None:
        return []
    lines = ["", f"effect on the last {several(effect['messages'], 'message')}:"]
    lines += [f"  {count:>7,}  {word}" for word, count in effect["counts"].items() if count or word == "identical"]
    lines += [f"  {one['messages']:>7,}  {one['destination']}: {one['path']}" for one in effect["paths"]]
    lines += [f"  {one['messages']:>7,}  {one['effect']}: {one['what']}" for one in effect["reasons"]]
    for one in effect["examples"]:
        lines.append(f"message {one['message']}, {one['effect']}: {one['destination'] or one['sentence']}")
        lines += [
            f"    {each['path']}  {each['old'] or ''} -> {each['new'] or ''}".rstrip(" ->") for each in one["changes"]
        ]
    return lines


@click.command()
@click.option("--confirm", "within", metavar="DURATION", help="On trial: without `passerelle confirm` it goes back.")
@click.option("--confirmed", is_flag=True, help="The same as `passerelle confirm`.")
@act_options
@common_options
def apply(*, within: str | None, confirmed: bool, reason: str, yes: bool, expect: int | None) -> None:
    """Let the running engine take routes.yaml as it is now, between two messages. Exit code 78 when it is refused."""
    if confirmed:
        _confirm(reason)
        return
    seconds = 0.0 if within is None else read_duration(within)
    routes = named_routes()

    def sentence(counted: Answer) -> str:
        if counted.get("hash") == counted.get("before"):
            trial = "; there is nothing to confirm" if within else ""
            return f"{said(counted)}\n{counted['hash']} runs already{trial}"
        trial = f"\nit goes back by itself after {within}, unless confirmed" if within else ""
        return f"{said(counted)}\n{counted.get('before', '')} -> {counted.get('hash', '')}{trial}"

    act("config_apply", sentence, reason=reason, yes=yes, expect=expect, routes=routes, confirm_seconds=seconds)


@click.command()
@click.option("--reason", metavar="TEXT", default="", help="Stands in the audit trail.")
@common_options
def confirm(*, reason: str) -> None:
    """Let the configuration that was applied on trial stay."""
    _confirm(reason)


def _confirm(reason: str) -> None:
    answer = ask("config_confirm", reason=reason)
    print_rows(answer.get("rows", []), ("id", "outcome"))


@click.command()
@click.argument("to", metavar="[HASH]", default="")
@act_options
@common_options
def rollback(*, to: str, reason: str, yes: bool, expect: int | None) -> None:
    """Go back to the configuration that ran before, or to the one that HASH names (`config log`)."""

    def sentence(counted: Answer) -> str:
        return f"{said(counted)}\nback: {counted.get('before', '')} -> {counted.get('hash', '')}"

    act("config_rollback", sentence, reason=reason, yes=yes, expect=expect, to=to)


@click.group()
@common_options
def config() -> None:
    """Which configurations ran: when, by whom, what they said."""


@config.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@common_options
def log(*, limit: int) -> None:
    """List which configurations ran, newest first."""
    answer = ask("config_log", limit=limit)
    columns = (("at_ms", "at"), "verb", "hash", "before", "who", "reason")
    print_rows(answer.get("rows", []), columns, empty="none ran here")


@config.command()
@click.argument("name", metavar="[HASH]", default="")
@common_options
def show(*, name: str) -> None:
    """Print the files of the running configuration, or of the one that HASH names, as they were."""
    answer = ask("config_show", name=name)
    if options().json:
        print_json(answer)
        return
    for file, text in answer["files"].items():
        click.echo(f"# --- {file}\n{text.rstrip()}")


@config.command()
@click.argument("one", metavar="[HASH]", default="")
@click.argument("other", metavar="[HASH]", default="")
@common_options
def diff(*, one: str, other: str) -> None:
    """Compare two configurations that ran; by default the running one with the one before. Exit code 1: they differ."""
    answer = ask("config_diff", one=one, other=other)
    if options().json:
        print_json(answer)
    else:
        for line in answer["lines"]:
            click.echo(line)
    click.get_current_context().exit(1 if answer["lines"] else 0)


def said(answer: Answer) -> str:
    """Return what changes, one line a declaration, and what becomes of queues."""
    lines: list[str] = []
    for kind, part in answer.get("changes", {}).items():
        noun = _KINDS[kind]
        lines += [f"+ {noun} {name}" for name in part["added"]]
        lines += [f"- {noun} {name}" for name in part["removed"]]
        lines += [f"~ {noun} {name}" for name in part["changed"]]
        lines += [f"~ {noun} {former} is now {name}" for former, name in part["renamed"].items()]
    for queue in answer.get("queues", []):
        waiting = several(queue["waiting"] + queue["parked"], "delivery waits", "deliveries wait")
        lines.append(f"  queue {queue['destination']}: {waiting}; {queue['what']}")
    if not lines:
        lines.append("the files differ, what they say is the same" if answer.get("texts") else "nothing changes")
    tests = answer.get("tests")
    if tests and any((tests["passed"], tests["failed"])):
        failed = f", {tests['failed']} failed" if tests["failed"] else ""
        lines.append(f"{several(tests['passed'], 'test')} passed{failed}")
    than = f" to {answer['before']}, which ran last" if answer.get("ran_last") else ""
    lines.append(several(int(answer.get("count") or 0), "difference") + than)
    return "\n".join(lines)
