"""Officers' questions on the review list: pages of it, and how many pairs there are by rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from engine.core.identities import OPEN_PAIRS, Pairs
from engine.store.rows import REVIEW_KEYS, review_row
from engine.store.sqlite.driver import Connection

_ROWS_MAX: Final = 1_000
_OF_PATIENT: Final = "r.id IN (SELECT id FROM reviews WHERE low = ? UNION ALL SELECT id FROM reviews WHERE high = ?)"
_THERE: Final = "EXISTS (SELECT 1 FROM patients WHERE id = r.low) AND EXISTS (SELECT 1 FROM patients WHERE id = r.high)"
# data is [id, number, assertions…], an assertion [site, status…] (store.identity_rows.pack_patient): the first one
# follows a bracket, others the end of one; the words of another list follow a comma after a value. All patients are
# read once, in order: looks at those of 300,000 pairs, here and there, would take many seconds. The + keeps SQLite
# from looking for the pairs of each patient instead.
_SAID: Final = "SELECT id FROM patients WHERE instr(data, ?) OR instr(data, ?)"
_OF_SITE: Final = f"(+r.low IN ({_SAID}) OR +r.high IN ({_SAID}))"

Result = TypeVar("Result")


class Source(Protocol):
    """What these queries need of the store."""

    async def ask(self, read: Callable[[Connection], Result]) -> Result:
        """Run a read."""


class ReviewQueries:
    """The part of StoreQueries on the review list, over a SqliteStore."""

    _store: Source

    async def reviews(self, which: Pairs = OPEN_PAIRS, *, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Pairs on the review list, in the order in which they came onto it, by id above `after`."""
        terms, values = _terms(which)
        only = " AND ".join(["r.id > ?", *terms])
        columns = ", ".join(f"r.{key}" for key in REVIEW_KEYS)
        query = f"SELECT {columns} FROM reviews AS r WHERE {only} ORDER BY r.id LIMIT ?"  # noqa: S608 (our own words)
        parameters = (after, *values, min(limit, _ROWS_MAX))
        return await self._store.ask(lambda one: [review_row(row) for row in one.execute(query, parameters).fetchall()])

    async def review_counts(self, which: Pairs = OPEN_PAIRS) -> dict[str, int]:
        """Pairs on the review list: by rule, how many."""
        terms, values = _terms(which)
        only = " AND ".join(terms) or "1"
        query = f"SELECT r.rule, count(*) FROM reviews AS r WHERE {only} GROUP BY r.rule"  # noqa: S608 (our own words)
        return dict(await self._store.ask(lambda one: one.execute(query, values).fetchall()))


def _terms(which: Pairs) -> tuple[list[str], list[Any]]:
    """Return conditions and their values."""
    found: list[tuple[str, list[Any]]] = []
    if which.rule:
        found.append(("r.rule = ?", [which.rule]))
    if which.state is not None:
        found.append(("r.state = ?", [int(which.state)]))
    if which.patient:
        found.append((_OF_PATIENT, [which.patient, which.patient]))
    if which.since_ms:
        found.append(("r.at_ms >= ?", [which.since_ms]))
    if which.living:
        found.append((_THERE, []))
    if which.site:
        begin = json.dumps([which.site], ensure_ascii=False, separators=(",", ":"))[:-1] + ","
        found.append((_OF_SITE, [f"[{begin}", f"],{begin}"] * 2))
    return [term for term, _ in found], [value for _, values in found for value in values]
