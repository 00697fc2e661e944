"""Operators' questions: bounded, in a thread apart, rows as plain dicts (store/README.md explains the keys)."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol, TypeVar

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import KEY_BUCKET_BITS
from engine.errors import OperationRefused
from engine.store.counting import DELIVERY_STATE_NAMES, MESSAGE_STATE_NAMES, CounterKey
from engine.store.names import Names
from engine.store.rows import (
    ACTION_KEYS,
    ATTEMPT_KEYS,
    DELIVERY_KEYS,
    INTENTION_KEYS,
    KIND_NAMES,
    MESSAGE_KEYS,
    REFUSAL_KEYS,
    TAKEOVER_KEYS,
    add_plain_attempt,
)
from engine.store.sqlite.attachments import COUNT
from engine.store.sqlite.configuring import read_files
from engine.store.sqlite.delivery_rows import read_lanes
from engine.store.sqlite.driver import Connection, sqlite3
from engine.store.sqlite.identity_queries import IdentityQueries
from engine.store.sqlite.pruning import place_at
from engine.store.sqlite.scan import ENDING_RANK, ENDINGS_BY_RANK, ending_name

ROWS_MAX: Final = 1_000
SECONDS_MAX: Final = 5.0
"""A search that takes longer is refused, with a word on how to narrow it."""
LANES_COUNTED: Final = 1_000
LATER_COUNTED: Final = 10_000
_STEPS_BETWEEN_LOOKS: Final = 20_000

_MESSAGE: Final = ", ".join(
    (
        "m.id, m.received_ms, m.source, m.routing, m.site, m.peer, m.name, m.format, m.control_id, m.type, m.charset",
        "m.size, m.state, m.code, m.field, m.reason, m.config, m.linked_to",
        "EXISTS (SELECT 1 FROM bodies AS b WHERE b.message = m.id)",
        COUNT,
        "(SELECT f.joins FROM fragments AS f WHERE f.message = m.id)",
        f"iif(m.state = 1, {ENDING_RANK}, NULL)",
    )
)
_DELIVERY: Final = (
    "d.id, d.destination, d.route, d.kind, d.type, d.target, d.control_id, d.state, d.queued, d.attempts, d.spent,"
    " d.due_ms, d.first_ms, d.end_ms, d.code, d.field, d.reason, d.flags, d.config, d.copies, d.replay_of, d.lane,"
    " d.more_lanes"
)
_LANES: Final = """
SELECT count(*) FROM (
    WITH RECURSIVE keys(lane) AS (
        SELECT (SELECT min(lane) FROM deliveries INDEXED BY deliveries_lane WHERE queued = 1 AND destination = ?1)
        UNION ALL
        SELECT (SELECT min(d.lane) FROM deliveries AS d INDEXED BY deliveries_lane
                WHERE d.queued = 1 AND d.destination = ?1 AND d.lane > keys.lane)
        FROM keys WHERE keys.lane IS NOT NULL
    )
    SELECT lane FROM keys WHERE lane IS NOT NULL AND lane <> 0 LIMIT ?2
)
"""

_GROUPS: Final = """
WITH RECURSIVE groups(routing) AS (
    SELECT (SELECT min(routing) FROM messages INDEXED BY messages_unrouted WHERE state = 0)
    UNION ALL
    SELECT (SELECT min(m.routing) FROM messages AS m INDEXED BY messages_unrouted
            WHERE m.state = 0 AND m.routing > groups.routing)
    FROM groups WHERE groups.routing IS NOT NULL
)
SELECT routing FROM groups WHERE routing IS NOT NULL
"""
"""One step of the index a group, however many messages wait."""

Result = TypeVar("Result")


class Source(Protocol):
    """What these queries need of the store."""

    @property
    def names(self) -> Names:
        """The interned names."""

    @property
    def counters(self) -> dict[CounterKey, int]:
        """The counters."""

    def facts(self) -> dict[str, Any]:
        """Sizes and dates."""

    async def ask(self, read: Callable[[Connection], Result]) -> Result:
        """Run a read."""


class SqliteQueries(IdentityQueries):
    """StoreQueries over a SqliteStore."""

    _store: Source

    def __init__(self, store: Source) -> None:
        self._store = store

    async def counters(self) -> dict[CounterKey, int]:
        """Counters: (kind, name, what) -> n."""
        return self._store.counters

    async def facts(self) -> dict[str, Any]:
        """Sizes, WAL, commit durations, last clean stop, highest place."""
        return self._store.facts()

    # --- messages ---

    async def find_messages(
        self,
        *,
        keys: Collection[int] = (),
        source: str = "",
        state: str = "",
        control_id: str = "",
        since_ms: int = 0,
        until_ms: int = 0,
        before: int = 0,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """
        Messages, newest first.

        Args:
            keys: Search key hashes, any of them.
            source: Name of the source.
            state: A state or an ending, by its name in lower case.
            control_id: MSH-10.
            since_ms: Received at or after.
            until_ms: Received before.
            before: Only places below this one.
            limit: At most so many rows.

        Raises:
            OperationRefused: The search took too long.
        """
        filters = _filters(self._store.names, source, control_id, state)
        if filters is None:
            return []
        conditions, parameters = filters

        def read(connection: Connection) -> list[dict[str, Any]]:
            low = place_at(connection, since_ms) if since_ms else 1
            high = place_at(connection, until_ms) if until_ms else 1 << 47
            high = min(high, before) if before else high
            where = " AND ".join(["m.id >= ?", "m.id < ?", *conditions])
            if keys:
                places = _places_of_keys(connection, keys, low, high)
                where += " AND m.id IN (SELECT value FROM json_each(?))"
                extra = [json.dumps(places)]
            else:
                extra = []
            query = f"SELECT {_MESSAGE} FROM messages AS m WHERE {where} ORDER BY m.id DESC LIMIT ?"  # noqa: S608
            values = (low, high, *parameters, *extra, min(limit, ROWS_MAX))
            return [self._message(row) for row in connection.execute(query, values).fetchall()]

        return await self._store.ask(lambda connection: _in_time(connection, read))

    async def carriers(self, hashes: Collection[int], *, before: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Deliveries of the messages that carried an identifier, newest first."""
        limit = min(limit, ROWS_MAX)
        show = self._store.names.show
        query = (
            f"SELECT {_DELIVERY}, m.source, m.site, m.received_ms"  # noqa: S608 (our own columns)
            " FROM json_each(?) AS p CROSS JOIN messages AS m ON m.id = p.value"
            " CROSS JOIN deliveries AS d ON d.id >= m.id << 16 AND d.id < (m.id + 1) << 16"
            " WHERE d.kind IN (0, 3) AND d.id < ? ORDER BY d.id DESC LIMIT ?"
        )

        def read(connection: Connection) -> list[dict[str, Any]]:
            below = before or 1 << 62
            places = _places_of_keys(connection, hashes, 1, (below + 0xFFFF) >> 16)
            rows = connection.execute(query, (json.dumps(places), below, limit)).fetchall()
            return [
                self._delivery(row[:-3]) | {"source": show(row[-3]), "site": show(row[-2]), "received_ms": row[-1]}
                for row in rows
            ]

        return await self._store.ask(lambda connection: _in_time(connection, read))

    def _message(self, row: tuple[Any, ...]) -> dict[str, Any]:
        show = self._store.names.show
        (
            place, received, source, group, site, peer, name, format_, control_id, type_, charset, size, state, code,
            field, reason, config, linked_to, body, attachments, joins, rank,
        ) = row  # fmt: skip
        values = (
            place, received, show(source), show(group), show(site), show(peer), name, show(format_),
            control_id, show(type_), show(charset), size, MESSAGE_STATE_NAMES[state], ending_name(state, rank),
            show(code), field, reason, show(config), linked_to, body == 1, attachments,
            json.loads(joins or "[]"),
        )  # fmt: skip
        return dict(zip(MESSAGE_KEYS, values, strict=True))

    async def message_row(self, place: int) -> dict[str, Any] | None:
        """One message's row; no bytes."""
        query = f"SELECT {_MESSAGE} FROM messages AS m WHERE m.id = ?"  # noqa: S608

        def read(connection: Connection) -> dict[str, Any] | None:
            row = connection.execute(query, (place,)).fetchone()
            return None if row is None else self._message(row)

        return await self._store.ask(read)

    async def own_part(self, place: int) -> bytes | None:
        """Of a message that holds the fragments of others, the bytes that it was itself; None: it holds none."""
        query = "SELECT raw FROM fragments WHERE message = ?"
        row = await self._store.ask(lambda connection: connection.execute(query, (place,)).fetchone())
        return None if row is None else bytes(row[0])

    async def dead_messages(self, *, source: str = "", after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Messages that died before any delivery, oldest first."""
        only, values = ("AND m.source = ?", [self._store.names.find(source)]) if source else ("", [])
        query = (
            f"SELECT {_MESSAGE} FROM messages AS m INDEXED BY messages_dead"  # noqa: S608
            f" WHERE m.state = 6 AND m.id > ? {only} ORDER BY m.id LIMIT ?"
        )

        def read(connection: Connection) -> list[dict[str, Any]]:
            rows = connection.execute(query, (after, *values, min(limit, ROWS_MAX))).fetchall()
            return [self._message(row) for row in rows]

        return await self._store.ask(read)

    # --- deliveries ---

    def _delivery(self, row: tuple[Any, ...]) -> dict[str, Any]:
        show = self._store.names.show
        (
            key, destination, route, kind, type_, target, control_id, state, queued, attempts, spent, due_ms, first_ms,
            end_ms, code, field, reason, flags, config, copies, replay_of, lane, more_lanes,
        ) = row  # fmt: skip
        values = (
            key, key >> 16, show(destination), show(route), KIND_NAMES[kind], show(type_), target,
            control_id, DELIVERY_STATE_NAMES[state], queued == 1, attempts, spent, due_ms, first_ms,
            end_ms, show(code), field, reason, flags, show(config), copies, replay_of,
            list(read_lanes(lane, more_lanes)),
        )  # fmt: skip
        return dict(zip(DELIVERY_KEYS, values, strict=True))

    async def deliveries_of(self, place: int) -> list[dict[str, Any]]:
        """The deliveries of one message, in order of id, with their attempts under `history`."""
        deliveries = (
            f"SELECT {_DELIVERY} FROM deliveries AS d"  # noqa: S608
            " WHERE d.id >= ?1 << 16 AND d.id < (?1 + 1) << 16 ORDER BY d.id LIMIT ?2"
        )
        attempts = (
            "SELECT number, begin_ms, end_ms, outcome, code, answer FROM attempts WHERE delivery = ?"
            " ORDER BY number DESC LIMIT ?"
        )

        def read(connection: Connection) -> list[dict[str, Any]]:
            rows = [self._delivery(row) for row in connection.execute(deliveries, (place, ROWS_MAX)).fetchall()]
            for row in rows:
                found = connection.execute(attempts, (row["delivery"], ROWS_MAX)).fetchall()
                row["history"] = [
                    dict(zip(ATTEMPT_KEYS, (*one[:5], one[5].decode("latin-1")), strict=True)) for one in found[::-1]
                ]
                add_plain_attempt(row)
            return rows

        return await self._store.ask(read)

    async def dead(self, *, destination: str = "", after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """Dead deliveries, oldest first; `source`, `site` and `received_ms` of the message beside them."""
        limit = min(limit, ROWS_MAX)
        names = [destination] if destination else self._dead_destinations()
        query = (
            f"SELECT {_DELIVERY}, m.source, m.site, m.received_ms"  # noqa: S608
            " FROM deliveries AS d INDEXED BY deliveries_dead CROSS JOIN messages AS m ON m.id = d.id >> 16"
            " WHERE d.state = 2 AND d.destination = ? AND d.id > ? ORDER BY d.id LIMIT ?"
        )
        show = self._store.names.show

        def read(connection: Connection) -> list[dict[str, Any]]:
            found = []
            for name in names:
                values = (self._store.names.find(name), after, limit)
                for row in connection.execute(query, values).fetchall():
                    origin = {"source": show(row[-3]), "site": show(row[-2]), "received_ms": row[-1]}
                    found.append(self._delivery(row[:-3]) | origin)
            found.sort(key=lambda row: int(row["delivery"]))
            return found[:limit]

        return await self._store.ask(read)

    def _dead_destinations(self) -> list[str]:
        dead = DeliveryState.DEAD.name.lower()
        counters = self._store.counters
        return [name for (kind, name, what), n in counters.items() if kind == "delivery" and what == dead and n]

    async def queue_summary(self, destination: str, *, now_ms: int) -> dict[str, Any]:
        """What waits for one destination; lanes counted to 1,000, `due_later` among the first 10,000."""
        number = self._store.names.find(destination)
        waiting = self._store.counters.get(("delivery", destination, "pending"), 0)

        def read(connection: Connection) -> dict[str, Any]:
            def one(query: str, *values: Any) -> int:
                return int(connection.execute(query, values).fetchone()[0] or 0)

            return {
                "destination": destination,
                "waiting": waiting,
                "parked": one(
                    "SELECT count(*) FROM deliveries INDEXED BY deliveries_dead"
                    " WHERE state = 2 AND destination = ? AND queued = 1 AND kind IN (0, 3)",
                    number,
                ),
                "due_later": one(
                    "SELECT count(*) FROM (SELECT due_ms, state, kind FROM deliveries INDEXED BY deliveries_queue"
                    " WHERE queued = 1 AND destination = ? ORDER BY id LIMIT ?)"
                    " WHERE state = 0 AND due_ms > ? AND kind IN (0, 3)",
                    number,
                    LATER_COUNTED,
                    now_ms,
                ),
                "oldest_ms": one(
                    "SELECT (SELECT received_ms FROM messages WHERE id = (SELECT id >> 16 FROM deliveries INDEXED BY"
                    " deliveries_queue WHERE queued = 1 AND destination = ? AND state = 0 AND kind IN (0, 3)"
                    " ORDER BY id LIMIT 1))",
                    number,
                ),
                "lanes": one(_LANES, number, LANES_COUNTED),
            }

        return await self._store.ask(read)

    # --- the rest ---

    async def refusals(self, *, source: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """The last refusals, newest first, without bytes."""
        only, values = ("WHERE source = ?", [source]) if source else ("", [])
        query = f"SELECT {', '.join(REFUSAL_KEYS)} FROM refusals {only} ORDER BY id DESC LIMIT ?"  # noqa: S608
        return await self._rows(query, (*values, min(limit, ROWS_MAX)), REFUSAL_KEYS)

    async def actions(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The audit trail, newest first."""
        query = f"SELECT {', '.join(ACTION_KEYS)} FROM actions ORDER BY id DESC LIMIT ?"  # noqa: S608
        return await self._rows(query, (min(limit, ROWS_MAX),), ACTION_KEYS)

    async def takeovers(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The log of configurations, newest first."""
        query = f"SELECT {', '.join(TAKEOVER_KEYS)} FROM takeovers ORDER BY id DESC LIMIT ?"  # noqa: S608
        return await self._rows(query, (min(limit, ROWS_MAX),), TAKEOVER_KEYS)

    async def configuration_files(self, hash_: str) -> dict[str, bytes] | None:
        """The files of a configuration that ran, by name."""
        return await self._store.ask(lambda connection: read_files(connection, hash_))

    async def _rows(self, query: str, values: tuple[Any, ...], keys: tuple[str, ...]) -> list[dict[str, Any]]:
        rows = await self._store.ask(lambda connection: connection.execute(query, values).fetchall())
        return [dict(zip(keys, row, strict=True)) for row in rows]

    async def intended_at(self, at_ms: Collection[int]) -> list[dict[str, Any]]:
        """The intentions of some moments, with their outcomes."""
        query = (
            f"SELECT {', '.join(INTENTION_KEYS)} FROM intentions"  # noqa: S608 (our own columns)
            " WHERE at_ms IN (SELECT value FROM json_each(?)) ORDER BY id"
        )
        rows = await self._rows(query, (json.dumps(list(at_ms)),), INTENTION_KEYS)
        for row in rows:
            row["accepted"] = None if row["accepted"] is None else row["accepted"] == 1
            row["outcome"] = row["outcome"] or ""
        return rows

    async def moments(self) -> dict[tuple[str, str], int]:
        """When something happened last."""
        rows = await self._rows("SELECT key, value FROM run WHERE key BETWEEN 'at:' AND 'at;'", (), ("key", "value"))
        found = {}
        for row in rows:
            _, what, name = row["key"].split(":", 2)
            found[what, name] = int(row["value"])
        return found

    async def groups(self) -> list[str]:
        """Routing groups of the messages in state RECEIVED, sorted."""
        show = self._store.names.show

        def read(connection: Connection) -> list[str]:
            return sorted(show(group) for (group,) in connection.execute(_GROUPS).fetchall())

        return await self._store.ask(read)

    async def intention_outcome(self, intention: int) -> tuple[bool, str] | None:
        """Whether an intention was accepted and its outcome; None while it waits."""
        query = "SELECT accepted, outcome FROM intentions WHERE id = ?"
        row = await self._store.ask(lambda connection: connection.execute(query, (intention,)).fetchone())
        return None if row is None or row[0] is None else (row[0] == 1, row[1])


def _filters(names: Names, source: str, control_id: str, state: str) -> tuple[list[str], list[Any]] | None:
    """Return conditions with their parameters; None: no message can be in that state."""
    conditions: list[str] = []
    parameters: list[Any] = []
    if source:
        conditions.append("m.source = ?")
        parameters.append(names.find(source))
    if control_id:
        conditions.append("m.control_id = ?")
        parameters.append(control_id)
    if state:
        condition = _state_condition(state)
        if condition is None:
            return None
        conditions.append(condition)
    return conditions, parameters


def _state_condition(state: str) -> str | None:
    """Return the SQL for a state or an ending; None when there is no such name."""
    either = [f"m.state = {number}" for number, name in MESSAGE_STATE_NAMES.items() if name == state]
    if state in ENDINGS_BY_RANK:
        rank = ENDINGS_BY_RANK.index(state)
        fallback = ENDINGS_BY_RANK.index("delivered")
        either.append(f"(m.state = {MessageState.ROUTED.value} AND coalesce({ENDING_RANK}, {fallback}) = {rank})")
    return "(" + " OR ".join(either) + ")" if either else None


def _places_of_keys(connection: Connection, keys: Collection[int], low: int, high: int) -> list[int]:
    """Return the newest messages that hold one of the keys, those not yet indexed included."""
    top = connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
    wanted = set(keys)
    found: set[int] = set()
    for (entries,) in connection.execute("SELECT entries FROM key_slices").fetchall():
        found.update(place for place, hash_ in struct.iter_unpack("<qq", entries) if hash_ in wanted)
    first, bucket = low >> KEY_BUCKET_BITS, min(top, high) >> KEY_BUCKET_BITS
    query = (
        "SELECT json_group_array(message) FROM message_keys"
        " WHERE bucket IN (SELECT value FROM json_each(?)) AND hash IN (SELECT value FROM json_each(?))"
    )
    while bucket >= first and len(found) < ROWS_MAX:
        buckets = list(range(max(first, bucket - 255), bucket + 1))
        places = connection.execute(query, (json.dumps(buckets), json.dumps(list(wanted)))).fetchone()[0]
        found.update(json.loads(places))
        bucket -= len(buckets)
    return sorted(place for place in found if low <= place < high)[-ROWS_MAX:]


def _in_time(connection: Connection, read: Callable[[Connection], Result]) -> Result:
    """
    Run a search that may have to look at many rows, for a few seconds at most.

    Raises:
        OperationRefused: It took longer.
    """
    end = time.monotonic() + SECONDS_MAX
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
    try:
        return read(connection)
    except sqlite3.OperationalError as error:
        if time.monotonic() > end:
            raise OperationRefused(
                f"the search took more than {SECONDS_MAX:.0f} s: narrow it with a key, a source or a time"
            ) from error
        raise
    finally:
        connection.set_progress_handler(None, 0)
