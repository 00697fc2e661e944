"""`passerelle explain`: why a route wants a message, or doesn't."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from engine.cli.asking import Answer, ask, named_routes, read_runnable
from engine.cli.msg import reveal_options
from engine.cli.options import common_options, options
from engine.cli.printing import print_json
from engine.cli.try_ import print_origin, read_given
from engine.errors import OperationRefused

_TRUTH: Final = {True: "true", False: "false", None: "fails"}
_WIDTH: Final = 56


@click.command()
@click.argument("route", metavar="ROUTE")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--message", "id_", metavar="ID", default="", help="A stored message; masked unless revealed.")
@click.option("--source", default="", metavar="NAME", help="From which source FILE comes.")
@reveal_options
@common_options
def explain(*, route: str, file: Path | None, id_: str, source: str, reveal: bool, reason: str) -> None:
    """
    Say why a route of routes.yaml, as it is on disk, wants a message or doesn't.

    Each clause of its conditions stands on a line, with its truth and the values that it saw. Nothing is sent.
    """
    if (file is None) == (not id_):
        raise OperationRefused("give a FILE, or --message ID", exit_code=2)
    if file is not None:
        answer = _file(route, file, source)
    else:
        routes = named_routes()
        answer = ask("message_explain", id=id_, route=route, routes=routes, reveal=reveal, reason=reason)
    if options().json:
        print_json(answer)
        return
    _print(route, answer)


def _file(route: str, file: Path, name: str) -> Answer:
    from engine.operations.explaining import plain
    from engine.sandbox.at_once import workers
    from engine.trials.explaining import explain, told

    configuration = read_runnable(options())
    stored = read_given(configuration, route, file, name)
    with workers() as reply:
        return {"masked": False} | told(explain(configuration, route, stored, file.name, reply), plain)


def _print(route: str, answer: Answer) -> None:
    print_origin(answer)
    if not answer["asked"]:
        click.echo(f"the route {route} is not asked")
    elif answer["when"] is None:
        click.echo(f"the route {route} has no condition: it wants every message of its sources")
    else:
        click.echo(f"the route {route} {_WANTS[answer['when']['holds']]} it")
        _print_clause(answer["when"], 0)
    for exit_ in answer["exits"]:
        condition = exit_["when"]
        wants = f"{_WANTS[condition['holds']]} it" if condition is not None else "has no condition"
        click.echo(f"to {exit_['destination']}: {wants}")
        if condition is not None:
            _print_clause(condition, 0)
    click.echo(f"outcome: {answer['ending']}; nothing was sent")
    if answer.get("masked"):
        click.echo("masked; --reveal --reason TEXT shows the values, and is audited", err=True)


_WANTS: Final = {True: "wants", False: "doesn't want", None: "fails on"}


def _print_clause(clause: dict[str, Any], depth: int) -> None:
    indent = "  " * depth
    words = clause["text"] if clause["kind"] == "test" or not depth else _short(clause)
    line = f"  {_TRUTH[clause['holds']]:<6} {indent}{words}"
    if clause["kind"] == "test":
        seen = ", ".join(clause["values"]) if clause["values"] else "(nothing)"
        line = f"{line:<{_WIDTH}}  {clause['of']}: {seen}"
    click.echo(line)
    if clause.get("trouble") and not clause.get("clauses"):
        click.echo(f"         {indent}{clause['trouble']}")
    for one in clause.get("clauses", []):
        _print_clause(one, depth + 1)


def _short(clause: dict[str, Any]) -> str:
    """Name a clause that is made of others: they stand below it."""
    return {"and": "all of", "or": "any of", "not": "not"}[clause["kind"]]
