"""A configuration takes over: its files, the log, and what becomes of queues (core.changes.Configure)."""

from __future__ import annotations

import marshal
import zlib
from typing import Final

from engine.core.changes import Configure, Receipt
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Takeover
from engine.store import rules
from engine.store.counting import COUNTED_KINDS
from engine.store.sqlite.driver import Connection
from engine.store.sqlite.transaction import Transaction

_WAITING: Final = "SELECT count(*) FROM deliveries INDEXED BY deliveries_queue WHERE queued = 1 AND destination = ?"
_LAST_WAITING: Final = """
SELECT max(id) FROM deliveries INDEXED BY deliveries_queue WHERE queued = 1 AND destination = ?1 AND id <= ?2
"""
_FIRST_ORDINAL_WALLED: Final = """
SELECT id, destination FROM deliveries WHERE id > ?1 AND id <= ?1 | 65535 AND kind = 2 ORDER BY id
"""
_COUNT_MOVED: Final = """
SELECT state, kind, count(*) FROM deliveries INDEXED BY deliveries_queue
WHERE queued = 1 AND destination = ?1 GROUP BY state, kind
UNION ALL
SELECT state, kind, count(*) FROM deliveries INDEXED BY deliveries_dead
WHERE state = 2 AND queued = 0 AND destination = ?1 GROUP BY state, kind
"""
_MOVES: Final = (
    "UPDATE deliveries INDEXED BY deliveries_queue SET destination = ?2 WHERE queued = 1 AND destination = ?1",
    "UPDATE deliveries INDEXED BY deliveries_dead SET destination = ?2 WHERE state = 2 AND destination = ?1",
    "UPDATE OR REPLACE lane_more SET destination = ?2 WHERE destination = ?1",
)
_PRUNE: Final = (
    "DELETE FROM takeovers WHERE at_ms < ?1 AND id <= (SELECT max(id) FROM takeovers) - ?2",
    "DELETE FROM configs WHERE hash NOT IN (SELECT hash FROM takeovers UNION SELECT before FROM takeovers)",
)


class Configuring:
    """Applies a `Configure` in a transaction."""

    def __init__(self, work: Transaction) -> None:
        self._work = work
        self._connection = work.connection

    def apply(self, change: Configure) -> Receipt:
        """
        Apply it.

        Raises:
            ChangeRefused: Something waits for a destination that is removed.
        """
        self._work.flush()
        own = self._work.names.own
        for former, name in change.moved.items():
            self._move(former, name)
        for name in change.removed:
            waiting = self._connection.execute(_WAITING, (own(name),)).fetchone()[0]
            if waiting:
                raise rules.something_waits(name, waiting)
        for name, ids in change.walls.items():
            for last in ids:
                self._wall(name, last, change.takeover.hash)
        if change.files:
            blob = zlib.compress(marshal.dumps(list(change.files.items())), 1)
            query = "INSERT OR IGNORE INTO configs(hash, files) VALUES (?, ?)"
            self._connection.execute(query, (change.takeover.hash, blob))
        return self._log(change.takeover)

    def _log(self, one: Takeover) -> Receipt:
        cursor = self._connection.execute(
            "INSERT INTO takeovers(at_ms, who, verb, hash, before, until_ms, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (one.at_ms, one.who, one.verb, one.hash, one.before, one.until_ms, one.reason),
        )
        return Receipt(cursor.lastrowid)

    def _move(self, former: str, name: str) -> None:
        tally, old, new = self._work.tally, self._work.names.own(former), self._work.names.own(name)
        for state, kind, count in self._connection.execute(_COUNT_MOVED, (old,)).fetchall():
            if kind in COUNTED_KINDS:
                word = DeliveryState(state).name.lower()
                tally.add(("delivery", former, word), -count)
                tally.add(("delivery", name, word), count)
        for statement in _MOVES:
            self._connection.execute(statement, (old, new))

    def _wall(self, name: str, last: int, config: str) -> None:
        """Put a wall behind what waits up to an id: at the end of that message's ids, where no delivery is."""
        own = self._work.names.own(name)
        behind = self._connection.execute(_LAST_WAITING, (own, last)).fetchone()[0]
        if behind is None:
            return
        taken = self._connection.execute(_FIRST_ORDINAL_WALLED, (behind,)).fetchall()
        wall = rules.wall(name, behind, [key for key, _ in taken], config)
        if all(destination != own for _, destination in taken):
            self._work.insert_deliveries([wall])
            self._work.flush()  # the next one looks at it


def prune_takeovers(connection: Connection, before_ms: int) -> None:
    """Forget old lines of the log but the last hundred, and the files that no line names any more."""
    if connection.execute(_PRUNE[0], (before_ms, rules.TAKEOVERS_KEPT)).rowcount:
        connection.execute(_PRUNE[1])


def read_files(connection: Connection, hash_: str) -> dict[str, bytes] | None:
    """Return the files of a configuration that ran, None when it isn't known."""
    row = connection.execute("SELECT files FROM configs WHERE hash = ?", (hash_,)).fetchone()
    return None if row is None else dict(marshal.loads(zlib.decompress(row[0])))  # noqa: S302 - written by us
