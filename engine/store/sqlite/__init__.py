"""
The store of one machine, on SQLite.

    store         SqliteStore: the port, in the loop
    company       when what nobody waits for is committed
    writer        what commits; transaction, rare, pruning: what it applies; books: what it knows
    apart         the writer in a process of its own, seen from the loop; writing: that process; wire: what they say
    report        what a commit has to say; ledger: the loop's copy of the books
    statements    many rows in one statement
    reading       the stages' reads; queries: the operators'; readers: their threads
    identity_…    the cross-reference: writes, fences and pruning in the transaction, reads and queries of officers
    directory     lock, key, in-flight slots; recovery: what a start finds
    connections   how the database is opened and migrated; migrations: the schema; checkpoints: the log
    driver        which SQLite
"""

from engine.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
