"""
Custody: what was acknowledged is here, on disk, until its retention ends.

    sqlite          the store of one machine
    memory          the same in dictionaries, for tests and simulations (memory_rows, memory_changes, memory_queries)
    announcing      who hears of a commit, and in which order
    backlog         how full the queue of changes is
    rules           what a change may do to a row
    counting        counters, kept as things happen; recount: the same by scanning
    rows            the rows that operators see (README.md explains each key)
    names           small numbers for texts that come back in each row
    doctor          is everything where it should be?

One suite says what a store means: tests/conformance.
"""
