"""`passerelle identity review`: pairs of patients that a person must look at, the most urgent first."""

from __future__ import annotations

from typing import Final

import click

from engine.cli.asking import Answer, ask, now_ms
from engine.cli.options import common_options, options
from engine.cli.printing import note, print_json, print_more, print_rows
from engine.operations.wording import read_moment, several

_COLUMNS: Final = (
    "id", "one", "other", "rule", "sites", ("at_ms", "since"), "message", "state", ("traits", "today"),
)  # fmt: skip


@click.command("review")
@click.option(
    "--state",
    type=click.Choice(["open", "linked", "apart", "all"]),
    default="open",
    show_default=True,
    help="Pairs in this state.",
)
@click.option("--rule", default="", metavar="RULE", help="On the list for this reason: conflict, merge, same-traits….")
@click.option("--site", default="", metavar="SITE", help="One of the two is known to this hospital.")
@click.option("--since", metavar="WHEN", help="On the list since: 2h, 22:00, 2024-05-02.")
@click.option("--after", default="", metavar="ID", help="Go on after this pair.")
@click.option("--limit", type=click.IntRange(1, 400), default=50, show_default=True, help="How many at most.")
@common_options
def review(*, state: str, rule: str, site: str, since: str | None, after: str, limit: int) -> None:
    """
    List the pairs of patients that a person must look at, and how many there are by rule.

    The most urgent rule first: conflicts, merges, INS; the same strict traits last. Of one rule, the oldest first.
    With --json one object: counts, rows, next.
    """
    since_ms = read_moment(since, now_ms()) if since else 0
    answer = ask(
        "identity_review", state=state, rule=rule, site=site, since_ms=since_ms, after=after, limit=limit
    )  # fmt: skip
    if options().json:
        print_json(answer)
        return
    counts = answer.get("counts", {})
    why = _why(answer.get("rows", []))
    if counts:
        click.echo(_counted(counts, why))
    rows = [row | {"sites": ", ".join(row["sites"])} for row in answer.get("rows", [])]
    columns = _COLUMNS if all(row["rule"] in why for row in rows) else (*_COLUMNS, "sentence")
    print_rows(rows, columns, empty="no pair to look at" if state == "open" else "no pair")
    if rows and state == "open":
        note("`passerelle identity show ID` shows one; then `identity link ONE OTHER`, or `identity apart ONE OTHER`")
    print_more(answer, "--after")


def _why(rows: list[Answer]) -> dict[str, str]:
    """Return what the rules say of the pairs that are listed, where one says the same of all."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["rule"], set()).add(row["sentence"])
    return {rule: next(iter(sentences)) for rule, sentences in found.items() if len(sentences) == 1}


def _counted(counts: dict[str, int], why: dict[str, str]) -> str:
    """Return how many pairs there are by rule, and why."""
    width = max(map(len, counts))
    lines = [f"{count:>7,}  {rule:<{width}}  {why.get(rule, '')}".rstrip() for rule, count in counts.items()]
    return "\n".join([several(sum(counts.values()), "pair"), *lines])
