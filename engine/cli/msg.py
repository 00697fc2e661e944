"""`passerelle msg`: find a message, look at it, follow its way. Bodies are masked unless revealed with a reason."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from engine.cli.asking import Answer, ask, ask_secret, now_ms
from engine.cli.files import is_id, messages_of
from engine.cli.options import common_options, options
from engine.cli.printing import cell, console, note, print_json, print_more, print_rows
from engine.cli.validating import Checker, validate
from engine.errors import OperationRefused
from engine.operations.wording import read_moment

Command = TypeVar("Command", bound=Callable[..., Any])
_COLUMNS: Final = (
    "id", ("received_ms", "received"), "source", "site", "type", "control_id", ("ending", "state"), "code", "reason",
)  # fmt: skip
_ROW_KEYS: Final = (
    ("received_ms", "received"), ("source", "source"), ("site", "site"), ("peer", "peer"), ("name", "file"),
    ("format", "format"), ("type", "type"), ("control_id", "control id"), ("charset", "charset"), ("size", "bytes"),
    ("attachments", "attachments"),
    ("ending", "state"), ("code", "code"), ("field", "field"), ("reason", "reason"), ("linked_to", "same as"),
    ("alone", "a part"),
    ("joins", "holds too"), ("waits_until_ms", "waits until"), ("then", "then"),
    ("config", "configuration"),
)  # fmt: skip
_WHAT_BECAME: Final = (
    (True, "each sender of a connection was told, and keeps its message"),
    (False, "each file lies in `refused` of its folder, the reason beside it"),
)


def reveal_options(command: Command) -> Command:
    """Add --reveal and --reason to a command that shows bodies."""
    command = click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail.")(command)
    return click.option("--reveal", is_flag=True, help="Show the values; needs --reason.")(command)


def own_part_option(command: Command) -> Command:
    """Add --own-part to a command that shows bodies."""
    words = "Of a message that came in parts: the one that it was itself, the last."
    return click.option("--own-part", is_flag=True, help=words)(command)


@click.group()
@common_options
def msg() -> None:
    """Messages received."""


@msg.command("find")
@click.option("--ipp", is_flag=True, help="By patient identifier: asked for, or read from stdin.")
@click.option("--key", metavar="NAME", help="By this key of the configuration (nda, order…): asked for, or stdin.")
@click.option("--control-id", default="", metavar="ID", help="By MSH-10.")
@click.option("--source", default="", help="Received from this source.")
@click.option("--state", default="", help="In this state: delivered, waiting, dead, filtered and so on.")
@click.option("--since", metavar="WHEN", help="Received since: 2h, 22:00, 2024-05-02.")
@click.option("--until", metavar="WHEN", help="Received before.")
@click.option("--before", default="", metavar="ID", help="Go on before this message.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@common_options
def find(
    *,
    ipp: bool,
    key: str | None,
    control_id: str,
    source: str,
    state: str,
    since: str | None,
    until: str | None,
    before: str,
    limit: int,
) -> None:
    """Find messages, newest first. Identifiers are never given on the command line."""
    if ipp and key:
        raise OperationRefused("--ipp is --key ipp: give one of them", exit_code=2)
    name = "ipp" if ipp else key
    value = ask_secret(name.upper() if ipp else name) if name else ""
    now = now_ms()
    answer = ask(
        "message_find",
        key=name,
        value=value,
        control_id=control_id,
        source=source,
        state=state,
        since_ms=read_moment(since, now) if since else None,
        until_ms=read_moment(until, now) if until else None,
        before=before,
        limit=limit,
    )
    print_rows(answer.get("rows", []), _COLUMNS, empty="no message")
    print_more(answer, "--before")


@msg.command("show")
@click.argument("id_", metavar="ID|FILE")
@click.option("--profile", default="", metavar="NAME|FILE", help="What FILE is compared with; as msg validate.")
@own_part_option
@reveal_options
@common_options
def show(*, id_: str, profile: str, own_part: bool, reveal: bool, reason: str) -> None:
    """
    Show message 48211 as received, or delivery 48211-0 as sent, masked; or the messages of FILE as they are.

    FILE is any path (`./48211` where its name looks like an id), `-` for stdin: HL7 v2 and HPRIM as trees
    with names, tables in words and faulty places marked.
    """
    if not is_id(id_):
        _show_file(Path(id_), profile)
        return
    answer = ask("message_show", id=id_, reveal=reveal, reason=reason, own_part=own_part or None)
    if options().json:
        print_json(answer)
        return
    print_message_row(answer.get("message", {}))
    _print_deliveries(answer)
    click.echo()
    _print_segments(answer)


msg.add_command(validate)


@msg.command("raw")
@click.argument("id_", metavar="ID")
@own_part_option
@reveal_options
@common_options
def raw(*, id_: str, own_part: bool, reveal: bool, reason: str) -> None:
    """Print the body as it is written, masked; with --reveal the very bytes."""
    answer = ask("message_raw", id=id_, reveal=reveal, reason=reason, own_part=own_part or None)
    if options().json:
        print_json(answer)
    elif answer.get("masked", True):
        click.echo(answer.get("text", ""))
    else:
        click.echo(base64.b64decode(answer.get("base64", "")), nl=False)


@msg.command("trace")
@click.argument("id_", metavar="ID")
@common_options
def trace(*, id_: str) -> None:
    """Tell the way of a message: received, attempts, endings."""
    answer = ask("message_trace", id=id_)
    if options().json:
        print_rows(answer.get("rows", []), ())
        return
    print_message_row(answer.get("message", {}))
    click.echo()
    print_rows(answer.get("rows", []), (("at_ms", "at"), "what", "delivery", "destination", "detail"))


@msg.command("export")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--as-test", is_flag=True, help="With made-up identities and moved dates: for tests of routes.")
@click.option(
    "--output", metavar="DIR", default=None, type=click.Path(path_type=Path, file_okay=False),
    help="Write one file a message there, instead of one message to stdout.",
)  # fmt: skip
@common_options
def export(*, ids: tuple[str, ...], as_test: bool, output: Path | None) -> None:
    """
    Write messages as fixtures: names, numbers and addresses made up, dates moved, free text masked.

    Messages that belong together are exported together: the same patient stays the same in all.
    """
    if not as_test:
        raise OperationRefused(
            "--as-test is missing; the real bytes: passerelle msg raw --reveal --reason", exit_code=2
        )
    if output is None and len(ids) > 1:
        raise OperationRefused("several messages: --output DIR, where each becomes a file", exit_code=2)
    answer = ask("message_export", ids=list(ids))
    if options().json:
        print_rows(answer["rows"], ())
    elif output is None:
        click.echo(base64.b64decode(answer["rows"][0]["base64"]), nl=False)
    else:
        _write_all(output, answer["rows"])


def _write_all(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        (folder / row["file"]).write_bytes(base64.b64decode(row["base64"]))
        click.echo(f"{folder / row['file']}")
    click.echo("read them before you pass them on: what a sender writes where it doesn't belong nobody knows", err=True)


@click.command()
@click.option("--source", default="", help="Only of this source.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@common_options
def refusals(*, source: str, limit: int) -> None:
    """List what was not taken (no message, too long), newest first."""
    answer = ask("refusals", source=source, limit=limit)
    columns = (("at_ms", "at"), "source", "peer", "code", "reason", "size")
    print_rows(answer.get("rows", []), columns, empty="no refusal")
    told = {bool(row.get("peer")) for row in answer.get("rows", [])}
    if told:
        words = [sentence for connected, sentence in _WHAT_BECAME if connected in told]
        note("; ".join(("`passerelle code CODE` says what to do", *words)))


def _show_file(path: Path, profile: str) -> None:
    """Print the messages of a file, which its owner named: nothing is masked."""
    from engine.cli.trees import print_tree
    from engine.operations.trees import tree_of

    checker = Checker(profile)
    for rank, raw in enumerate(messages_of(path)):
        if rank and not options().json:
            click.echo()
        print_tree(tree_of(raw, check=checker.check))


def print_message_row(row: Mapping[str, Any]) -> None:
    """Print what is known of a message, without its body."""
    click.echo(f"message {row.get('id', '')}")
    for key, heading in _ROW_KEYS:
        words = cell(key, row.get(key)) if row.get(key) else ""
        if key == "linked_to" and row.get("state") == "joined":
            heading = "part of"
        if key == "alone" and words:
            words = "of a longer message; it goes on without the others"
        if words:
            click.echo(f"  {heading:<14}{words}")


def _print_deliveries(answer: Answer) -> None:
    for one in answer.get("deliveries", []):
        words = [one.get(key) for key in ("state", "code", "field", "reason")] + one.get("flags", [])
        click.echo(f"  {one.get('id')} to {one.get('destination')}: {' '.join(word for word in words if word)}")


def _print_segments(answer: Answer) -> None:
    """One field a line; a faulty one has a mark that needs no colour."""
    from rich.text import Text

    screen = console()
    for segment in answer.get("segments", []):
        for field in segment.get("fields", []):
            fault = bool(field.get("fault"))
            place = f"{segment['segment']}-{field.get('n')}" if segment.get("segment") else "?"
            line = f"{'>' if fault else ' '} {place:<8} {field.get('value', '')}"
            screen.print(Text(line, style="bold red" if fault else ""))
    if answer.get("masked", True):
        click.echo("masked; --reveal --reason TEXT shows the values, and is audited", err=True)
