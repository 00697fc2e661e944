"""Operators' questions on the cross-reference: its history, exports, who received an identifier."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol, TypeVar

from engine.core.identities import IdentifierRow, IdentityEvent, PatientRow
from engine.core.lifecycle import FRAGMENT_WAITING
from engine.store.counting import CounterKey
from engine.store.identity_rows import read_touched, unpack_patient
from engine.store.identity_rules import owners_of
from engine.store.names import Names
from engine.store.rows import identity_stats_of
from engine.store.sqlite.driver import Connection
from engine.store.sqlite.identity_reads import read_identifiers
from engine.store.sqlite.review_queries import ReviewQueries

ROWS_MAX: Final = 1_000
_EVENT: Final = "e.rule, e.place, e.at_ms, e.who, e.reason, e.undoes, e.id, e.touched"
_NEWEST: Final = f"SELECT {_EVENT} FROM identity_events AS e WHERE e.id < ? ORDER BY e.id DESC LIMIT ?"  # noqa: S608
_UNDER: Final = f"""
SELECT {_EVENT} FROM (
    SELECT DISTINCT event FROM identity_touched
    WHERE key IN (SELECT value FROM json_each(?)) AND event < ? ORDER BY event DESC LIMIT ?
) AS t CROSS JOIN identity_events AS e ON e.id = t.event ORDER BY e.id DESC
"""  # noqa: S608 (our own columns)
_WAITS: Final = """
SELECT coalesce(m.code IN (?, ?), 0) AS part, count(*), min(w.over) FROM
    (SELECT place, max(until_ms) AS over FROM identity_waits GROUP BY place) AS w
    CROSS JOIN messages AS m ON m.id = w.place
GROUP BY part
"""
"""For a patient, and for other parts: how many messages, and when the first of these waits is over; a code that no
message has yet is NULL."""
_PAGE: Final = 200
_TOP: Final = 1 << 62

Result = TypeVar("Result")


class Source(Protocol):
    """What these queries need of the store."""

    @property
    def names(self) -> Names:
        """The interned names."""

    @property
    def counters(self) -> dict[CounterKey, int]:
        """The counters."""

    async def ask(self, read: Callable[[Connection], Result]) -> Result:
        """Run a read."""


class IdentityQueries(ReviewQueries):
    """The part of StoreQueries on identities, over a SqliteStore."""

    _store: Source

    async def identity_events(
        self, *, patient: int = 0, identifier: int = 0, before: int = 0, limit: int = 50
    ) -> list[IdentityEvent]:
        """Identity events, newest first: those that touched a patient or an identifier, else all."""
        limit = min(limit, ROWS_MAX)
        names = self._store.names

        def read(connection: Connection) -> list[IdentityEvent]:
            if not patient and not identifier:
                return [_event(row) for row in connection.execute(_NEWEST, (before or _TOP, limit)).fetchall()]
            keys = {key for key in (patient, identifier) if key}
            if identifier:
                row = read_identifiers(connection, [identifier], names).get(identifier)
                keys |= owners_of(identifier, row, _touching(connection, {identifier}, _TOP, ROWS_MAX))
            return _history(connection, keys, patient, identifier, before or _TOP, limit)

        return await self._store.ask(read)

    async def identity_event(self, event: int) -> IdentityEvent | None:
        """One identity event, as it was given to the store."""
        query = f"SELECT {_EVENT} FROM identity_events AS e WHERE e.id = ?"  # noqa: S608 (our own columns)

        def read(connection: Connection) -> IdentityEvent | None:
            row = connection.execute(query, (event,)).fetchone()
            return None if row is None else _event(row)

        return await self._store.ask(read)

    async def identity_stats(self) -> dict[str, Any]:
        """Counts of patients, identifiers by kind, events by rule, reviews by state, messages that wait."""
        counters = self._store.counters
        code = self._store.names.find(FRAGMENT_WAITING)
        parameters = (FRAGMENT_WAITING, code)
        found = await self._store.ask(lambda one: one.execute(_WAITS, parameters).fetchall())
        waits = {part: ends for part, *ends in found}
        return identity_stats_of(counters, waits.get(0, (0, 0)), waits.get(1, (0, 0)))

    async def wait_end(self, place: int) -> int:
        """Until when a message waits; 0: it doesn't wait."""
        query = "SELECT coalesce(max(until_ms), 0) FROM identity_waits WHERE place = ?"
        return int(await self._store.ask(lambda one: one.execute(query, (place,)).fetchone()[0]))

    async def identity_rows(self, *, after: int = 0, limit: int = 500) -> list[tuple[PatientRow, list[IdentifierRow]]]:
        """Patients with their identifiers (stays excepted), by id above `after`."""
        query = (
            "SELECT '[' || coalesce(group_concat(data), '') || ']' FROM"
            " (SELECT data FROM patients WHERE id > ? ORDER BY id LIMIT ?)"
        )
        names = self._store.names

        def read(connection: Connection) -> list[tuple[PatientRow, list[IdentifierRow]]]:
            packed = connection.execute(query, (after, min(limit, ROWS_MAX))).fetchone()[0]
            patients = list(map(unpack_patient, json.loads(packed)))
            found = read_identifiers(connection, {key for each in patients for key in each.identifiers}, names)
            return [(each, [found[key] for key in each.identifiers if key in found]) for each in patients]

        return await self._store.ask(read)


def _touching(connection: Connection, keys: Collection[int], below: int, limit: int) -> list[IdentityEvent]:
    """Return events found under some keys, newest first."""
    rows = connection.execute(_UNDER, (json.dumps(list(keys)), below, limit)).fetchall()
    return [_event(row) for row in rows]


def _history(
    connection: Connection, keys: Collection[int], patient: int, identifier: int, below: int, limit: int
) -> list[IdentityEvent]:
    """Return the events under some keys that touched the patient or the identifier itself."""
    found: list[IdentityEvent] = []
    while len(found) < limit:
        page = _touching(connection, keys, below, _PAGE)
        found += [each for each in page if patient in each.patients or identifier in each.identifiers]
        if len(page) < _PAGE:
            break
        below = page[-1].id
    return found[:limit]


def _event(row: tuple[Any, ...]) -> IdentityEvent:
    rule, place, at_ms, who, reason, undoes, key, touched = row
    return read_touched(IdentityEvent(rule, place, at_ms, who, reason, undoes, id=key), bytes(touched))
