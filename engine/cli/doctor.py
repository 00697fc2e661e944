"""`passerelle doctor`: is the data directory sound?"""

from __future__ import annotations

import click

from engine.cli.options import common_options, options
from engine.cli.printing import note, print_rows


@click.command()
@common_options
def doctor() -> None:
    """
    Check the data directory: its mode, the database's integrity, counters against rows, orphans.

    Works beside a running engine. Exits with 1 when something is wrong.
    """
    from engine.operations.control import may_use
    from engine.operations.offline import require_data
    from engine.store.doctor import doctor as examine

    chosen = options()
    require_data(chosen.data)
    may_use(chosen.data)
    rows = examine(chosen.data)
    if chosen.json:
        print_rows(rows, ())
    for row in [] if chosen.json else rows:
        click.echo(f"{'ok  ' if row['fine'] else 'FAIL'}  {row['check']}: {row['sentence']}")
    if not all(row["fine"] for row in rows):
        note(_then({row["check"] for row in rows if not row["fine"]}))
    click.get_current_context().exit(0 if all(row["fine"] for row in rows) else 1)


def _then(failed: set[str]) -> str:
    """Say what to do, by the checks that failed."""
    if failed == {"disk"}:
        return "make room on that disk: all goes on by itself (docs/operators/README.md, When the disk is full)"
    copy = "keep a copy of the data directory as it is, then"
    if failed & {"database", "integrity"}:
        return f"stop the engine, {copy} go back to a sound one: docs/operators/backup.md"
    return f"{copy} report the lines with FAIL; the engine may go on"
