"""Rows of the table `attachments`: rare, and large, so each has a statement of its own."""

from __future__ import annotations

from typing import Final

from engine.core.messages import Attachment
from engine.store.sqlite.driver import Connection

_INSERT: Final = """
INSERT INTO attachments(message, rank, name, type, digest, size, data) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ?8
"""
_READ: Final = "SELECT name, type, digest, size, data FROM attachments WHERE message = ? ORDER BY rank"
ABSENT: Final = -1
"""Size of a file that didn't come."""

HELD: Final = "(SELECT coalesce(sum(a.size), 0) FROM attachments AS a WHERE a.message = m.id AND a.size > 0)"
"""Bytes of a message's attachments: a column of reads whose table is `m`."""
COUNT: Final = "(SELECT count(*) FROM attachments AS a WHERE a.message = m.id)"


def insert_attachments(connection: Connection, place: int, attachments: tuple[Attachment, ...]) -> None:
    """Write the attachments of one message, whose row is there."""
    for rank, one in enumerate(attachments):
        size = ABSENT if one.data is None else len(one.data)
        row = (place, rank, _storable(one.name), _storable(one.type), one.digest, size, one.data or bytearray(), 1)
        try:
            connection.execute(_INSERT, row)
        finally:
            # inserts nothing: a prepared statement keeps the values that it was last given
            connection.execute(_INSERT, (0, 0, "", "", 0, 0, bytearray(), 0))


def read_attachments(connection: Connection, place: int) -> tuple[Attachment, ...]:
    """Return the attachments of one message, in order."""
    rows = connection.execute(_READ, (place,)).fetchall()
    return tuple(
        Attachment(name, type_, None if size == ABSENT else bytes(data), digest)
        for name, type_, digest, size, data in rows
    )


def _storable(text: str) -> str:
    """Write lone surrogates as escapes: a name of unknown encoding can't be stored otherwise."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
