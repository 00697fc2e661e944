"""Is everything where it should be? Reads only; works beside a running engine and without one."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final

from engine.errors import StoreUnavailable
from engine.store.counting import RECOUNTED, CounterKey, without_zeros
from engine.store.names import Names
from engine.store.sqlite.connections import FILE_NAME, open_reader
from engine.store.sqlite.directory import KEY_BYTES, mark_of
from engine.store.sqlite.driver import Connection, require_safe_version, sqlite3
from engine.store.sqlite.room import of_disk
from engine.store.sqlite.scan import recount_database

_ORPHANS: Final = {
    "bytes of no message": "SELECT count(*) FROM bodies WHERE message NOT IN (SELECT id FROM messages)",
    "attachments of no message": "SELECT count(*) FROM attachments WHERE message NOT IN (SELECT id FROM messages)",
    "deliveries of no message": "SELECT count(*) FROM deliveries WHERE id >> 16 NOT IN (SELECT id FROM messages)",
    "payloads of no delivery": "SELECT count(*) FROM payloads WHERE delivery NOT IN (SELECT id FROM deliveries)",
    "attempts of no delivery": "SELECT count(*) FROM attempts WHERE delivery NOT IN (SELECT id FROM deliveries)",
    "lane keys of deliveries that take no place": (
        "SELECT count(*) FROM lane_more WHERE id NOT IN (SELECT id FROM deliveries WHERE queued = 1)"
    ),
    "routed messages without a delivery": (
        "SELECT count(*) FROM messages AS m WHERE state = 1 AND NOT EXISTS"
        " (SELECT 1 FROM deliveries AS d WHERE d.id >= m.id << 16 AND d.id < (m.id + 1) << 16)"
    ),
    "undecided messages without bytes": (
        "SELECT count(*) FROM messages WHERE state IN (0, 5) AND id NOT IN (SELECT message FROM bodies)"
    ),
    "messages that wait for nothing": (
        "SELECT count(*) FROM messages WHERE state = 5 AND id NOT IN (SELECT place FROM identity_waits)"
    ),
    "waits of messages that don't wait": (
        "SELECT count(*) FROM identity_waits WHERE place NOT IN (SELECT id FROM messages WHERE state = 5)"
    ),
    "fragments of no message": "SELECT count(*) FROM fragments WHERE message NOT IN (SELECT message FROM bodies)",
    "identifiers of no patient": (
        "SELECT count(*) FROM identifiers WHERE kind <> 3 AND patient NOT IN (SELECT id FROM patients)"
    ),
    "strict traits of no patient": (
        "SELECT count(*) FROM identity_traits AS t WHERE NOT EXISTS (SELECT 1 FROM patients WHERE id = t.patient)"
    ),
    "pending deliveries without bytes": (
        "SELECT count(*) FROM deliveries AS d WHERE state = 0 AND kind = 0"
        " AND (payload_kind = 1 OR NOT EXISTS (SELECT 1 FROM bodies AS b WHERE b.message = d.id >> 16))"
        " AND (payload_kind <> 1 OR (typeof(payload) <> 'blob'"
        " AND NOT EXISTS (SELECT 1 FROM payloads AS p WHERE p.delivery = d.id)))"
    ),
}
_DIFFERENCES_SHOWN: Final = 20


def doctor(directory: Path) -> list[dict[str, Any]]:
    """
    Examine a data directory.

    Args:
        directory: The data directory; its engine may be running.

    Returns:
        One row a check: `check`, `fine`, `sentence`. No value of a message is in them.

    Raises:
        StoreUnavailable: There is no database, or it can't be read at all.
    """
    require_safe_version()
    path = directory / FILE_NAME
    if not path.exists():
        raise StoreUnavailable(f"there is no database in {directory}")
    rows = [_directory(directory), _disk(directory)]
    try:
        connection = open_reader(path)
        try:
            # One snapshot for all: a running engine goes on meanwhile.
            connection.execute("BEGIN")
            rows.append(_key(directory, connection))
            rows.append(_integrity(connection))
            rows += _counters(connection)
            rows += [_orphans(connection, what, query) for what, query in _ORPHANS.items()]
        finally:
            connection.close()
    except sqlite3.Error as error:
        rows.append(_row("database", fine=False, sentence=f"the database can't be read: {error}"))
    return rows


def _row(check: str, *, fine: bool, sentence: str) -> dict[str, Any]:
    return {"check": check, "fine": fine, "sentence": sentence}


def _directory(directory: Path) -> dict[str, Any]:
    mode = stat.S_IMODE(directory.stat().st_mode)
    fine = mode & 0o077 == 0
    hint = "" if fine else f": other accounts may enter; chmod 700 {directory}"
    return _row("directory", fine=fine, sentence=f"mode {mode:04o}{hint}")


def _disk(directory: Path) -> dict[str, Any]:
    fine, sentence = of_disk(directory)
    return _row("disk", fine=fine, sentence=sentence)


def _key(directory: Path, connection: Connection) -> dict[str, Any]:
    path = directory / "key"
    key = path.read_bytes() if path.exists() else b""
    if len(key) != KEY_BYTES:
        sentence = f"{path} has {len(key)} bytes instead of {KEY_BYTES}: put it back from a backup"
        return _row("key", fine=False, sentence=sentence)
    found = connection.execute("SELECT value FROM run WHERE key = 'key'").fetchone()
    fine = found is None or found[0] == mark_of(key)
    other = f"{path} isn't the key with which the database was written: put back that of the same backup"
    return _row("key", fine=fine, sentence="present" if fine else other)


def _integrity(connection: Connection) -> dict[str, Any]:
    found = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_DIFFERENCES_SHOWN})").fetchall()]
    return _row("integrity", fine=found == ["ok"], sentence="; ".join(found))


def _counters(connection: Connection) -> list[dict[str, Any]]:
    names = Names()
    names.load(connection.execute("SELECT id, name FROM names").fetchall())
    rows = connection.execute("SELECT kind, name, what, n FROM counters").fetchall()
    kept: dict[CounterKey, int] = {(kind, name, what): n for kind, name, what, n in rows}
    found = recount_database(connection, names, kept)
    counted = without_zeros({key: n for key, n in kept.items() if key[0] in RECOUNTED})
    differing = sorted(key for key in counted | found if counted.get(key) != found.get(key))
    sentences = [
        f"{' '.join(key)} is {counted.get(key, 0)}, counted {found.get(key, 0)}"
        for key in differing[:_DIFFERENCES_SHOWN]
    ]
    received = sum(n for key, n in counted.items() if key[0] == "received")
    ended = sum(n for key, n in counted.items() if key[0] == "message")
    sentence = "; ".join(sentences) or f"{len(found)} counters agree with the rows"
    return [
        _row("counters", fine=not differing, sentence=sentence),
        _row("balance", fine=received == ended, sentence=f"received {received}, accounted for {ended}"),
    ]


def _orphans(connection: Connection, what: str, query: str) -> dict[str, Any]:
    count = connection.execute(query).fetchone()[0]
    return _row(what, fine=count == 0, sentence="none" if count == 0 else str(count))
