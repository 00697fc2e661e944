"""
Marking what was made while patients were one who are parted, in the transaction that parts them (DeliveryFlag.PARTED).

A delivery is found by the search keys of its message: the numbers with which it came and those with which it leaves.
Looked through are the runs of keys from the first message of which something is unfinished; parting is rare, and most
of these runs are in memory.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from engine.core.changes import Route, events_of
from engine.core.messages import KEY_BUCKET_BITS, ORDINAL_BITS, DeliveryFlag, DeliveryKind
from engine.core.parting import parted_by
from engine.store import identity_rules as rules

if TYPE_CHECKING:
    from engine.store.sqlite.identity_fences import Result
    from engine.store.sqlite.transaction import Transaction

_BUCKETS_AT_ONCE: Final = 256
_PLACES_AT_ONCE: Final = 1_000
_MARK: Final = int(DeliveryFlag.PARTED)
_STATES: Final = ", ".join(str(int(state)) for state in sorted(rules.MARKED))
_FIRST_QUEUED: Final = "SELECT min(id) FROM deliveries INDEXED BY deliveries_queue WHERE queued = 1 AND destination = ?"
_FIRST_DEAD: Final = "SELECT min(id) FROM deliveries INDEXED BY deliveries_dead WHERE state = 2 AND destination = ?"
_PLACES: Final = """
SELECT json_group_array(message) FROM message_keys
WHERE bucket IN (SELECT value FROM json_each(?)) AND hash IN (SELECT value FROM json_each(?))
"""
_UNFINISHED: Final = f"""
SELECT json_group_array(json_array(d.id, d.destination)) FROM json_each(?) AS p CROSS JOIN deliveries AS d
ON d.id >= p.value << {ORDINAL_BITS} AND d.id < (p.value + 1) << {ORDINAL_BITS}
WHERE d.kind = {int(DeliveryKind.BYTES)} AND d.state IN ({_STATES})
"""  # noqa: S608 (our own constants)
_MARKED: Final = f"UPDATE deliveries SET flags = flags | {_MARK} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608


def mark_parted(work: Transaction, results: Iterable[Result]) -> None:
    """Mark the deliveries of whom the events of some changes part, whose rows are written."""
    for result in results:
        keys = parted_by(events_of(result.change))
        if not keys:
            continue
        work.fault("parted")
        work.flush()
        places = _places(work, keys)
        if isinstance(result.change, Route):
            places.discard(result.change.place)  # it was made of what is known behind its own decision
        result.parted = _mark(work, sorted(places))


def _places(work: Transaction, keys: set[int]) -> set[int]:
    """Return the messages that hold one of the keys, from the first one of which something is unfinished."""
    first = _first(work)
    if first is None:
        return set()
    found = {place for place, hash_ in work.entries if hash_ in keys}
    connection = work.connection
    for (entries,) in connection.execute("SELECT entries FROM key_slices").fetchall():
        found.update(place for place, hash_ in struct.iter_unpack("<qq", entries) if hash_ in keys)
    wanted = json.dumps(list(keys))
    last = work.next_place >> KEY_BUCKET_BITS
    for bucket in range(first >> KEY_BUCKET_BITS, last + 1, _BUCKETS_AT_ONCE):
        buckets = json.dumps(list(range(bucket, min(last + 1, bucket + _BUCKETS_AT_ONCE))))
        found.update(json.loads(connection.execute(_PLACES, (buckets, wanted)).fetchone()[0]))
    return {place for place in found if place >= first}


def _first(work: Transaction) -> int | None:
    """Return the first message of which a delivery waits or is dead; None: there is none."""
    counted = (*work.books.counters, *work.tally.changes)
    names = dict.fromkeys(name for kind, name, _ in counted if kind == "delivery")
    firsts = [
        row[0] >> ORDINAL_BITS
        for name in names
        for query in (_FIRST_QUEUED, _FIRST_DEAD)
        if (row := work.connection.execute(query, (work.names.own(name),)).fetchone())[0] is not None
    ]
    return min(firsts, default=None)


def _mark(work: Transaction, places: list[int]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Mark the unfinished deliveries of some messages; return them by destination."""
    marked: dict[Any, list[int]] = {}
    for start in range(0, len(places), _PLACES_AT_ONCE):
        some = json.dumps(places[start : start + _PLACES_AT_ONCE])
        rows = json.loads(work.connection.execute(_UNFINISHED, (some,)).fetchone()[0])
        if rows:
            work.connection.execute(_MARKED, (json.dumps([key for key, _ in rows]),))
        for key, destination in rows:
            marked.setdefault(destination, []).append(key)
    return tuple((work.names.show(one), tuple(keys)) for one, keys in marked.items())
