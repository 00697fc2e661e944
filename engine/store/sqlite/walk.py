"""
Everything that a commit of the walk writes, in one statement.

The driver gives up the interpreter's lock at each statement, and beside a busy loop it takes a switch of
threads to get it back: with ten statements a commit, most of a commit was waiting for that. So the rows of all
tables go into one multi-row INSERT on a view of this connection; the view's triggers put each row where it
belongs, without coming back to Python in between. A commit that holds nothing else is that statement alone:
SQLite makes a transaction of it by itself.

Each row is (kind, column 1 … column 21); a kind has a trigger of its own below, and columns that it doesn't
need are 0. A ROUTED or SETTLED row that meets no row in the expected state undoes the whole statement. An outcome
leaves the mark of 32 (DeliveryFlag.PARTED) as it is: who sent may not have known of it.
"""

from __future__ import annotations

from typing import Any, Final

from engine.store.sqlite.driver import Connection, sqlite3
from engine.store.sqlite.statements import RowsStatement

WIDTH: Final = 22
"""Values of each row, its kind included."""

RECEIVED: Final = 1
ROUTED: Final = 2
DELIVERY: Final = 3
SETTLED: Final = 4
LANE: Final = 5
PAYLOAD: Final = 6
ATTEMPT: Final = 7
KEYS: Final = 8
NAME: Final = 9
COUNTER: Final = 10

_COUNT_DIFFERS: Final = "passerelle: a row was not as expected"
"""What RAISE says below."""

_ACTIONS: Final = {
    RECEIVED: """
        INSERT INTO bodies(message, raw) VALUES (NEW.c1, NEW.c2);
        INSERT INTO messages(id, received_ms, source, routing, peer, name, format, control_id, type, charset, digest,
                             size, site, state)
        VALUES (NEW.c1, NEW.c3, NEW.c4, NEW.c5, NEW.c6, NEW.c7, NEW.c8, NEW.c9, NEW.c10, NEW.c11, NEW.c12,
                NEW.c13, NEW.c14, 0);
    """,
    ROUTED: """
        UPDATE messages
        SET state = NEW.c3, site = iif(NEW.c4 = '', site, NEW.c4), type = iif(NEW.c5 = '', type, NEW.c5),
            code = NEW.c6, field = NEW.c7, reason = NEW.c8, config = NEW.c9, linked_to = NEW.c10
        WHERE id = NEW.c1 AND state = NEW.c2;
        SELECT RAISE(ABORT, 'passerelle: a row was not as expected') WHERE changes() <> 1;
    """,
    DELIVERY: """
        INSERT INTO deliveries(id, destination, route, kind, lane, more_lanes, type, payload_kind, payload, target,
                               control_id, state, queued, due_ms, code, field, reason, flags, config, copies, replay_of)
        VALUES (NEW.c1, NEW.c2, NEW.c3, NEW.c4, NEW.c5, NEW.c6, NEW.c7, NEW.c8, NEW.c9, NEW.c10, NEW.c11,
                NEW.c12, NEW.c13, NEW.c14, NEW.c15, NEW.c16, NEW.c17, NEW.c18, NEW.c19, NEW.c20, NEW.c21);
    """,
    SETTLED: """
        UPDATE deliveries
        SET attempts = NEW.c2 + 1, state = NEW.c3, queued = NEW.c4, spent = NEW.c5, due_ms = NEW.c6,
            first_ms = iif(first_ms, first_ms, NEW.c7), end_ms = NEW.c8, code = NEW.c9, field = NEW.c10,
            reason = NEW.c11, flags = NEW.c12 | (flags & 32)
        WHERE id = NEW.c1 AND state = 0 AND attempts = NEW.c2;
        SELECT RAISE(ABORT, 'passerelle: a row was not as expected') WHERE changes() <> 1;
        DELETE FROM lane_more WHERE (destination, lane, id) IN (
            SELECT d.destination, j.value, d.id
            FROM deliveries AS d CROSS JOIN json_each(d.more_lanes) AS j
            WHERE d.id = NEW.c1 AND d.queued = 0 AND d.more_lanes <> '[]'
        );
    """,
    LANE: "INSERT OR IGNORE INTO lane_more(destination, lane, id) VALUES (NEW.c1, NEW.c2, NEW.c3);",
    PAYLOAD: "INSERT OR REPLACE INTO payloads(delivery, payload) VALUES (NEW.c1, NEW.c2);",
    ATTEMPT: """
        INSERT OR REPLACE INTO attempts(delivery, number, begin_ms, end_ms, outcome, code, answer)
        VALUES (NEW.c1, NEW.c2, NEW.c3, NEW.c4, NEW.c5, NEW.c6, NEW.c7);
    """,
    KEYS: "INSERT INTO key_slices(id, entries) VALUES (NEW.c1, NEW.c2);",
    NAME: "INSERT OR IGNORE INTO names(id, name) VALUES (NEW.c1, NEW.c2);",
    COUNTER: """
        INSERT INTO counters(kind, name, what, n) VALUES (NEW.c1, NEW.c2, NEW.c3, NEW.c4)
        ON CONFLICT(kind, name, what) DO UPDATE SET n = excluded.n;
    """,
}
_PADS: Final = tuple((0,) * count for count in range(WIDTH))
_WALK: Final = RowsStatement("INSERT INTO walk VALUES ", WIDTH)


class CountDiffers(Exception):
    """Some row was not as a change expected: find which one."""


def prepare_walk(connection: Connection) -> None:
    """Create the view and its triggers for this connection; the database file doesn't know of them."""
    columns = ", ".join(f"0 AS c{number}" for number in range(1, WIDTH))
    connection.execute(f"CREATE TEMP VIEW walk AS SELECT 0 AS kind, {columns}")
    for kind, actions in _ACTIONS.items():
        connection.execute(
            f"CREATE TEMP TRIGGER walk_{kind} INSTEAD OF INSERT ON walk WHEN NEW.kind = {kind} BEGIN {actions} END"
        )


LARGE_BODY: Final = "UPDATE bodies SET raw = ?2 WHERE message = ?1 AND ?3"
LARGE_PAYLOAD: Final = "UPDATE payloads SET payload = ?2 WHERE delivery = ?1 AND ?3"
COPIED_BYTES: Final = 32 * 1024
LARGE_BYTES: Final = 256 * 1024
"""
Values from here on are written after their row, one by one.

SQLite copies what goes through a view's trigger half a dozen times, and each prepared statement keeps the values
that it was last given.
"""
_NOTHING: Final = bytearray()


class WalkRows:
    """Rows of one transaction, collected before they are written."""

    __slots__ = ("_large", "_values")

    def __init__(self) -> None:
        self._values: list[Any] = []
        self._large: list[tuple[str, int, bytes]] = []

    def add(self, kind: int, *columns: Any) -> None:
        """Add one row; its columns are exact int, str, bytes or bytearray (statements says why)."""
        self._values += (kind, *columns, *_PADS[WIDTH - 1 - len(columns)])

    def value(self, data: bytes, large: str, key: int) -> bytes | bytearray:
        """
        Return what a row holds of its bytes: all, as the driver binds them quickly, or nothing yet.

        Args:
            data: The bytes.
            large: The statement that writes them where they are large: LARGE_BODY, LARGE_PAYLOAD.
            key: Of the row.
        """
        if len(data) < COPIED_BYTES:
            return bytearray(data)  # cheaper than the driver's search for an adapter
        if len(data) < LARGE_BYTES:
            return data
        self._large.append((large, key, data))
        return _NOTHING

    def fits_one_statement(self) -> bool:
        """Tell whether one statement writes them all."""
        return not self._large and _WALK.statements(len(self._values) // WIDTH) == 1

    def write(self, connection: Connection) -> None:
        """
        Write the rows.

        Raises:
            CountDiffers: A row to change was not in the expected state; nothing of the statement was written.
        """
        values, self._values = self._values, []
        if not values:
            return
        try:
            _WALK.run(connection, values)
        except sqlite3.IntegrityError as error:
            if str(error) == _COUNT_DIFFERS:
                raise CountDiffers from None
            raise
        large, self._large = self._large, []
        for statement, key, data in large:
            try:
                connection.execute(statement, (key, data, 1))
            finally:
                connection.execute(statement, (0, _NOTHING, 0))  # changes no row: lets go of the bytes

    def drop(self) -> None:
        """Forget the rows collected since the last write."""
        self._values = []
        self._large = []

    def __bool__(self) -> bool:
        return bool(self._values)
