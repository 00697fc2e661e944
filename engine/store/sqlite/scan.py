"""Counting everything again by scanning, in constant memory: the oracle of the counters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from engine.core.lifecycle import MessageState
from engine.store.counting import DELIVERY_STATE_NAMES, MESSAGE_STATE_NAMES, CounterKey
from engine.store.identity_rules import count_rows
from engine.store.names import Names
from engine.store.recount import add_pruned
from engine.store.sqlite.driver import Connection

ENDING_RANK: Final = """
(SELECT min(CASE d.state WHEN 0 THEN 0 WHEN 2 THEN 1 WHEN 1 THEN 2 WHEN 3 THEN 3 ELSE 4 END) FROM deliveries AS d
 WHERE d.id >= m.id << 16 AND d.id < (m.id + 1) << 16 AND d.kind IN (0, 3))
"""
"""The ending of a routed message as a rank: the order of core.lifecycle.message_ending."""
ENDINGS_BY_RANK: Final = ("waiting", "dead", "delivered", "discarded", "cancelled")

_MESSAGES: Final = f"""
SELECT source, state, rank, count(*) FROM (
    SELECT m.source, m.state, CASE WHEN m.state = 1 THEN {ENDING_RANK} END AS rank FROM messages AS m
) GROUP BY source, state, rank
"""  # noqa: S608 (a constant)
_DELIVERIES: Final = """
SELECT destination, state, count(*) FROM deliveries WHERE kind IN (0, 3) GROUP BY destination, state
"""


def ending_name(state: int, rank: int | None) -> str:
    """Return under which name a message counts, from its state and its rank."""
    if state != MessageState.ROUTED:
        return MESSAGE_STATE_NAMES[state]
    return "delivered" if rank is None else ENDINGS_BY_RANK[rank]


def recount_database(connection: Connection, names: Names, kept: Mapping[CounterKey, int]) -> dict[CounterKey, int]:
    """Return what the counters (`counting.RECOUNTED`) must be, without zeros."""
    counts: dict[CounterKey, int] = defaultdict(int)
    for source, state, rank, count in connection.execute(_MESSAGES).fetchall():
        name = names.show(source)
        counts["received", name, "total"] += count
        counts["message", name, ending_name(state, rank)] += count
    for destination, state, count in connection.execute(_DELIVERIES).fetchall():
        counts["delivery", names.show(destination), DELIVERY_STATE_NAMES[state]] += count
    return add_pruned(counts, kept) | _recount_identities(connection)


def _recount_identities(connection: Connection) -> dict[CounterKey, int]:
    patients = connection.execute("SELECT count(*) FROM patients").fetchone()[0]
    kinds, rules, states = (
        dict(connection.execute(f"SELECT {column}, count(*) FROM {table} GROUP BY {column}").fetchall())  # noqa: S608
        for column, table in (("kind", "identifiers"), ("rule", "identity_events"), ("state", "reviews"))
    )
    return count_rows(patients, kinds, rules, states)
