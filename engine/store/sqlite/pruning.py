"""
Removing what is older than its retention: slices of a round that goes through the messages by place.

What is unfinished is never touched, nor the newest message (the next place follows from it).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from engine.core.changes import Prune, Receipt
from engine.core.lifecycle import MessageState
from engine.store import rules
from engine.store.counting import COUNTED_KINDS, DELIVERY_STATE_NAMES, ending_of
from engine.store.sqlite.configuring import prune_takeovers
from engine.store.sqlite.driver import Connection
from engine.store.sqlite.identity_pruning import prune_events
from engine.store.sqlite.transaction import Transaction

ROWS_LOOKED_AT: Final = 2_000
ROUNDS_A_PRUNE: Final = 10
PAGES_FREED: Final = 500
"""Pages given back to the file system after each slice."""

_CANDIDATES: Final = """
SELECT json_group_array(json_array(id, received_ms, state, source, body, copies)) FROM (
    SELECT m.id, m.received_ms, m.state, m.source,
        EXISTS (SELECT 1 FROM bodies AS b WHERE b.message = m.id) AS body,
        (SELECT json_group_array(json_array(d.id, d.destination, d.kind, d.state, d.queued, d.end_ms))
         FROM deliveries AS d WHERE d.id >= m.id << 16 AND d.id < (m.id + 1) << 16) AS copies
    FROM messages AS m WHERE m.id IN (
        SELECT * FROM (SELECT id FROM messages WHERE id > ?1 AND id < ?4 ORDER BY id LIMIT ?3)
        UNION
        SELECT * FROM (SELECT message FROM bodies WHERE message > ?1 AND message < ?2 ORDER BY message LIMIT ?3)
    ) ORDER BY m.id LIMIT ?3
)
"""
"""Old rows, and what still has bytes: not the months of rows between, of which nothing is to remove yet."""
_REMOVE_BODIES: Final = (
    "DELETE FROM attachments WHERE message IN (SELECT value FROM json_each(?1))",
    "DELETE FROM fragments WHERE message IN (SELECT value FROM json_each(?1))",
    "DELETE FROM bodies WHERE message IN (SELECT value FROM json_each(?1))",
    "DELETE FROM payloads WHERE delivery IN (SELECT value FROM json_each(?2))",
    "UPDATE deliveries SET payload = '' WHERE id IN (SELECT value FROM json_each(?2)) AND typeof(payload) = 'blob'",
)
_REMOVE_ROWS: Final = (
    "DELETE FROM attempts WHERE delivery IN (SELECT value FROM json_each(?2))",
    "DELETE FROM deliveries WHERE id IN (SELECT value FROM json_each(?2))",
    "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?1))",
    (
        "DELETE FROM message_keys WHERE bucket IN (SELECT DISTINCT value >> 12 FROM json_each(?1))"
        " AND message IN (SELECT value FROM json_each(?1))"
    ),
)


@dataclass(slots=True)
class _Found:
    """What one slice removes."""

    bodies: list[int] = field(default_factory=list)
    payloads: list[int] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    deliveries: list[int] = field(default_factory=list)
    touched: int = 0


def prune(work: Transaction, change: Prune) -> Receipt:
    """Remove at most `limit` messages (their bytes, or all of them); the receipt says how many."""
    work.begin()
    connection, books = work.connection, work.books
    bound = max(change.bodies_before_ms, change.dead_before_ms, change.rows_before_ms)
    highest = connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
    below = min(highest, place_at(connection, bound))
    rows_below = min(highest, place_at(connection, change.rows_before_ms))
    after = books.prune_after
    found = _Found()
    for _ in range(ROUNDS_A_PRUNE):
        rows = json.loads(connection.execute(_CANDIDATES, (after, below, ROWS_LOOKED_AT, rows_below)).fetchone()[0])
        for row in rows:
            if found.touched >= change.limit:
                break
            after = row[0]
            _judge(work, change, row, found)
        if len(rows) < ROWS_LOOKED_AT and (not rows or after == rows[-1][0]):
            after = 0
            break
        if found.touched >= change.limit:
            break
    _remove(work, found)
    connection.execute("DELETE FROM actions WHERE at_ms < ?", (change.rows_before_ms,))
    connection.execute(
        "DELETE FROM intentions WHERE accepted IS NOT NULL AND at_ms < ?1 AND id < (SELECT max(id) FROM intentions)",
        (change.rows_before_ms,),
    )
    prune_takeovers(connection, change.rows_before_ms)
    prune_events(work, change.rows_before_ms)
    books.prune_after = after
    return Receipt(found.touched)


def place_at(connection: Connection, moment_ms: int) -> int:
    """Return the first place received at a moment or later (places follow reception), by halving."""
    low, high = connection.execute("SELECT coalesce(min(id), 1), coalesce(max(id), 0) + 1 FROM messages").fetchone()
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT id, received_ms FROM messages WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
        ).fetchone()
        if row is None or row[1] >= moment_ms:
            high = middle
        else:
            low = row[0] + 1
    return int(low)


def _judge(work: Transaction, change: Prune, row: list[Any], found: _Found) -> None:
    place, received_ms, state, source, body, packed = row
    copies = json.loads(packed)
    if not rules.is_finished(state, [(each[3], each[4] == 1) for each in copies]):
        return
    ended = max([received_ms, *(each[5] for each in copies)])
    dead = rules.is_dead(state, [each[3] for each in copies])
    if ended >= (change.dead_before_ms if dead else change.bodies_before_ms):
        return
    whole = ended < change.rows_before_ms
    if not body and not whole:
        return
    found.touched += 1
    if body:
        found.bodies.append(place)
        found.payloads += [each[0] for each in copies]
    if whole:
        found.messages.append(place)
        found.deliveries += [each[0] for each in copies]
        _count(work, state, work.names.show(source), copies)


def _count(work: Transaction, state: int, source: str, copies: list[Any]) -> None:
    ending = ending_of(MessageState(state), [(each[2], each[3]) for each in copies])
    work.tally.add(("pruned", source, ending))
    for _, destination, kind, delivery_state, _, _ in copies:
        if kind in COUNTED_KINDS:
            name = DELIVERY_STATE_NAMES[delivery_state]
            work.tally.add(("pruned_delivery", work.names.show(destination), name))


def _remove(work: Transaction, found: _Found) -> None:
    for statements, messages, deliveries in (
        (_REMOVE_BODIES, found.bodies, found.payloads),
        (_REMOVE_ROWS, found.messages, found.deliveries),
    ):
        if messages:
            for statement in statements:
                work.fault("prune")
                both = (json.dumps(messages), json.dumps(deliveries))
                work.connection.execute(statement, both if "?2" in statement else both[:1])
