"""What a start finds: how the last run ended, and what was leaving when it did."""

from __future__ import annotations

import json
from dataclasses import dataclass

from engine.core.messages import DeliveryFlag
from engine.core.ports import Recovery
from engine.store.names import Names
from engine.store.sqlite.directory import DataDirectory
from engine.store.sqlite.driver import Connection


@dataclass(slots=True)
class Found:
    """What `open` needs to know."""

    recovery: Recovery
    high_deliveries: dict[str, int]
    stopped_ms: int


def recover(connection: Connection, directory: DataDirectory, names: Names, now_ms: int) -> Found:
    """
    Read how the last run ended and mark that this one has begun.

    What may have been sent stays noted, in `run`, until a later attempt of it is settled: the slots are needed
    again by this run.

    Raises:
        StoreUnavailable: The directory's key is that of another database.
    """
    run = dict(connection.execute("SELECT key, value FROM run").fetchall())
    mark = directory.require_key(run.get("key"))
    perhaps = dict([*json.loads(run.get("maybe_sent", "[]")), *directory.sent_perhaps()])
    recovery = Recovery(clean=bool(run.get("clean", 1)))
    kept: list[tuple[int, int]] = []
    rows = connection.execute(
        "SELECT id, destination, attempts FROM deliveries WHERE state = 0 AND id IN (SELECT value FROM json_each(?))"
        " ORDER BY id",
        (json.dumps(list(perhaps)),),
    ).fetchall()
    for key, destination, attempts in rows:
        if attempts < perhaps[key]:
            recovery.maybe_sent.setdefault(names.show(destination), []).append(key)
            kept.append((key, perhaps[key]))
    connection.execute("BEGIN IMMEDIATE")
    # Also in the row: whoever reads the queue sees it.
    connection.execute(
        "UPDATE deliveries SET flags = flags | ?1 WHERE id IN (SELECT value FROM json_each(?2))",
        (int(DeliveryFlag.POSSIBLE_DUPLICATE), json.dumps([key for key, _ in kept])),
    )
    connection.execute(
        "INSERT OR REPLACE INTO run(key, value) VALUES ('clean', 0), ('started_ms', ?), ('maybe_sent', ?), ('key', ?)",
        (now_ms, json.dumps(kept), mark),
    )
    connection.execute("COMMIT")
    directory.clear_slots()
    highs = {}
    for (destination,) in connection.execute("SELECT DISTINCT destination FROM deliveries WHERE queued = 1").fetchall():
        query = "SELECT max(id) FROM deliveries INDEXED BY deliveries_queue WHERE queued = 1 AND destination = ?"
        highs[names.show(destination)] = connection.execute(query, (destination,)).fetchone()[0]
    return Found(recovery, highs, int(run.get("stopped_ms", 0)))
