"""Connections and the schema: how a database is made, opened for writing, opened for reading."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.errors import StoreUnavailable
from engine.store.sqlite.driver import Connection, sqlite3
from engine.store.sqlite.walk import prepare_walk

FILE_NAME: Final = "passerelle.db"
WRITER_CACHE_KB: Final = 1024
"""What is written together is the last pages of each table and small indexes; the rest is the system's cache."""
READER_CACHE_KB: Final = 256
PAGE_BYTES: Final = 4096
WAL_KEPT_BYTES: Final = 64 * 1024 * 1024
BUSY_SECONDS: Final = 5.0
STATEMENTS_CACHED: Final = 512

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def open_writer(path: Path) -> Connection:
    """Open (and make) the database for the writer thread."""
    connection = sqlite3.connect(
        str(path),
        timeout=BUSY_SECONDS,
        isolation_level=None,
        cached_statements=STATEMENTS_CACHED,
        check_same_thread=False,
    )
    try:
        # These two count only before the first table; on an existing database they change nothing.
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        prepare_walk(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> Connection:
    """Open the database for reading only."""
    connection = sqlite3.connect(
        path.resolve().as_uri() + "?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KB}")
    return connection


def open_checkpointer(path: Path) -> Connection:
    """Open the database for the checkpoint thread."""
    connection = sqlite3.connect(str(path), timeout=0.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def migrate(connection: Connection) -> None:
    """
    Bring the schema up to date, one transaction a file.

    Raises:
        StoreUnavailable: The database was written by a later version.
    """
    files = sorted(_MIGRATIONS.glob("[0-9]*.sql"))
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(files):
        raise StoreUnavailable(
            f"the database has schema {version}, this version of Passerelle knows {len(files)}: start the later version"
        )
    for number, file in enumerate(files[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(file.read_text(encoding="utf-8")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def in_words(error: Exception) -> str:
    """Say why a database can't be opened; of one that is damaged, where it stands what to do."""
    damaged = any(words in str(error) for words in ("malformed", "not a database"))
    return f"{error}; docs/operators/backup.md says how to go back to a sound copy" if damaged else str(error)


def _statements(script: str) -> list[str]:
    statements, lines = [], ""
    for line in script.splitlines(keepends=True):
        lines += line
        if sqlite3.complete_statement(lines):
            statements.append(lines)
            lines = ""
    return statements
