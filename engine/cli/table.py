"""`passerelle table`: tables of codes, checked and asked as routes ask them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from engine.cli.asking import ask, check_routes, read_runnable
from engine.cli.options import common_options, options
from engine.cli.printing import print_json
from engine.errors import ConfigurationRefused, OperationRefused
from engine.operations.wording import several

if TYPE_CHECKING:
    from engine.routes import Finding
    from engine.routes.configuration import Configuration
    from engine.transforms.tables import Table

_YAML: Final = (".yaml", ".yml")
_SHOWN_MAX: Final = 10


@click.group()
@common_options
def table() -> None:
    """Tables of codes."""


@table.command("lint")
@click.argument("names", metavar="[NAME|FILE.csv]…", nargs=-1)
@common_options
def lint(*, names: tuple[str, ...]) -> None:
    """Check tables: those of the configuration, one of them, or a CSV file; the exit code is 78 at an error."""
    findings: list[Finding] = []
    checked = [name for name in names if name.lower().endswith(".csv")]
    for file in checked:
        findings += _findings_of(Path(file))
    if len(checked) < len(names) or not names:
        declared, found = _declared([name for name in names if name not in checked])
        checked += declared
        findings += found
    for finding in findings:
        if options().json:
            print_json(finding.as_json())
        else:
            click.echo(finding.render())
    refused = any(finding.level == "error" for finding in findings)
    if not options().json:
        sentence = f"{', '.join(checked) or 'no table'}: {'refused' if refused else 'fine'}"
        click.echo(f"{sentence}, {several(len(findings), 'finding')}" if findings else sentence, err=refused)
    click.get_current_context().exit(ConfigurationRefused.exit_code if refused else 0)


@table.command("lookup")
@click.argument("name", metavar="NAME")
@click.argument("values", metavar="COLUMN=VALUE…", nargs=-1, required=True)
@click.option("--at", "day", metavar="DATE", default="", help="The day, for a table with validity dates: 2026-03-01.")
@common_options
def lookup(*, name: str, values: tuple[str, ...], day: str) -> None:
    """Ask a table as `map` does: the row, or exit code 1."""
    found = _table(name)
    asked = _asked(found, values)
    digits = day.replace("-", "")
    if found.is_dated and not (len(digits) == 8 and digits.isascii() and digits.isdecimal()):
        raise OperationRefused(f"{name} has validity dates: say --at 2026-03-01", exit_code=2)
    _check_asked(found, asked)
    row = found.lookup(tuple(asked)).find(tuple(asked.values()), digits)
    if row is None:
        raise OperationRefused(f"{name} has no row for {', '.join(values)}{f' at {day}' if day else ''}")
    answer = dict(zip(found.columns, row, strict=True))
    if options().json:
        print_json(answer)
        return
    width = max(len(column) for column in answer)
    for column, value in answer.items():
        click.echo(f"{column:<{width}}  {value}")


@table.command("misses")
@click.argument("name", metavar="[NAME]", default="")
@click.option("--last", type=click.IntRange(1, 100_000), default=2000, show_default=True, help="How many messages.")
@common_options
def misses(*, name: str, last: int) -> None:
    """List codes that the last stored messages ask for in vain: CSV rows, ready to paste."""
    read_runnable(options())  # says what is wrong with it, in its own words
    answer = ask("table_misses", routes=str(options().routes.absolute()), table=name or None, last=last)
    rows = answer["rows"]
    if options().json:
        for row in rows:
            print_json(row)
        return
    for file, columns in dict.fromkeys((row["file"], tuple(row["columns"])) for row in rows):
        click.echo(f"# {file}: {','.join(columns)}")
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(row["row"] for row in rows if row["file"] == file)
        click.echo(out.getvalue(), nl=False)
    total = sum(row["count"] for row in rows)
    looked = several(answer["messages"], "message")
    click.echo(f"{several(len(rows), 'code')}, asked for {total:,} times by the last {looked}", err=True)


def _asked(found: Table, values: tuple[str, ...]) -> dict[str, str]:
    asked: dict[str, str] = {}
    for word in values:
        column, sign, value = word.partition("=")
        if not sign:  # one word alone is about the first key column
            column, value = found.keys[0], word
        if found.column(column) < 0:
            sentence = f"{found.name} has no column {column}; there are {', '.join(found.columns)}"
            raise OperationRefused(sentence)
        asked[column] = value
    return asked


def _check_asked(found: Table, asked: dict[str, str]) -> None:
    """Refuse to answer one of several rows that what was asked fits."""
    missing = [key for key in found.keys if key not in asked]
    indices = [found.column(column) for column in asked]
    fitting = [row for row in found.rows if [row[index] for index in indices] == [*asked.values()]]
    told_apart = {tuple([row[found.column(key)] for key in missing]) for row in fitting}
    if len(told_apart) > 1:
        known = "; ".join(" ".join(map("{}={}".format, missing, cells)) for cells in sorted(told_apart)[:_SHOWN_MAX])
        words = " ".join(f"{column}={value}" for column, value in asked.items())
        sentence = f"{found.name} has {len(told_apart)} rows for {words}: say {' and '.join(missing)} too ({known}"
        raise OperationRefused(f"{sentence}{'; …' if len(told_apart) > _SHOWN_MAX else ''})")


def _table(name: str) -> Table:
    configuration = read_runnable(options())
    found = configuration.tables.get(name)
    if found is None:
        raise OperationRefused(_no_table(name, configuration))
    return found


def _no_table(name: str, configuration: Configuration) -> str:
    known = ", ".join(configuration.tables)
    return f"the configuration declares no table {name}" + (f"; there are {known}" if known else "")


def _declared(names: list[str]) -> tuple[list[str], list[Finding]]:
    """Check the tables that the configuration declares; what else is wrong with it is `passerelle lint`'s."""
    configuration, findings = check_routes(options())
    about_tables = [one for one in findings if not one.mark.file.endswith(_YAML) or one.code == "E121"]
    if configuration is None:
        if not about_tables:
            read_runnable(options())  # says what is wrong instead
        return [str(options().routes)], about_tables
    for name in names:
        if name not in configuration.tables:
            raise OperationRefused(_no_table(name, configuration))
    chosen = {name: found for name, found in configuration.tables.items() if name in names or not names}
    files = {found.file for found in chosen.values()}
    return list(chosen), [one for one in about_tables if one.mark.file in files or one.mark.file.endswith(_YAML)]


def _findings_of(path: Path) -> list[Finding]:
    """Read one CSV file by itself."""
    from engine.routes.findings import Findings
    from engine.routes.tables import read_table

    findings = Findings()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise OperationRefused(f"there is no file '{path}'", exit_code=2) from None
    read_table(path.stem, str(path), data, findings)
    return findings.all()
