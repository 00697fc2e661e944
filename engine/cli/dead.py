"""`passerelle dead` (alias `dlq`): dead letters, seen and treated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from engine.cli.acting import act, act_options
from engine.cli.asking import Answer, ask
from engine.cli.msg import print_message_row
from engine.cli.options import common_options, options
from engine.cli.printing import note, print_json, print_more, print_rows
from engine.operations.wording import several

Command = TypeVar("Command", bound=Callable[..., Any])
_COLUMNS: Final = ("id", "type", "source", "destination", "route", "code", "field", "reason", "attempts", "group")
_ENDING: Final = ("state", "code", "field", "reason")
_STALE_SHOWN: Final = 10
_IDENTITY: Final = "E-ID-"


def which(command: Command) -> Command:
    """Add ids, --to and --group: which dead letters an act is about."""
    command = click.option("--group", default="", metavar="GROUP", help="All of this group (`dead groups`).")(command)
    command = click.option("--to", "destination", default="", metavar="DEST", help="All of this destination.")(command)
    return click.argument("ids", nargs=-1)(command)


@click.group()
@common_options
def dead() -> None:
    """Dead letters: what nobody will send again by itself."""


@dead.command("ls")
@click.option("--to", "destination", default="", metavar="DEST", help="Only deliveries to DEST.")
@click.option("--source", default="", help="Only messages of this source, and their deliveries.")
@click.option("--group", default="", metavar="GROUP", help="Only this group.")
@click.option("--after", default="", metavar="ID", help="Go on after this one.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
@common_options
def list_dead(*, destination: str, source: str, group: str, after: str, limit: int) -> None:
    """List dead letters, oldest first."""
    answer = ask("dead_list", destination=destination, source=source, group=group, after=after, limit=limit)
    print_rows(answer.get("rows", []), _COLUMNS, empty="no dead letter")
    if answer.get("rows"):
        note("`passerelle code CODE` says what to do; `passerelle dead show ID` shows one letter")
    print_more(answer, "--after")


@dead.command("groups")
@click.option("--to", "destination", default="", metavar="DEST", help="Only deliveries to DEST.")
@common_options
def list_groups(*, destination: str) -> None:
    """Group dead letters by what failed, the most frequent first."""
    answer = ask("dead_groups", destination=destination)
    columns = ("group", "count", "lanes", "destination", "route", "code", "field", "detail", "first", "last")
    print_rows(answer.get("rows", []), columns, empty="no dead letter")
    if answer.get("rows"):
        note("`passerelle code CODE` says what to do; `passerelle dead ls --group GROUP` lists one")
    if not answer.get("all", True) and not options().json:
        click.echo(f"the first {answer.get('count', 0):,} dead letters only", err=True)


@dead.command("show")
@click.argument("id_", metavar="ID")
@common_options
def show_dead(*, id_: str) -> None:
    """Show one dead letter and the history of its attempts; `msg show ID` shows the body, masked."""
    answer = ask("dead_show", id=id_)
    if options().json:
        print_json(answer)
        return
    print_message_row(answer.get("message", {}))
    if answer.get("then"):
        click.echo(f"  do next       {answer['then']}")
    for delivery in answer.get("deliveries", []):
        words = [delivery.get(key) for key in _ENDING] + delivery.get("flags", [])
        ending = " ".join(word for word in words if word)
        click.echo(f"\n{delivery.get('id')} to {delivery.get('destination')}: {ending}")
        if delivery.get("then"):
            click.echo(f"do next: {delivery['then']}")
        columns = ("number", ("begin_ms", "at"), "outcome", "code")
        print_rows(delivery.get("history", []), columns, empty="no attempt")
    dead = [answer.get("message", {}), *answer.get("deliveries", [])]
    if any(str(one.get("code") or "").startswith(_IDENTITY) for one in dead):
        note(
            "`passerelle identity find --ipp` (also --nda, --ins) shows the patient, masked; "
            "`passerelle identity review` the pairs to decide on"
        )


@dead.command("retry")
@which
@click.option("--stale", is_flag=True, help="Also where a later message of that lane and type was delivered.")
@act_options
@common_options
def retry(
    *, ids: tuple[str, ...], destination: str, group: str, stale: bool, reason: str, yes: bool, expect: int | None
) -> None:
    """Route dead letters again under today's configuration; each takes its old place in its lanes."""
    _treat("dead_retry", "will be routed again", ids, destination, group, reason, yes=yes, expect=expect, stale=stale)


@dead.command("pass")
@which
@act_options
@common_options
def let_pass(*, ids: tuple[str, ...], destination: str, group: str, reason: str, yes: bool, expect: int | None) -> None:
    """Let the lanes behind dead deliveries go on; the letters stay dead."""
    _treat("dead_pass", "will stay dead, their lanes go on", ids, destination, group, reason, yes=yes, expect=expect)


@dead.command("discard")
@which
@act_options
@common_options
def discard(*, ids: tuple[str, ...], destination: str, group: str, reason: str, yes: bool, expect: int | None) -> None:
    """Hide dead letters; they are kept until their retention and can be restored."""
    _treat("dead_discard", "will be discarded", ids, destination, group, reason, yes=yes, expect=expect)


@dead.command("restore")
@click.argument("ids", nargs=-1, required=True)
@act_options
@common_options
def restore(*, ids: tuple[str, ...], reason: str, yes: bool, expect: int | None) -> None:
    """Make discarded letters dead again."""

    def sentence(counted: Answer) -> str:
        return f"{several(int(counted.get('count') or 0), 'letter')} will be dead again: {_names(counted)}"

    act("dead_restore", sentence, reason=reason, yes=yes, expect=expect, ids=list(ids))


def _treat(
    operation: str,
    what: str,
    ids: tuple[str, ...],
    destination: str,
    group: str,
    reason: str,
    *,
    yes: bool,
    expect: int | None,
    **more: Any,
) -> None:
    def sentence(counted: Answer) -> str:
        to = f" to {', '.join(counted['destinations'])}" if counted.get("destinations") else ""
        words = f"{several(int(counted.get('count') or 0), 'dead letter')}{to} {what}: {_names(counted)}"
        return "\n".join([words, *_stale(counted), *_consequences(counted)])

    act(
        operation,
        sentence,
        reason=reason,
        yes=yes,
        expect=expect,
        ids=list(ids),
        destination=destination,
        group=group,
        **more,
    )


def _consequences(counted: Answer) -> list[str]:
    """Say what the act does to others of the same lanes."""
    lines = []
    if counted.get("behind"):
        count = int(counted["behind"])
        leave = "leaves" if count == 1 else "leave"
        lines.append(f"the lane goes on: {several(count, 'delivery', 'deliveries')} behind {leave}")
    lines += [f"but nothing leaves now: {why}" for why in counted.get("closed", [])]
    late = counted.get("late", [])
    if late:
        shown = ", ".join(late[:_STALE_SHOWN]) + (" …" if len(late) > _STALE_SHOWN else "")
        arrives = "it arrives late" if len(late) == 1 else "they arrive late"
        lines.append(f"later messages of this patient have already left: {arrives} ({shown})")
    return lines


def _stale(counted: Answer) -> list[str]:
    """Name those that the act will refuse, some of them when there are many."""
    rows = counted.get("stale", [])
    if not rows:
        return []
    lines = [f"of these {len(rows):,} will be refused:"]
    lines += [f"  {row['id']}: {row['outcome']}" for row in rows[:_STALE_SHOWN]]
    return lines + ([f"  and {len(rows) - _STALE_SHOWN:,} more"] if len(rows) > _STALE_SHOWN else [])


def _names(counted: Answer) -> str:
    ids = counted.get("ids", [])
    more = int(counted.get("count") or 0) - len(ids)
    return ", ".join(ids) + (f" and {more:,} more" if more > 0 else "") if ids else "none"
