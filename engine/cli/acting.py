"""
Acts: the number first, then a question, a reason, the outcome.

A script says it all at once, `--yes --expect N --reason TEXT`, and one rule holds for all commands: `--yes` wants
`--expect`. Only what goes on changing by itself while one types (what waits behind a hold) has no number to expect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from engine.cli.asking import Answer, ask, interactive
from engine.cli.options import options
from engine.cli.printing import print_rows
from engine.errors import OperationRefused
from engine.operations.wording import several

Command = TypeVar("Command", bound=Callable[..., Any])


def act_options(command: Command) -> Command:
    """Add --reason, --yes, --expect to a command that changes things."""
    for decorate in (
        click.option(
            "--expect", type=click.IntRange(0), metavar="N", help="Change nothing unless the number said is exactly N."
        ),
        click.option("--yes", "-y", is_flag=True, help="Don't ask: for scripts, which say --expect N too."),
        click.option("--reason", metavar="TEXT", default="", help="Why; it stands in the audit trail."),
    ):
        command = decorate(command)
    return command


def act(
    operation: str,
    sentence: Callable[[Answer], str],
    *,
    reason: str,
    yes: bool,
    expect: int | None,
    moving: bool = False,
    **arguments: Any,
) -> None:
    """
    Count, ask, carry out, print the outcome.

    Args:
        operation: Name of the operation; it takes `dry`, `expect` and `reason`.
        sentence: Says what will be done, from the answer of the dry run.
        reason: Why; asked for on a terminal when empty.
        yes: Don't ask.
        expect: What the count must be.
        moving: The count goes on changing by itself (a queue): carry out whatever it became meanwhile; `yes` alone
            is enough.
        arguments: The others of the operation.

    Raises:
        OperationRefused: The count differs (3), none is expected (2), no reason (2), nobody to ask (2), or the
            operator said no (1).
    """
    counted = ask(operation, dry=True, **arguments)
    count = int(counted.get("count") or 0)
    if not options().json:
        click.echo(sentence(counted))
    require_expected(count, expect, yes=yes and not moving)
    reason = confirm(reason, yes=yes)
    answer = ask(operation, reason=reason, expect=expect if moving else count, **arguments)
    _print_outcome(answer)
    if answer.get("refused"):
        click.get_current_context().exit(1)


def require_expected(count: int, expect: int | None, *, yes: bool, noun: str = "") -> None:
    """
    Compare what there is with what was expected.

    Args:
        count: What there is.
        expect: What the operator or the script said; None: nothing.
        yes: Nobody is asked, so the number must have been said.
        noun: Of what, in the plural; empty where the sentence before it says so.

    Raises:
        OperationRefused: It is another number (3), or must be said (2).
    """
    if expect is None and yes:
        sentence = f"--yes asks nobody, so it wants the number: --expect {count}, if that is right; nothing was changed"
        raise OperationRefused(sentence, exit_code=2)
    if expect is not None and count != expect:
        there = f"there are {count:,} {noun}".rstrip()
        raise OperationRefused(f"{there}, not {expect:,}: nothing was changed", exit_code=3)


def confirm(reason: str, *, yes: bool) -> str:
    """
    Ask for a reason and a yes.

    Returns:
        The reason.

    Raises:
        OperationRefused: No reason (2), nobody to ask (2), or the operator said no (1).
    """
    if yes:
        if not reason.strip():
            raise OperationRefused("a reason is needed: --reason TEXT", exit_code=2)
        return reason
    if not interactive():
        raise OperationRefused("nobody can be asked here: add --yes --expect N --reason TEXT", exit_code=2)
    reason = asked_reason(reason)
    if not click.confirm("Do it?", default=False, err=True):
        raise OperationRefused("nothing was changed")
    return reason


def asked_reason(reason: str) -> str:
    """Return the reason, asked for where it is missing and somebody sits there."""
    return reason if reason.strip() or not interactive() else str(click.prompt("Reason", err=True))


def _print_outcome(answer: Answer) -> None:
    rows = answer.get("rows", [])
    if options().json:
        print_rows(rows, ())
        return
    differing = {str(row.get("outcome", "")) for row in rows}
    if len(differing) > 1 or answer.get("refused"):
        print_rows(rows, ("id", "outcome"))
    summary = [
        f"{answer[kind]:,} {words}"
        for kind, words in (("accepted", "done"), ("refused", "refused"), ("waiting", "recorded"))
        if answer.get(kind)
    ]
    detail = f": {differing.pop().removeprefix('recorded; ')}" if len(differing) == 1 else ""
    click.echo(f"{', '.join(summary) or several(0, 'act')}{detail}")
