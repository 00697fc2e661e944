"""
What the writer knows without asking the disk: next place, counters, names, keys not yet indexed.

Read once at `open` (and after a trouble); changed only when a transaction is on disk.
"""

from __future__ import annotations

import json
import struct
from collections import deque
from typing import Final

from engine.store.counting import CounterKey, Tally
from engine.store.identity_rules import Views
from engine.store.names import Names
from engine.store.sqlite.driver import Connection

ORIGINS_MAX: Final = 50_000
"""Messages whose source is remembered until their last outcome."""


class Books:
    """The writer's memory; only the writer thread changes it."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.counters: dict[CounterKey, int] = {}
        self.next_place = 1
        self.lanes_kept = False
        """Some queued delivery has more than one lane key."""
        self.origins: dict[int, str] = {}
        """Place -> source."""
        self.unindexed: deque[tuple[int, int, int]] = deque()
        """(slice, message, hash): on disk in key_slices, not yet in message_keys."""
        self.next_slice = 1
        self.next_event = 1
        """Id of the next identity event."""
        self.waits_kept = False
        """Some message waits for an identifier, or did since the start."""
        self.views = Views()
        """Of this run, and in no table: what was decided on a view is not on disk, or is gone with the run."""
        self.prune_after = 0
        """Place up to which the present round of pruning looked."""
        self.events_after = 0
        """Identity event up to which it did."""

    def load(self, connection: Connection) -> None:
        """Read everything from the database."""
        self.names.load(connection.execute("SELECT id, name FROM names").fetchall())
        rows = connection.execute("SELECT kind, name, what, n FROM counters").fetchall()
        self.counters = {(kind, name, what): n for kind, name, what, n in rows}
        self.next_place = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM messages").fetchone()[0]
        self.lanes_kept = connection.execute("SELECT EXISTS(SELECT 1 FROM lane_more)").fetchone()[0] == 1
        self.next_event = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM identity_events").fetchone()[0]
        self.waits_kept = connection.execute("SELECT EXISTS(SELECT 1 FROM identity_waits)").fetchone()[0] == 1
        self.origins.clear()
        self.unindexed.clear()
        self.next_slice = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM key_slices").fetchone()[0]
        for number, entries in connection.execute("SELECT id, entries FROM key_slices ORDER BY id").fetchall():
            pairs = struct.iter_unpack("<qq", entries)
            self.unindexed.extend((number, message, hash_) for message, hash_ in pairs)

    def fold(self, tally: Tally) -> None:
        """Take over the differences of a transaction that is on disk."""
        counters = self.counters
        for key, count in tally.changes.items():
            counters[key] = counters.get(key, 0) + count

    def remember_origin(self, place: int, source: str) -> None:
        """Remember the source of a message until it is finished."""
        origins = self.origins
        if len(origins) >= ORIGINS_MAX:
            del origins[next(iter(origins))]
        origins[place] = source

    def find_origins(self, connection: Connection, places: list[int], query: str) -> None:
        """Read the sources of messages that are not remembered, in one row."""
        for place, source in json.loads(connection.execute(query, (json.dumps(places),)).fetchone()[0]):
            self.remember_origin(place, self.names.show(source))
