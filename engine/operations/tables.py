"""Codes that stored messages asked of tables and didn't find."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from engine.core.messages import StoredMessage
from engine.core.references import References
from engine.errors import OperationRefused
from engine.operations.asking import Today
from engine.operations.candidate import candidate
from engine.operations.desk import Answer, Desk
from engine.operations.rows import place_in

if TYPE_CHECKING:
    from engine.routes.configuration import Configuration
    from engine.trials.patients import Rows

_LAST_MAX: Final = 100_000
_PAGE: Final = 50


async def table_misses(desk: Desk, who: str, routes: str, table: str = "", last: int = 2000) -> Answer:
    """
    Put the last messages through the routes again, and list what they ask tables for in vain; nothing is sent.

    The codes are shown as they are (they are codes, not patients): who looked stands in the audit trail.

    Args:
        desk: Where.
        who: Name of the operator.
        routes: Absolute path of the configuration.
        table: Only of this table.
        last: How many messages, the newest first.

    Returns:
        `rows`: table, file, columns, row (with empty cells where nothing is known) and count, the most frequent
        first; `messages`: how many were looked at.
    """
    if not routes:
        raise OperationRefused("name the configuration whose tables are asked", exit_code=2)
    configuration = await candidate(desk, routes)
    if table and table not in configuration.tables:
        known = ", ".join(configuration.tables) or "none"
        raise OperationRefused(f"the configuration declares no table {table}; there are {known}")
    asked = [one for one in configuration.tables.values() if table in ("", one.name)]
    for one in asked:
        one.misses = {}
    await desk.audit(who, "misses", table or "all tables", "codes of tables")
    looked = await _replay(desk, configuration, min(last, _LAST_MAX))
    rows: list[dict[str, Any]] = [
        {"table": one.name, "file": one.file, "columns": list(one.columns), "row": _row(one.columns, by, values),
         "count": count}
        for one in asked
        for (by, values), count in (one.misses or {}).items()
    ]  # fmt: skip
    rows.sort(key=lambda row: row["count"], reverse=True)
    return {"v": 1, "rows": rows, "messages": looked}


def _row(columns: tuple[str, ...], by: tuple[str, ...], values: tuple[str, ...]) -> list[str]:
    asked = dict(zip(by, values, strict=True))
    return [asked.get(column, "") for column in columns]


async def _replay(desk: Desk, configuration: Configuration, last: int) -> int:
    """Evaluate the last messages, in pages; the loop goes on meanwhile."""
    references = desk.references or References(b"misses leave no reference anywhere")
    looked = before = 0
    while looked < last:
        found = await desk.queries.find_messages(before=before, limit=min(_PAGE, last - looked))
        if not found:
            break
        before = place_in(found[-1])
        stored = [message for row in found if (message := await desk.store.message(place_in(row))) is not None]
        looked += len(found)
        await asyncio.to_thread(_evaluate, configuration, stored, references, Today(desk))
    return looked


def _evaluate(configuration: Configuration, messages: list[StoredMessage], references: References, rows: Rows) -> None:
    from engine.routes.evaluation import evaluate  # late: it brings the parsers along
    from engine.trials.patients import Patients

    patients = Patients(references, rows)
    for message in messages:
        # a message on which our own code fails is a dead letter that says so: here it has no codes to tell
        with contextlib.suppress(Exception):
            patients.known(partial(evaluate, configuration, message, references, None))
