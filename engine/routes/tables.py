"""
Read tables of codes: CSV with a header line; `;` and Excel's encodings are accepted with a warning.

A first line `#key: site,code` names the columns that tell rows apart; without it, the first column does.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from engine.routes.findings import Findings
from engine.routes.suggestions import suggest
from engine.transforms.nodes import Mark
from engine.transforms.tables import ANY, Table

_KEY_LINE: Final = "#key:"
ROWS_MAX: Final = 200_000


def read_table(name: str, file: str, data: bytes, findings: Findings) -> tuple[Table, tuple[str, ...]] | None:
    """
    Read one table.

    Args:
        name: As declared under `tables:`.
        file: Its name, as findings cite it.
        data: Its bytes.
        findings: Gets what is wrong; lines are those of the CSV file.

    Returns:
        The table and its key columns; None when it can't be used.
    """
    text = _decode(file, data, findings)
    findings.source(file, text)
    lines = text.splitlines(keepends=True)
    keys: list[str] = []
    skipped = 0
    if lines and lines[0].startswith(_KEY_LINE):
        keys = [part.strip() for part in lines[0].removeprefix(_KEY_LINE).replace(";", ",").split(",") if part.strip()]
        skipped = 1
    header = lines[skipped] if len(lines) > skipped else ""
    semicolon = ";" in header and "," not in header
    if semicolon:
        findings.add("warning", "W203", Mark(file, skipped + 1, header.index(";") + 1), "columns are separated by `;`",
                     "read as Excel writes it; a comma is the usual separator")  # fmt: skip
    reader = csv.reader(io.StringIO("".join(lines[skipped:])), delimiter=";" if semicolon else ",", strict=True)
    try:
        rows = [(reader.line_num + skipped, row) for row in reader]
    except csv.Error as error:
        findings.add(
            "error",
            "E121",
            Mark(file, reader.line_num + skipped, 1),
            f"this line isn't CSV: {error}",
            "look at its quotes",
        )
        return None
    return _table(name, file, rows, keys, findings)


def _decode(file: str, data: bytes, findings: Findings) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        text = data.decode("cp1252", "replace")
        findings.source(file, text)
        findings.add(
            "warning", "W203", Mark(file, line, 1), "the table isn't UTF-8: read as Windows-1252", "save it as UTF-8"
        )
        return text


def _table(
    name: str, file: str, rows: list[tuple[int, list[str]]], keys: list[str], findings: Findings
) -> tuple[Table, tuple[str, ...]] | None:
    rows = [(line, [cell.strip() for cell in row]) for line, row in rows if any(cell.strip() for cell in row)]
    if not rows:
        findings.add("error", "E121", Mark(file, 1, 1), f"the table {name} is empty", "write a header line and rows")
        return None
    head_line, header = rows.pop(0)
    columns = tuple(header)
    broken = False
    if len(set(columns)) < len(columns) or not all(columns):
        findings.add(
            "error",
            "E121",
            Mark(file, head_line, 1),
            "a column has no name, or one that another has",
            "name each column once",
        )
        broken = True
    for key in keys:
        if key not in columns:
            findings.add("error", "E121", Mark(file, 1, 1), f"{key} is no column", suggest(key, columns))
            broken = True
    for line, row in rows:
        if len(row) != len(columns):
            findings.add(
                "error",
                "E121",
                Mark(file, line, 1),
                f"this row has {len(row)} columns, the header {len(columns)}",
                "complete it",
            )
            broken = True
    if len(rows) > ROWS_MAX:
        findings.add(
            "error", "E121", Mark(file, rows[ROWS_MAX][0], 1), f"a table has at most {ROWS_MAX} rows", "split it"
        )
        broken = True
    if broken:
        return None
    table = Table(name, columns, [tuple(row) for _, row in rows], file=file, lines=[line for line, _ in rows])
    by = tuple(keys) or columns[:1]
    if keys:  # a table that says what tells its rows apart is checked even where no route uses it
        for first, again in table.duplicates(by):
            if ANY not in table.rows[again] or table.rows[again] == table.rows[first]:
                findings.add("error", "E121", Mark(file, table.lines[again], 1),
                             f"the same {' and '.join(by)} stand in line {table.lines[first]}", "keep one")  # fmt: skip
                broken = True
    return None if broken else (table, by)
