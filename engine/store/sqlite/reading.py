"""
The stages' reads: short, bounded, on a connection and a thread of their own.

Lists come as one JSON row: the driver gives up the interpreter's lock at each row, and beside a busy loop gets
it back late.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from engine.core import splices
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import (
    WHOLE,
    Arrival,
    Delivery,
    DeliveryFlag,
    Fate,
    Hold,
    Intention,
    PayloadKind,
    StoredMessage,
)
from engine.store import rules
from engine.store.bases import BaseOf
from engine.store.names import Names
from engine.store.sqlite.attachments import COUNT, HELD, read_attachments
from engine.store.sqlite.delivery_rows import DELIVERY_COLUMNS, read_delivery, read_lanes
from engine.store.sqlite.driver import Connection
from engine.store.sqlite.pruning import place_at

ROWS_MAX: Final = 1_000
"""No read returns more, but the intentions: a stage carries them all out at its start."""

_MESSAGE: Final = (
    "m.id, m.source, m.routing, b.raw, m.received_ms, m.peer, m.name, m.format, m.control_id, m.type, m.charset,"
    f" m.digest, m.site, m.state, m.linked_to = m.id, {HELD}, {COUNT}"
)
_UNROUTED: Final = f"""
SELECT {_MESSAGE} FROM messages AS m INDEXED BY messages_unrouted JOIN bodies AS b ON b.message = m.id
WHERE m.state = 0 AND m.routing = ? AND m.id > ? ORDER BY m.id LIMIT ?
"""  # noqa: S608 (our own columns)
_ONE_MESSAGE: Final = f"SELECT {_MESSAGE} FROM messages AS m JOIN bodies AS b ON b.message = m.id WHERE m.id = ?"  # noqa: S608
_LAST_QUEUED: Final = """
SELECT (
    SELECT m.id FROM deliveries AS d INDEXED BY deliveries_queue CROSS JOIN messages AS m ON m.id = d.id >> 16
    WHERE d.queued = 1 AND d.destination = n.destination AND m.routing = ?1 ORDER BY d.id DESC LIMIT 1
) FROM (SELECT DISTINCT destination FROM deliveries WHERE queued = 1) AS n
"""
_COLUMNS: Final = ", ".join(DELIVERY_COLUMNS)
_QUEUE: Final = f"""
SELECT json_group_array(json_array({_COLUMNS})) FROM (
    SELECT * FROM deliveries INDEXED BY deliveries_queue WHERE queued = 1 AND destination = ? AND id > ?
    ORDER BY id LIMIT ?
)
"""  # noqa: S608
_PARTED: Final = f"""
SELECT json_group_array(json_array({_COLUMNS})) FROM (
    SELECT * FROM deliveries INDEXED BY deliveries_queue
    WHERE queued = 1 AND destination = ? AND id > ? AND state = 0 AND flags & {int(DeliveryFlag.PARTED)}
    ORDER BY id LIMIT ?
)
"""  # noqa: S608
_QUEUE_OF: Final = f"""
SELECT json_group_array(json_array({_COLUMNS})) FROM (
    SELECT d.* FROM (
        SELECT * FROM (
            SELECT id FROM deliveries INDEXED BY deliveries_lane
            WHERE queued = 1 AND destination = ?1 AND lane = ?2 AND id >= ?3 ORDER BY id LIMIT ?4
        )
        UNION
        SELECT * FROM (
            SELECT id FROM lane_more WHERE destination = ?1 AND lane = ?2 AND id >= ?3 ORDER BY id LIMIT ?4
        )
    ) AS keys CROSS JOIN deliveries AS d ON d.id = keys.id WHERE d.queued = 1 ORDER BY d.id LIMIT ?4
)
"""  # noqa: S608
_ONE_DELIVERY: Final = f"SELECT {_COLUMNS} FROM deliveries WHERE id = ?"  # noqa: S608
_PAYLOADS: Final = """
SELECT d.id, d.payload_kind, iif(typeof(d.payload) = 'blob', d.payload, p.payload), b.raw
FROM json_each(?) AS i CROSS JOIN deliveries AS d ON d.id = i.value
LEFT JOIN payloads AS p ON typeof(d.payload) = 'text' AND d.payload_kind <> 0 AND p.delivery = d.id
LEFT JOIN bodies AS b ON d.payload_kind <> 1 AND b.message = d.id >> 16
WHERE d.kind = 0
"""
_FATE: Final = """
SELECT m.state, m.code, (SELECT json_group_array(d.state) FROM deliveries AS d
                         WHERE d.id >= m.id << 16 AND d.id < (m.id + 1) << 16 AND d.kind IN (0, 3))
FROM messages AS came CROSS JOIN messages AS m ON m.id = iif(came.state = 9, came.linked_to, came.id)
WHERE came.id = ?
"""
_RECENT: Final = """
SELECT json_group_array(json_array(id, identity, digest, received_ms, lanes, state, code)) FROM (
    SELECT m.id, m.state, m.code, iif(m.control_id <> '', m.control_id, m.name) AS identity, m.digest, m.received_ms,
        (SELECT json_group_array(json_array(d.lane, d.more_lanes, d.state)) FROM deliveries AS d
         WHERE d.id >= m.id << 16 AND d.id < (m.id + 1) << 16 AND d.kind IN (0, 3)) AS lanes
    FROM messages AS m WHERE m.id >= ?1 AND m.source = ?2 AND m.received_ms >= ?3 AND m.state NOT IN (0, 4, 7)
    ORDER BY m.id DESC LIMIT ?4
)
"""


class Reads:
    """Each method is one read, called in a reader thread with its connection."""

    def __init__(self, names: Names, base_of: BaseOf) -> None:
        self._names = names
        self._base_of = base_of

    def _message(self, row: tuple[Any, ...]) -> StoredMessage:
        (
            place, source, group, raw, received, peer, name, format_, control, type_, charset, digest, site, state,
            alone,
        ) = row  # fmt: skip
        show = self._names.show
        return StoredMessage(
            show(source), show(group), raw, received, show(peer), name, show(format_), control, show(type_),
            show(charset), digest, show(site), place, MessageState(state), alone=alone == 1,
        )  # fmt: skip

    def unrouted(
        self, connection: Connection, group: str, after: int, limit: int, max_bytes: int
    ) -> tuple[list[StoredMessage], bool]:
        """Return messages, and whether these are all."""
        limit = min(limit, ROWS_MAX)
        cursor = connection.execute(_UNROUTED, (self._names.find(group), after, limit))
        items: list[StoredMessage] = []
        size = 0
        try:
            for row in cursor:
                size += len(row[3]) + row[-2]
                if items and size > max_bytes:
                    return items, False
                items.append(self._message(row[:-2]))
                if row[-1]:
                    items[-1].attachments = read_attachments(connection, items[-1].place)
        finally:
            cursor.close()
        return items, len(items) < limit

    def last_queued(self, connection: Connection, group: str) -> int:
        """Return the highest place of a routing group of which a delivery is queued; 0: there is none."""
        places = connection.execute(_LAST_QUEUED, (self._names.find(group),)).fetchall()
        return max((place for (place,) in places if place is not None), default=0)

    def message(self, connection: Connection, place: int) -> StoredMessage | None:
        """Return one message with its bytes."""
        row = connection.execute(_ONE_MESSAGE, (place,)).fetchone()
        if row is None:
            return None
        message = self._message(row[:-2])
        if row[-1]:
            message.attachments = read_attachments(connection, place)
        return message

    def fate(self, connection: Connection, place: int) -> Fate | None:
        """Return what became of one message so far."""
        row = connection.execute(_FATE, (place,)).fetchone()
        if row is None:
            return None
        state, code, copies = row
        return Fate(MessageState(state), self._names.show(code), [DeliveryState(each) for each in json.loads(copies)])

    def recent(self, connection: Connection, source: str, since_ms: int, limit: int) -> list[Arrival]:
        """Return the last arrivals of a source that were routed, oldest first, by control id or name."""
        first = place_at(connection, since_ms)
        parameters = (first, self._names.find(source), since_ms, limit)
        arrivals = []
        for place, identity, digest, received_ms, packed, state, code in _one(connection, _RECENT, parameters):
            copies = json.loads(packed)
            lanes = frozenset(key for lane, more, _ in copies for key in read_lanes(lane, more))
            live = any(each in rules.LIVE for _, _, each in copies)
            if rules.is_part(state, self._names.show(code)):
                lanes, live = frozenset((digest,)), True
            arrivals.append(Arrival(place, identity, digest, received_ms, lanes, live))
        return arrivals[::-1]

    def queue(self, connection: Connection, destination: str, after: int, limit: int) -> tuple[list[Delivery], bool]:
        """Return queued deliveries, and whether these are all."""
        limit = min(limit, ROWS_MAX)
        rows = _one(connection, _QUEUE, (self._names.find(destination), after, limit))
        return [read_delivery(row, self._names) for row in rows], len(rows) < limit

    def parted(self, connection: Connection, destination: str, after: int, limit: int) -> list[Delivery]:
        """Return pending deliveries that are marked PARTED."""
        parameters = (self._names.find(destination), after, min(limit, ROWS_MAX))
        return [read_delivery(row, self._names) for row in _one(connection, _PARTED, parameters)]

    def queue_of(self, connection: Connection, destination: str, lane: int, since: int, limit: int) -> list[Delivery]:
        """Return queued deliveries that hold a lane key."""
        parameters = (self._names.find(destination), lane, since, min(limit, ROWS_MAX))
        return [read_delivery(row, self._names) for row in _one(connection, _QUEUE_OF, parameters)]

    def delivery(self, connection: Connection, key: int) -> Delivery | None:
        """Return one delivery."""
        row = connection.execute(_ONE_DELIVERY, (key,)).fetchone()
        return None if row is None else read_delivery(row, self._names)

    def payloads(self, connection: Connection, ids: Collection[int], max_bytes: int) -> dict[int, bytes]:
        """Return the bytes to send, in the order asked, as many as fit."""
        found: dict[int, bytes] = {}
        size = 0
        cursor = connection.execute(_PAYLOADS, (json.dumps(list(ids)),))
        try:
            for key, kind, payload, raw in cursor:
                data = self._bytes_to_send(kind, payload, raw)
                if data is None:
                    continue
                size += len(data)
                if found and size > max_bytes:
                    break
                found[key] = data
        finally:
            cursor.close()
        return found

    def _bytes_to_send(self, kind: int, payload: bytes | None, raw: bytes | None) -> bytes | None:
        if kind in WHOLE:
            return payload
        if kind == PayloadKind.RAW or raw is None or payload is None:
            return raw if kind == PayloadKind.RAW else None
        return splices.apply(raw, payload, self._base_of)

    def holds(self, connection: Connection) -> list[Hold]:
        """Return every hold in force."""
        query = "SELECT kind, name, until_ms, who, reason, at_ms FROM holds ORDER BY at_ms, kind, name"
        return [Hold(*row) for row in connection.execute(query).fetchall()]

    def intentions(self, connection: Connection, stage: str) -> list[Intention]:
        """Return every intention that waits, oldest first."""
        query = (
            "SELECT stage, verb, arguments, who, reason, at_ms, id FROM intentions"
            " WHERE accepted IS NULL AND stage = ? ORDER BY id"
        )
        rows = connection.execute(query, (stage,)).fetchall()
        return [
            Intention(stage, verb, json.loads(arguments), who, reason, at_ms, number)
            for stage, verb, arguments, who, reason, at_ms, number in rows
        ]


def _one(connection: Connection, query: str, parameters: tuple[Any, ...]) -> list[Any]:
    """Run a query whose only row is a JSON array."""
    rows: list[Any] = json.loads(connection.execute(query, parameters).fetchone()[0])
    return rows
