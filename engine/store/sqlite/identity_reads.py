"""The stages' reads of the cross-reference: a batch of keys at a time, each list as one JSON row."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from engine.core.identities import (
    IdentifierRow,
    IdentityFacts,
    IdentityRows,
    PatientRow,
    ReviewRow,
    ReviewState,
)
from engine.store.counting import IDENTITY, CounterKey
from engine.store.identity_rows import KINDS, unpack_patient, unpack_review
from engine.store.identity_rules import ALIKE_MAX
from engine.store.names import Names
from engine.store.sqlite.driver import Connection

_IDENTIFIERS: Final = """
SELECT json_group_array(json_array(i.hash, i.kind, i.authority, i.value, i.patient, i.under))
FROM json_each(?) AS k CROSS JOIN identifiers AS i ON i.hash = k.value
"""
_PATIENTS: Final = """
SELECT '[' || coalesce(group_concat(p.data), '') || ']'
FROM json_each(?) AS k CROSS JOIN patients AS p ON p.id = k.value
"""
_ALIKE: Final = """
SELECT json_group_array(json_array(k.value, (
    SELECT json_group_array(patient) FROM (
        SELECT patient FROM identity_traits WHERE traits = k.value ORDER BY patient LIMIT ?2
    )
))) FROM json_each(?1) AS k WHERE EXISTS (SELECT 1 FROM identity_traits WHERE traits = k.value)
"""
_REVIEWS: Final = """
SELECT json_group_array(json_array(r.low, r.high, r.rule, r.sentence, r.place, r.at_ms, r.state))
FROM json_each(?1) AS k CROSS JOIN reviews AS r ON r.low = k.value
WHERE r.high IN (SELECT value FROM json_each(?1))
"""
_WAITING: Final = """
SELECT json_group_array(place) FROM (
    SELECT place, min(until_ms) AS over FROM identity_waits
    WHERE until_ms <= ? GROUP BY place ORDER BY over, place LIMIT ?
)
"""
_WAITING_FOR: Final = """
SELECT json_group_array(json_array(w.place, w.hash)) FROM identity_waits AS w WHERE w.place IN (
    SELECT DISTINCT one.place FROM json_each(?) AS h CROSS JOIN identity_waits AS one ON one.hash = h.value
    CROSS JOIN messages AS m ON m.id = one.place
    WHERE m.state = 5 ORDER BY one.place LIMIT 1000
)
"""
_LINKED: Final = """
WITH RECURSIVE near(place) AS (
    SELECT one.place FROM json_each(?) AS h CROSS JOIN identity_waits AS one ON one.hash IN (h.value & ~1, h.value | 1)
    UNION
    SELECT other.place FROM near CROSS JOIN identity_waits AS mine ON mine.place = near.place
    CROSS JOIN identity_waits AS other ON other.hash IN (mine.hash & ~1, mine.hash | 1)
    LIMIT 1000
)
SELECT json_group_array(json_array(w.place, w.hash)) FROM (
    SELECT near.place AS place FROM near CROSS JOIN messages AS m ON m.id = near.place WHERE m.state = 5 ORDER BY 1
) AS p CROSS JOIN identity_waits AS w ON w.place = p.place
"""

_ESCAPED: Final = "\x00"
"""Begins a value that a database can't hold as it is: the rest is its JSON."""


def storable_value(value: str) -> str:
    """Return a value as a database can hold it: lone surrogates of an unknown charset are escaped."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return _ESCAPED + json.dumps(value)
    return _ESCAPED + json.dumps(value) if value.startswith(_ESCAPED) else value


def read_value(text: str) -> str:
    """Return the value that `storable_value` was given."""
    return str(json.loads(text[1:])) if text.startswith(_ESCAPED) else text


def read_identifiers(connection: Connection, hashes: Collection[int], names: Names) -> dict[int, IdentifierRow]:
    """Return the identifiers that are known, by hash."""
    show = names.show
    return {
        hash_: IdentifierRow(hash_, KINDS[kind], show(authority), read_value(value), patient, under)
        for hash_, kind, authority, value, patient, under in _one(connection, _IDENTIFIERS, (json.dumps(list(hashes)),))
    }


def read_patients(connection: Connection, ids: Collection[int]) -> dict[int, PatientRow]:
    """Return the patients that there are, by id."""
    rows = map(unpack_patient, _one(connection, _PATIENTS, (json.dumps(list(ids)),)))
    return {row.id: row for row in rows}


def read_reviews(connection: Connection, patients: Collection[int]) -> dict[tuple[int, int], ReviewRow]:
    """Return the pairs among some patients that are on the review list."""
    rows = map(unpack_review, _one(connection, _REVIEWS, (json.dumps(list(patients)),)))
    return {(row.low, row.high): row for row in rows}


def read_identities(
    connection: Connection,
    names: Names,
    identifiers: Collection[int],
    patients: Collection[int],
    traits: Collection[int],
) -> IdentityRows:
    """Return what is known of some identifiers, patients and strict traits, as of one moment."""
    connection.execute("BEGIN")
    try:
        found = read_identifiers(connection, identifiers, names) if identifiers else {}
        stays = {row.under for row in found.values() if row.under} - found.keys()
        if stays:
            found |= read_identifiers(connection, stays, names)
        alike: dict[int, tuple[int, ...]] = {}
        if traits:
            pairs = _one(connection, _ALIKE, (json.dumps(list(traits)), ALIKE_MAX))
            alike = {key: tuple(each) for key, each in pairs}
        wanted = {row.patient for row in found.values() if row.patient}.union(patients, *alike.values())
        rows = read_patients(connection, wanted) if wanted else {}
        reviews = read_reviews(connection, wanted) if len(wanted) > 1 else {}  # also of one who was joined
    finally:
        connection.execute("COMMIT")
    return IdentityRows(found, rows, alike, reviews)


def read_waiting(connection: Connection, now_ms: int, limit: int) -> list[int]:
    """Return messages whose wait is over, those first whose wait ended first."""
    return _one(connection, _WAITING, (now_ms, limit))


def read_waiting_for(connection: Connection, hashes: Collection[int], *, linked: bool) -> dict[int, tuple[int, ...]]:
    """Return the messages that wait for one of these hashes, or are linked with them, each with all of its own."""
    query = _LINKED if linked else _WAITING_FOR
    found: dict[int, tuple[int, ...]] = {}
    for place, hash_ in _one(connection, query, (json.dumps(list(hashes)),)):
        found[place] = (*found.get(place, ()), hash_)
    return found


def read_facts(connection: Connection, counters: dict[CounterKey, int]) -> IdentityFacts:
    """Return what a start must know of the cross-reference; counted by the writer, not by scanning."""
    next_patient, waiting, next_wait_ms = connection.execute(
        "SELECT coalesce((SELECT value FROM run WHERE key = 'next_patient'), 1),"
        " (SELECT count(DISTINCT place) FROM identity_waits), (SELECT coalesce(min(until_ms), 0) FROM identity_waits)"
    ).fetchone()

    def total(name: str) -> int:
        return sum(n for (kind, what, _), n in counters.items() if kind == IDENTITY and what == name)

    open_reviews = counters.get((IDENTITY, "review", ReviewState.OPEN.name.lower()), 0)
    return IdentityFacts(
        next_patient, total("identifier"), total("patient"), total("event"), open_reviews, waiting, next_wait_ms
    )


def _one(connection: Connection, query: str, parameters: tuple[Any, ...]) -> list[Any]:
    """Run a query whose only row is a JSON array."""
    rows: list[Any] = json.loads(connection.execute(query, parameters).fetchone()[0])
    return rows
