"""
The store of one machine, on SQLite.

    store         SqliteStore: the port, in the loop
    writer        the thread that commits; transaction, rare, pruning: what it applies; books: what it knows
    statements    many rows in one statement
    reading       the stages' reads; queries: the operators'; readers: their threads
    directory     lock, key, in-flight slots; recovery: what a start finds
    connections   how the database is opened and migrated; migrations: the schema; checkpoints: the log
    driver        which SQLite
"""

from engine.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
