"""Identity events live as long as their link: what goes are old ones of which no identifier and no patient is left."""

from __future__ import annotations

import json
from typing import Final

from engine.core.identities import IdentityEvent
from engine.store.counting import IDENTITY
from engine.store.identity_rows import read_touched
from engine.store.identity_rules import keys_of
from engine.store.sqlite.driver import Connection
from engine.store.sqlite.transaction import Transaction

EVENTS_LOOKED_AT: Final = 500
"""Of one slice; each is unpacked."""

_SLICE: Final = """
SELECT id, rule, touched FROM identity_events
WHERE id > ?1 AND at_ms < ?2 AND id < (SELECT max(id) FROM identity_events) ORDER BY id LIMIT ?3
"""
"""Never the newest: the next id follows from it."""
_LEFT: Final = """
SELECT EXISTS (SELECT 1 FROM identifiers WHERE hash IN (SELECT value FROM json_each(?1)))
    OR EXISTS (SELECT 1 FROM patients WHERE id IN (SELECT value FROM json_each(?2)))
"""


def prune_events(work: Transaction, before_ms: int) -> None:
    """Look at the next events of the present round."""
    connection, books = work.connection, work.books
    rows = connection.execute(_SLICE, (books.events_after, before_ms, EVENTS_LOOKED_AT)).fetchall()
    for key, rule, touched in rows:
        event = read_touched(IdentityEvent(rule, 0, 0), bytes(touched))
        if not _is_left(connection, event):
            work.fault("prune")
            connection.execute(
                "DELETE FROM identity_touched WHERE key IN (SELECT value FROM json_each(?)) AND event = ?",
                (json.dumps(keys_of(event)), key),
            )
            connection.execute("DELETE FROM identity_events WHERE id = ?", (key,))
            work.tally.add((IDENTITY, "event", rule), -1)
    books.events_after = rows[-1][0] if len(rows) == EVENTS_LOOKED_AT else 0


def _is_left(connection: Connection, event: IdentityEvent) -> bool:
    """Tell whether something that an event touched is still there."""
    keys = (json.dumps(list(event.identifiers)), json.dumps(list(event.patients)))
    return bool(connection.execute(_LEFT, keys).fetchone()[0])
