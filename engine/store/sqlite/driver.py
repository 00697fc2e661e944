"""
The SQLite library: pysqlite3, whose wheels carry a recent SQLite; the interpreter's own only if it is as recent.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that several connections use (sqlite.org/wal.html#walresetbug).
There must never be two SQLite libraries on one file in one process: the locks of one break those of the other.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from engine.errors import StoreUnavailable

OLDEST: Final = (3, 51, 3)


def _library() -> Any:
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3")


sqlite3: Any = _library()

Connection = Any
"""A connection of whichever library it is (pysqlite3 ships no types)."""

CULPRIT_ERRORS: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeError,
    TypeError,
    ValueError,
    AttributeError,
)
"""What a single wrong change can cause; anything else of the library concerns the whole store."""


def require_safe_version() -> None:
    """
    Check the version of the library.

    Raises:
        StoreUnavailable: It has the WAL-reset bug.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise StoreUnavailable(
            f"SQLite {sqlite3.sqlite_version} can corrupt its write-ahead log; {oldest} or later is needed: "
            "install pysqlite3"
        )
