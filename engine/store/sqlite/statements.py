"""
Statements over many rows at once.

The driver gives up the interpreter's lock at each step of a statement and must get it back beside a busy
loop: what counts is the number of statements a commit. So one statement carries up to 128 rows; the texts are
few, so that the connection keeps them prepared.

Parameters are exact `int`, `str` and `bytearray`: for anything else (None, bool, an enum, even bytes) the driver first
looks for an adapter, which costs ten times the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from engine.store.sqlite.driver import Connection

EXACT_ROWS: Final = 32
"""Up to here there is a statement for each number of rows."""
LARGE_ROWS: Final = (128, 64)


class RowsStatement:
    """A statement with a VALUES list: `head VALUES (?, …), … tail`."""

    def __init__(self, head: str, columns: int, tail: str = "", *, row: str = "") -> None:
        """
        Keep the parts of the text.

        Args:
            head: What stands before the first row, `VALUES` included.
            columns: Parameters of each row.
            tail: What stands after the last row.
            row: The text of one row; by default `(?, …)`.
        """
        self.columns = columns
        self._head = head
        self._tail = tail
        self._row = row or "(" + ",".join("?" * columns) + ")"
        self._texts: dict[int, str] = {}

    def run(self, connection: Connection, parameters: list[Any]) -> int:
        """
        Run over the rows of a flat list of parameters.

        Returns:
            How many rows of the table were changed.
        """
        columns = self.columns
        count = len(parameters) // columns
        if count <= EXACT_ROWS:
            return int(connection.execute(self._text(count), parameters).rowcount)
        changed = start = 0
        while start < count:
            left = count - start
            rows = left if left <= EXACT_ROWS else next((n for n in LARGE_ROWS if n <= left), EXACT_ROWS)
            slice_ = parameters[start * columns : (start + rows) * columns]
            changed += connection.execute(self._text(rows), slice_).rowcount
            start += rows
        return changed

    def statements(self, count: int) -> int:
        """Return how many statements `run` needs for so many rows; 1 for none."""
        if count <= EXACT_ROWS or count in LARGE_ROWS:
            return 1
        return 2

    def _text(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            rows = ",".join([self._row] * count)
            text = self._texts[count] = f"{self._head}{rows}{self._tail}"
        return text


def _insert(
    table: str, columns: Sequence[str], *, row: str = "", tail: str = "", verb: str = "INSERT"
) -> RowsStatement:
    names = ",".join(columns)
    given = row.count("?") if row else len(columns)
    return RowsStatement(f"{verb} INTO {table}({names}) VALUES ", given, tail, row=row)


PAYLOADS: Final = _insert("payloads", ("delivery", "payload"), verb="INSERT OR REPLACE")
REFUSALS: Final = _insert("refusals", ("source", "peer", "at_ms", "code", "reason", "size", "raw"))
ACTIONS: Final = _insert("actions", ("at_ms", "who", "verb", "subject", "reason"))
UNQUEUED_LANES: Final = """
WITH gone AS (
    SELECT d.destination, j.value, d.id
    FROM json_each(?) AS i CROSS JOIN deliveries AS d ON d.id = i.value CROSS JOIN json_each(d.more_lanes) AS j
)
DELETE FROM lane_more WHERE (destination, lane, id) IN gone
"""
SIBLINGS: Final = """
SELECT json_group_array(json_array(d.id, d.kind, d.state))
FROM json_each(?) AS p CROSS JOIN deliveries AS d ON d.id >= p.value << 16 AND d.id < (p.value + 1) << 16
"""
SOURCES: Final = """
SELECT json_group_array(json_array(m.id, m.source)) FROM json_each(?) AS p CROSS JOIN messages AS m ON m.id = p.value
"""
INDEX_KEYS: Final = """
INSERT OR IGNORE INTO message_keys(bucket, hash, message)
SELECT json_extract(value, '$[0]') >> 12, json_extract(value, '$[1]'), json_extract(value, '$[0]') FROM json_each(?)
"""
