"""`passerelle identity`: the cross-reference, for identity officers; identifiers are asked for, never typed here."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import click

from engine.cli.acting import act, act_options, asked_reason
from engine.cli.asking import Answer, Session, ask, ask_secret, session
from engine.cli.identity_import import import_
from engine.cli.identity_review import review
from engine.cli.msg import reveal_options
from engine.cli.options import common_options, options
from engine.cli.printing import cell, note, print_json, print_more, print_rows
from engine.errors import OperationRefused
from engine.operations.wording import several

Command = TypeVar("Command", bound=Callable[..., Any])

_MASKED: Final = "masked; --reveal --reason TEXT shows the values, and is audited"
_ASKED: Final = {
    "ipp": "A hospital's number of the patient",
    "nda": "A hospital's number of a stay",
    "ins": "The INS",
    "number": "The group's own number of the patient",
}
_IMPACT: Final = (("sent_ms", "sent"), "destination", "id", "message", "type", "state", "note")
_HISTORY: Final = ("id", ("at_ms", "at"), "rule", "who", "message", "undoes", ("changes", "detail"), "reason")


def asked_options(command: Command) -> Command:
    """Add --ipp, --nda, --ins, --number: by which identifier; it is asked for, or read from stdin."""
    for name, words in reversed(_ASKED.items()):
        command = click.option(f"--{name}", name, is_flag=True, help=f"{words}: asked for, or stdin.")(command)
    return command


@click.group()
@common_options
def identity() -> None:
    """Patients across the hospitals: look them up, review, link, unlink, undo; who received what."""


@identity.command("find")
@asked_options
@reveal_options
@common_options
def find(*, reveal: bool, reason: str, **asked: bool) -> None:
    """Find the patients who have an identifier. It is never given on the command line."""
    kind = _kind(asked) or _refuse_kind()
    answer = ask("identity_find", kind=kind, value=_secret(kind), reveal=reveal, reason=reason)
    rows = answer.get("rows", [])
    if options().json:
        print_rows(rows, ())
        return
    if not rows:
        click.echo("nobody has this identifier")
    for row in rows:
        _print_patient(row)
    if rows and answer.get("masked", True):
        note(_MASKED)


@identity.command("show")
@click.argument("id_", metavar="ID")
@reveal_options
@common_options
def show(*, id_: str, reveal: bool, reason: str) -> None:
    """Show a patient: identifiers, what each hospital says of him, what waits, pairs to review; masked."""
    answer = ask("identity_show", id=id_, reveal=reveal, reason=reason)
    if options().json:
        print_json(answer)
        return
    _print_patient(answer)
    for one in answer.get("waiting", []):
        click.echo(f"  {several(int(one['waiting']), 'delivery waits', 'deliveries wait')} for {one['destination']}")
    for one in answer.get("reviews", []):
        other = one["other"] if one["one"] == answer.get("id") else one["one"]
        click.echo(f"  to review with patient {other}: {one['sentence']} ({one['traits']})")
    if answer.get("waiting") or answer.get("reviews"):
        note("`passerelle dead ls` lists dead letters (E-ID-…: who is it?), `passerelle dead show ID` shows one")
    if answer.get("masked", True):
        note(_MASKED)


@identity.command("history")
@click.argument("id_", metavar="[ID]", default="")
@click.option("--before", default="", metavar="ID", help="Go on before this decision.")
@click.option("--limit", type=click.IntRange(1, 400), default=50, show_default=True, help="How many at most.")
@reveal_options
@common_options
def history(*, id_: str, before: str, limit: int, reveal: bool, reason: str) -> None:
    """List the decisions on a patient, or all, newest first: of rules and of people."""
    answer = ask("identity_history", id=id_, before=before, limit=limit, reveal=reveal, reason=reason)
    rows = answer.get("rows", [])
    if not options().json:
        rows = [row | {"changes": "; ".join(row["changes"])} for row in rows]
    print_rows(rows, _HISTORY, empty="no decision")
    print_more(answer, "--before")


@identity.command("link")
@click.argument("one", metavar="ID")
@click.argument("other", metavar="ID")
@act_options
@common_options
def link(*, one: str, other: str, reason: str, yes: bool, expect: int | None) -> None:
    """Join two patients who are one person; `identity undo` takes it back."""
    _act_on_two("identity_link", "become one; what is known of them", one, other, reason, yes=yes, expect=expect)


@identity.command("unlink")
@click.argument("id_", metavar="ID")
@click.option("--site", default="", metavar="SITE", help="The numbers of this hospital are another person's.")
@click.option("--ipp", is_flag=True, help="This one number is another person's: asked for, or stdin.")
@click.option(
    "--another-person",
    is_flag=True,
    help="With --ipp: its hospital has given the number to somebody else. What was said under it stays with ID.",
)
@act_options
@common_options
def unlink(*, id_: str, site: str, ipp: bool, another_person: bool, reason: str, yes: bool, expect: int | None) -> None:
    """Give numbers of a patient a patient of their own: they are another person's."""
    if bool(site) == ipp:
        raise OperationRefused("say which numbers go: --site SITE, or --ipp for one", exit_code=2)
    if another_person and not ipp:
        raise OperationRefused("--another-person is about one number: say --ipp", exit_code=2)
    value = _secret("ipp") if ipp else None

    def sentence(counted: Answer) -> str:
        count = int(counted.get("count") or 0)
        what = "1 number of patient {} becomes" if count == 1 else f"{count:,} numbers of patient {{}} become"
        whose = f"another person's; what was said under it stays with {id_}" if another_person else "another patient's"
        return _told(counted, f"{what.format(id_)} {whose}; the two are apart from then on")

    act(
        "identity_unlink", sentence, reason=reason, yes=yes, expect=expect, id=id_, site=site or None,
        kind="ipp" if ipp else None, value=value, another_person=another_person or None,
    )  # fmt: skip


@identity.command("apart")
@click.argument("one", metavar="ID")
@click.argument("other", metavar="ID")
@act_options
@common_options
def apart(*, one: str, other: str, reason: str, yes: bool, expect: int | None) -> None:
    """Say that two patients are two people: they are never proposed again, and nothing joins them."""
    _act_on_two("identity_apart", "are two people; what is known", one, other, reason, yes=yes, expect=expect)


@identity.command("undo")
@click.argument("event", metavar="ID")
@act_options
@common_options
def undo(*, event: str, reason: str, yes: bool, expect: int | None) -> None:
    """Take decision ID back (`identity history` lists them): all becomes what it was before it."""

    def sentence(counted: Answer) -> str:
        return _told(counted, f"decision {event} is taken back")

    act("identity_undo", sentence, reason=reason, yes=yes, expect=expect, event=event)


@identity.command("impact")
@click.argument("id_", metavar="[ID]", default="")
@click.option("--event", default="", metavar="ID", help="The identifiers that this decision moved.")
@asked_options
@click.option("--before", default="", metavar="ID", help="Go on before this delivery.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@common_options
def impact(*, id_: str, event: str, before: str, limit: int, **asked: bool) -> None:
    """List who received the identifiers of patient ID, in which message, when; and what still waits."""
    kind = _kind(asked)
    if sum(map(bool, (id_, event, kind))) != 1:
        raise OperationRefused("say whose: the ID of a patient, --event ID, or one identifier (--ipp…)", exit_code=2)
    answer = ask(
        "identity_impact", id=id_ or None, event=event or None, kind=kind or None,
        value=_secret(kind) if kind else None, before=before, limit=limit,
    )  # fmt: skip
    print_rows(answer.get("rows", []), _IMPACT, empty="nobody received it")
    if options().json:
        return
    told = [f"{name} {count:,}" for name, count in answer.get("destinations", {}).items()]
    if told:
        note(f"{', '.join(told)}; {several(int(answer.get('waiting') or 0), 'delivery', 'deliveries')} not sent yet")
    print_more(answer, "--before")


identity.add_command(import_, "import")
identity.add_command(review)


@identity.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the audit trail.")
@common_options
def export(*, file: Path, reason: str) -> None:
    """Write the whole cross-reference to FILE (`-`: stdout), as `identity import` takes it. It is audited."""
    reason = asked_reason(reason)
    with session() as asked:
        pages = _pages(asked, reason)
        first = next(pages)  # refused before a file is made
        if str(file) == "-":
            count = _write(csv.writer(sys.stdout, lineterminator="\n"), first, pages)
        else:
            with _fresh(file) as out:
                count = _write(csv.writer(out, lineterminator="\n"), first, pages)
    note(f"{several(count, 'row')} written; it holds identifiers and traits: keep it as you keep a patient's record")


@identity.command("stats")
@common_options
def stats() -> None:
    """Count patients, identifiers, decisions, pairs to review, messages that wait for an identifier."""
    answer = ask("identity_stats")
    if options().json:
        print_json(answer)
        return
    click.echo(f"{'patients':<22}{int(answer.get('patients') or 0):>12,}")
    for name in ("identifiers", "reviews", "events"):
        for word, count in answer.get(name, {}).items():
            click.echo(f"{_STATS[name] + ' ' + word:<22}{count:>12,}")
    click.echo(f"{'messages that wait':<22}{int(answer.get('waiting') or 0):>12,}")
    click.echo(f"{'next number':<22}{int(answer.get('next_patient') or 0):>12,}")


_IDS_SHOWN: Final = 10
_STATS: Final = {"identifiers": "identifiers", "reviews": "pairs", "events": "decisions"}


@identity.command("next-number")
@click.argument("number", type=click.IntRange(1))
@act_options
@common_options
def next_number(*, number: int, reason: str, yes: bool, expect: int | None) -> None:
    """Jump the counter of the group's numbers forward to NUMBER: after a restore, none is given twice."""

    def sentence(counted: Answer) -> str:
        return f"the next patient gets number {counted['next']:,} in place of {counted['now']:,}; it never goes back"

    act("identity_next_number", sentence, reason=reason, yes=yes, expect=expect, number=number)


def _act_on_two(
    operation: str, words: str, one: str, other: str, reason: str, *, yes: bool, expect: int | None
) -> None:
    """Say what becomes of two patients, with what is known of both; ask; do it."""

    def sentence(counted: Answer) -> str:
        return _told(counted, f"patients {one} and {other} {words}: {counted['compared']}")

    act(operation, sentence, reason=reason, yes=yes, expect=expect, one=one, other=other)


def _kind(asked: dict[str, bool]) -> str:
    chosen = [name for name in _ASKED if asked.get(name)]
    if len(chosen) > 1:
        raise OperationRefused(f"give one of {', '.join(f'--{name}' for name in chosen)}", exit_code=2)
    return chosen[0] if chosen else ""


def _refuse_kind() -> str:
    raise OperationRefused(f"by which identifier? {', '.join(f'--{name}' for name in _ASKED)}", exit_code=2)


def _secret(kind: str) -> str:
    return ask_secret(_ASKED[kind])


def _told(counted: Answer, sentence: str) -> str:
    """Say what an act does: the rows, what waits, what was sent."""
    lines = [sentence, *(f"  {change}" for change in counted.get("changes", []))]
    moved = int(counted.get("moved") or 0)
    if moved:
        words = several(moved, "identifier changes its patient", "identifiers change their patient")
        lines.append(f"  in all {words} (in a script: --expect {moved})")
    lines += [
        f"  {several(int(one['waiting']), 'delivery waits', 'deliveries wait')} for {one['destination']}: "
        f"{'it keeps its' if one['waiting'] == 1 else 'they keep their'} order"
        for one in counted.get("waiting", [])
    ]
    for one in counted.get("remaining", []):
        lines += [f"  {line}" for line in _anew(one["destination"], one["ids"], one["in_flight"], more=one["more"])]
    back = counted.get("given_back", [])
    if back:
        lines.append(
            f"  the new patient has the group's number {back[0]} again, from before the link: whoever received him "
            "under it knows him"
        )
    if counted.get("former"):
        new = "the new patient gets a new number of the group; " if not back else ""
        lines.append(
            f"  {new}{_listed(counted['former'])}, from before a link, "
            "leads to the old one as before: if it is the new one's, `identity undo` of that link gives it back, as "
            "long as nothing later has touched it; else tell those who know the patient under it"
        )
    if counted.get("unsaid") and counted.get("remaining"):
        lines.append(
            "  nobody has said yet who has the number now: what would be made anew is a dead letter E-ID-PARTED; "
            "discard what is about the former person, retry what is about the new one"
        )
    if counted.get("forgotten"):
        lines.append(
            "  numbers are forgotten: their next message makes a new patient, another one for whoever received this one"
        )
    sent = int(counted.get("carried") or 0)
    if sent:
        many = "1,000 or more" if sent >= 1_000 else f"{sent:,}"
        words = "delivery" if sent == 1 else "deliveries"
        lines.append(f"  {many} {words} carried these identifiers: `passerelle identity impact` lists them")
    return "\n".join(lines)


def _anew(destination: str, ids: list[str], in_flight: list[str], *, more: bool) -> list[str]:
    """Say what becomes of what waits and was made under the reference of before; more: not all were looked at."""
    waiting = [one for one in ids if one not in in_flight]
    lines = []
    if waiting:
        many = several(len(waiting), "waiting delivery", "waiting deliveries")
        anew = "is made anew in its place" if len(waiting) == 1 else "are made anew in their places"
        if more:
            many, anew = f"{len(waiting):,} or more waiting deliveries", "are made anew in their places"
        lines.append(f"{many} for {destination} {anew} ({_listed(waiting)})")
    if in_flight:
        many = several(len(in_flight), "delivery", "deliveries")
        names = "is in flight and names both" if len(in_flight) == 1 else "are in flight and name both"
        lines.append(f"{many} for {destination} {names} ({_listed(in_flight)}): `identity impact` says what arrived so")
    return lines


def _listed(ids: list[str]) -> str:
    return ", ".join(ids[:_IDS_SHOWN]) + (" …" if len(ids) > _IDS_SHOWN else "")


def _print_patient(row: dict[str, Any]) -> None:
    click.echo(f"patient {row['id']}  {row.get('number') or '(no number of the group)'}")
    for one in row.get("identifiers", []):
        if one["kind"] != "group":
            click.echo(f"  {one['authority']:<14}{one['value']}{'' if one['kind'] == 'in use' else '  ' + one['kind']}")
    for one in row.get("assertions", []):
        traits = " ".join(one["traits"].values())
        words = [one["status"] or "no status", *one["attributes"], traits]
        click.echo(f"  {one['site']} says    {', '.join(filter(None, words))}  ({cell('at_ms', one['at_ms'])})")
        if one.get("was_sure_of"):
            click.echo(f"  {'was sure of':>15} {' '.join(one['was_sure_of'].values())}: that is compared")
    if row.get("apart"):
        click.echo(f"  not the same as patient {', '.join(row['apart'])}")


def _pages(asked: Session, reason: str) -> Iterator[Answer]:
    answer = asked("identity_export", reason=reason)
    yield answer
    while answer.get("next"):
        answer = asked("identity_export", after=answer["next"], reason=reason)
        yield answer


def _fresh(file: Path) -> IO[str]:
    """Open a file that nobody else may read; one that is there isn't written over."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OperationRefused(f"'{file}' is there already: nothing was written") from None
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _write(out: Any, first: Answer, pages: Iterator[Answer]) -> int:
    out.writerow(first["columns"])
    out.writerows(first["rows"])
    count = len(first["rows"])
    for page in pages:
        out.writerows(page["rows"])
        count += len(page["rows"])
    return count
