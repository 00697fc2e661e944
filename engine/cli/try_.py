"""`passerelle try`: one message through one route, step by step; nothing is sent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.asking import Answer, ask, named_routes, read_runnable
from engine.cli.msg import reveal_options
from engine.cli.options import common_options, options
from engine.cli.printing import print_json
from engine.errors import OperationRefused
from engine.operations.wording import several

if TYPE_CHECKING:
    from engine.core.messages import StoredMessage
    from engine.routes.configuration import Configuration, Source


@click.command("try")
@click.argument("route", metavar="ROUTE")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--message", "id_", metavar="ID", default="", help="A stored message; masked unless revealed.")
@click.option("--source", default="", metavar="NAME", help="From which source FILE comes.")
@reveal_options
@common_options
def try_(*, route: str, file: Path | None, id_: str, source: str, reveal: bool, reason: str) -> None:
    """
    Put a message through a route of routes.yaml as it is on disk, and show what each step changes.

    Nothing is sent, nothing is stored.
    """
    if (file is None) == (not id_):
        raise OperationRefused("give a FILE, or --message ID", exit_code=2)
    if file is not None:
        answer = _file(route, file, source)
    else:
        answer = ask("message_try", id=id_, route=route, routes=named_routes(), reveal=reveal, reason=reason)
    if options().json:
        print_json(answer)
        return
    _print(answer)


def _file(route: str, file: Path, name: str) -> Answer:
    """Follow a file of one's own: shown as it is."""
    from engine.sandbox.at_once import workers
    from engine.trials.following import follow
    from engine.trials.telling import plain, told

    configuration = read_runnable(options())
    stored = read_given(configuration, route, file, name)
    with workers() as reply:
        followed = follow(configuration, route, stored, file.name, reply)
    return {"masked": False} | told(followed, configuration, plain, bodies=True)


def read_given(configuration: Configuration, route: str, file: Path, name: str) -> StoredMessage:
    """
    Read the only message of a file, as if a source of the route had received it.

    Args:
        configuration: As loaded.
        route: Name of the route.
        file: The file.
        name: Name of the source; empty: the only one of the route.

    Raises:
        OperationRefused: There is no such route, source or message; or no such file (usage).
    """
    from engine.operations.trying import require_route
    from engine.trials.messages import NoMessage, split, taken

    source = _source(configuration, route, name)
    require_route(configuration, route, source.name)
    try:
        messages = split(file.read_bytes(), source)
        if len(messages) > 1:
            raise OperationRefused(f"'{file}' holds {len(messages)} messages: try them one by one", exit_code=2)
        return taken(messages[0], source, 1, file)
    except FileNotFoundError:
        raise OperationRefused(f"there is no file '{file}'", exit_code=2) from None
    except NoMessage as error:
        raise OperationRefused(f"'{file}': {error}") from None


def _source(configuration: Configuration, route: str, name: str) -> Source:
    found = next((one for one in configuration.routes if one.name == route), None)
    known = found.sources if found is not None else tuple(configuration.sources)
    if not name and found is not None and len(known) > 1:
        raise OperationRefused(f"from which source? --source {' | '.join(known)}", exit_code=2)
    name = name or (known[0] if known else "")
    if name not in configuration.sources:
        names = ", ".join(configuration.sources)
        raise OperationRefused(f"there is no source {name}; there are {names}")
    return configuration.sources[name]


def print_origin(answer: Answer) -> None:
    """Print which message it is."""
    where = f"from {answer['source']}, site {answer['site'] or 'not known'}, {answer['type'] or 'no type'}"
    click.echo(f"{answer['message']} {where}")


def _print(answer: Answer) -> None:
    print_origin(answer)
    if answer["when"]:
        holds = {True: "holds", False: "doesn't hold", None: "wasn't asked"}[answer["wanted"]]
        click.echo(f"when: {answer['when']}: {holds}")
    _print_steps(answer["steps"], "")
    for exit_ in answer["exits"]:
        click.echo(f"to {exit_['destination']}")
        _print_steps(exit_["steps"], "  ")
        for one in exit_["deliveries"]:
            if one["state"] == "dead":
                words = " ".join(filter(None, (one["code"], one["field"])))
                click.echo(f"  a dead letter {words}: {one['reason']}")
            else:
                target = f" as {one['target']}" if one["target"] else ""
                size = f"{one['size']:,} bytes"
                click.echo(f"  {one['id']}{target}: {size}, {several(one['lanes'], 'lane')}")
        if not exit_["deliveries"]:
            click.echo("  nothing")
    _print_findings(answer)
    click.echo(f"outcome: {answer['ending']}; nothing was sent")
    if answer.get("masked"):
        click.echo("masked, by whole fields; --reveal --reason TEXT shows the values, and is audited", err=True)


def _print_findings(answer: Answer) -> None:
    """Print what no step above says already: of reading the message, of a conversion into several."""
    steps = [*answer["steps"], *(step for exit_ in answer["exits"] for step in exit_["steps"])]
    told = {word for step in steps for word in step["left"]}
    findings: list[str] = answer["findings"]
    for finding, count in Counter(findings).items():
        if finding not in told:
            click.echo(f"finding: {finding}" + (f", {count} times" if count > 1 else ""))


def _print_steps(steps: list[dict[str, Any]], indent: str) -> None:
    for number, step in enumerate(steps, 1):
        label = f" ({step['label']})" if step["label"] else ""
        times = f", {step['runs']} times" if step["runs"] > 1 else ""
        passed = "" if step["runs"] else ": passed over"
        click.echo(f"{indent}{number:3d} {step['verb']}{label}{passed}{times}  {step['where']}")
        for change in step["changes"]:
            old, new = ("(absent)" if change[side] is None else change[side] for side in ("old", "new"))
            click.echo(f"{indent}      {change['path']}  {old} -> {new}")
        for word in step["left"]:
            click.echo(f"{indent}      {word if word.startswith(('tag:', 'messages:')) else f'finding: {word}'}")
        if "body" in step:
            click.echo(f"{indent}      body  {step['body']}")
        if step["stopped"]:
            click.echo(f"{indent}      {step['stopped']}")
