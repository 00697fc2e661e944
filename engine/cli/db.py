"""
`passerelle db`: ad-hoc questions to the SQLite file, read-only; also beside a running engine.

Columns in which a patient's values can stand (bodies, payloads, answers, identifiers, what hospitals say of a patient,
names of files) read as NULL: they are shown by `msg` and `identity`, where a look at them is audited. Names are stored
as small numbers; `name_of(source)` gives the word.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from engine.cli.options import Options, common_options, options
from engine.cli.printing import print_rows
from engine.errors import OperationRefused

_VALUES: Final = frozenset(
    {
        ("bodies", "raw"), ("deliveries", "payload"), ("payloads", "payload"), ("attempts", "answer"),
        ("refusals", "raw"), ("fragments", "raw"), ("attachments", "data"), ("attachments", "name"),
        ("messages", "name"), ("deliveries", "target"), ("identifiers", "value"), ("patients", "data"),
        ("identity_events", "touched"),
    }
)  # fmt: skip
"""Columns in which a patient's values can stand: a number, a name, or the name of a file made of them."""
_OK, _DENY, _IGNORE = 0, 1, 2
_PRAGMA, _READ, _SELECT, _TRANSACTION, _FUNCTION, _RECURSIVE = 19, 20, 21, 22, 31, 33
"""Action codes of sqlite3_set_authorizer (sqlite.org/c3ref/c_alter_table.html)."""
_PRAGMAS: Final = frozenset(
    {"table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list"}
)
_ROWS_MAX: Final = 1000
_BUSY_SECONDS: Final = 2.0
_QUERY_SECONDS: Final = 30.0
_STEPS: Final = 10_000
"""Of SQLite's machine between two looks at the clock."""


@click.group()
@common_options
def db() -> None:
    """The SQLite file, read-only: tables, queries, exports."""


@db.command("tables")
@common_options
def tables() -> None:
    """List the tables with their columns and number of rows."""
    with reading(options()) as database:
        rows = [
            {"name": table.name, "count": table.count, "columns": [column.name for column in table.columns]}
            for table in database.tables
        ]
    print_rows(rows, ("name", "count", "columns"))


@db.command("query")
@click.argument("sql")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=_ROWS_MAX, show_default=True, help="How many rows at most."
)
@common_options
def query(*, sql: str, limit: int) -> None:
    """Answer one SELECT; everything that writes is refused."""
    with reading(options(), seconds=_QUERY_SECONDS) as database:
        rows = list(_rows(database, sql, limit))
    print_rows(rows, list(rows[0]) if rows else (), empty="no row")


@db.command("export")
@click.argument("what", metavar="TABLE|SQL")
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True, help="Form of the rows."
)
@common_options
def export(*, what: str, form: str) -> None:
    """Write a table, or the answer of a SELECT, to stdout."""
    with reading(options()) as database:
        names = database.table_names()
        if what not in names and len(what.split()) == 1:
            raise OperationRefused(f"there is no table '{what}'; there are {', '.join(names)}")
        sql = f'select * from "{what}"' if what in names else what  # noqa: S608 - a known table
        _write(_rows(database, sql, None), "jsonl" if options().json else form)


@contextmanager
def reading(chosen: Options, *, seconds: float = 0) -> Iterator[Any]:
    """
    Open the database read-only, as a sqlite_utils Database, and close it.

    Args:
        chosen: Where.
        seconds: How long questions may take; 0: as long as they need.

    Raises:
        OperationRefused: There is none (69), it can't be read, or the question is wrong or would write.
    """
    import sqlite_utils

    from engine.operations.control import may_use
    from engine.operations.offline import require_data
    from engine.store.sqlite.connections import FILE_NAME
    from engine.store.sqlite.driver import sqlite3

    require_data(chosen.data)
    may_use(chosen.data)
    path = chosen.data / FILE_NAME
    if not path.is_file():
        sentence = f"there is no database in '{chosen.data}' (--data DIR or PASSERELLE_DATA)"
        raise OperationRefused(sentence, exit_code=69)
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        try:
            connection.execute("PRAGMA query_only = 1")
            _give_names(connection)
            database = sqlite_utils.Database(connection)  # before the authoriser: it sets a pragma of its own
            connection.set_authorizer(_authorise)
            if seconds:
                end = time.monotonic() + seconds
                connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
            yield database
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise OperationRefused(f"the database refuses: {_why(error)}") from error


def _rows(database: Any, sql: str, limit: int | None) -> Iterator[dict[str, Any]]:
    cursor = database.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    for count, row in enumerate(cursor):
        if limit is not None and count == limit:
            click.echo(f"the first {limit:,} rows only", err=True)
            return
        yield {name: f"({len(value):,} bytes)" if isinstance(value, bytes) else value for name, value in
               zip(names, row, strict=True)}  # fmt: skip


def _give_names(connection: Any) -> None:
    names = dict(connection.execute("SELECT id, name FROM names"))

    def name_of(value: Any) -> Any:
        return names.get(value, value) if isinstance(value, int) else value

    connection.create_function("name_of", 1, name_of, deterministic=True)


def _authorise(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Let reads through, values of patients as NULL; deny all that writes, attaches or loads."""
    if action == _READ:
        return _IGNORE if (first, second) in _VALUES else _OK
    if action == _FUNCTION:
        return _DENY if (second or "").lower() == "load_extension" else _OK
    if action == _PRAGMA:
        return _OK if (first or "").lower() in _PRAGMAS else _DENY
    return _OK if action in (_SELECT, _TRANSACTION, _RECURSIVE) else _DENY


def _why(error: Exception) -> str:
    words = str(error)
    if words == "interrupted":
        return f"this question takes more than {_QUERY_SECONDS:.0f} s; ask for less"
    if any(part in words for part in ("not authorized", "authorization denied", "prohibited", "readonly")):
        return "only SELECT is allowed here, nothing that writes"
    return words


def _write(rows: Iterable[dict[str, Any]], form: str) -> None:
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    buffer = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(buffer, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
        if buffer.tell() > 65_536:
            _flush(buffer)
    _flush(buffer)


def _flush(buffer: io.StringIO) -> None:
    sys.stdout.write(buffer.getvalue())
    buffer.seek(0)
    buffer.truncate()
