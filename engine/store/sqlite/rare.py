"""The changes that are no part of the walk: applied one by one, each with its own statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from engine.core.changes import (
    Audit,
    Change,
    Configure,
    Fulfil,
    Identify,
    Intend,
    Moments,
    Note,
    Receipt,
    Refuse,
    Remake,
    Reopen,
    Requeue,
    SetHold,
    Treat,
)
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import WHOLE, Delivery, PayloadKind, place_of
from engine.errors import ChangeRefused
from engine.store import rules
from engine.store.announcing import DONE
from engine.store.counting import COUNTED_KINDS, MESSAGE_STATE_NAMES, ending_of
from engine.store.sqlite import statements as sql
from engine.store.sqlite.configuring import Configuring
from engine.store.sqlite.delivery_rows import DELIVERY_COLUMNS, read_delivery
from engine.store.sqlite.identity_writes import IdentityWrites
from engine.store.sqlite.transaction import PAYLOAD_INLINE_BYTES, Transaction, lane_columns

_DELIVERY: Final = f"SELECT {', '.join(DELIVERY_COLUMNS)} FROM deliveries WHERE id = ?"  # noqa: S608 (our own columns)
_REFUSALS_TRIM: Final = """
DELETE FROM refusals WHERE source = ?1
AND id <= (SELECT id FROM refusals WHERE source = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
"""


class RareChanges:
    """Applies them in a transaction."""

    def __init__(self, work: Transaction) -> None:
        self._work = work
        self._connection = work.connection
        self._appliers: dict[type[Any], Callable[[Any], Receipt]] = {
            Refuse: self._refuse,
            Requeue: self._requeue,
            Remake: self._remake,
            Treat: self._treat,
            Reopen: self._reopen,
            SetHold: self._set_hold,
            Intend: self._intend,
            Fulfil: self._fulfil,
            Audit: self._audit,
            Note: self._note,
            Moments: self._moments,
            Configure: Configuring(work).apply,
            Identify: self._identify,
        }

    def apply(self, change: Change) -> Receipt:
        """
        Apply one change.

        Raises:
            ChangeRefused: It breaks a rule.
        """
        self._work.fault(type(change).__name__.lower())
        return self._appliers[type(change)](change)

    def _refuse(self, change: Refuse) -> Receipt:
        one = change.refusal
        raw = bytes(one.raw[: rules.REFUSAL_BYTES])
        values = [one.source, one.peer, one.at_ms, one.code, one.reason, one.size, raw]
        sql.REFUSALS.run(self._connection, values)
        self._work.tally.refused(one.source, one.code)
        # Trimmed once a transaction and source; a crowd of refusals costs one insert each.
        if one.source not in self._work.refused_sources:
            self._work.refused_sources.add(one.source)
            self._connection.execute(_REFUSALS_TRIM, (one.source, rules.REFUSALS_KEPT - 1))
        return DONE

    def _delivery(self, key: int) -> Delivery:
        row = self._connection.execute(_DELIVERY, (key,)).fetchone()
        if row is None:
            raise rules.no_delivery(key)
        return read_delivery(row, self._work.names)

    def _requeue(self, change: Requeue) -> Receipt:
        given = change.delivery
        old = self._delivery(given.id)
        rules.check_requeue(change, old)
        rules.keep_doubt(given, old)
        if change.rendered_again:
            self._require_view()
            self._write_rendered(given)
            self._add_keys(given.place, change.keys)
            given.destination = old.destination
        elif old.payload_kind in WHOLE:
            self._require_payload(given.id)
        source = given if change.rendered_again else old
        if source.payload_kind not in WHOLE:
            self._require_body(given.place)
        source.state, source.queued, source.spent = DeliveryState.PENDING, True, 0
        source.attempts, source.copies, source.replay_of = old.attempts, old.copies, old.replay_of
        self._connection.execute(
            "UPDATE deliveries SET state = 0, queued = 1, spent = 0, due_ms = ?2, code = '', field = '',"
            " reason = '' WHERE id = ?1",
            (given.id, given.due_ms),
        )
        rules.fill_requeued(given, source)
        self._work.add_lanes([given])
        self._count(given, DeliveryState.DEAD, DeliveryState.PENDING)
        return DONE

    def _remake(self, change: Remake) -> Receipt:
        given = change.delivery
        old = self._delivery(given.id)
        rules.check_remake(change, old)
        self._require_view()
        rules.fill_remade(given, old, rendered_again=change.rendered_again)
        if change.rendered_again:
            if given.payload_kind not in WHOLE:
                self._require_body(given.place)
            self._write_rendered(given)
        else:
            self._work.remove_lanes([given.id])
            first, more = lane_columns(given.lanes)
            query = "UPDATE deliveries SET lane = ?2, more_lanes = ?3, flags = ?4 WHERE id = ?1"
            self._connection.execute(query, (given.id, first, more, int(given.flags)))
        self._connection.execute(
            "UPDATE deliveries SET state = ?2, due_ms = ?3, code = ?4, field = ?5, reason = ?6 WHERE id = ?1",
            (given.id, int(given.state), given.due_ms, self._work.names.any(given.code), given.field, given.reason),
        )
        self._work.add_lanes([given])
        self._add_keys(given.place, change.keys)
        if given.state != DeliveryState.PENDING:
            self._count(given, DeliveryState.PENDING, given.state)
        return DONE

    def _require_view(self) -> None:
        """
        Check that what was rendered again knows of all that parts patients in this transaction.

        Routing decisions are written before rare changes: one that was submitted later may have been before this one.
        """
        if any(result.parted for result in self._work.identified):
            raise ChangeRefused("patients were parted in the same moment: its route must run again")

    def _add_keys(self, place: int, keys: Iterable[int]) -> None:
        self._work.entries += [(place, hash_) for hash_ in keys]

    def _write_rendered(self, given: Delivery) -> None:
        own, any_ = self._work.names.own, self._work.names.any
        self._work.remove_lanes([given.id])
        payload = given.payload if given.payload_kind != PayloadKind.RAW else None
        self._connection.execute("DELETE FROM payloads WHERE delivery = ?", (given.id,))
        if payload is not None and len(payload) > PAYLOAD_INLINE_BYTES:
            sql.PAYLOADS.run(self._connection, [given.id, payload])
            payload = None
        first, more = lane_columns(given.lanes)
        self._connection.execute(
            "UPDATE deliveries SET route = ?2, kind = ?3, lane = ?4, more_lanes = ?5, type = ?6, payload_kind = ?7,"
            " payload = ?8, target = ?9, control_id = ?10, flags = ?11, config = ?12 WHERE id = ?1",
            (
                given.id, own(given.route), given.kind, first,
                more, any_(given.type), given.payload_kind, "" if payload is None else payload,
                given.target, given.control_id, given.flags, own(given.config),
            ),
        )  # fmt: skip

    def _require_body(self, place: int) -> None:
        if self._connection.execute("SELECT 1 FROM bodies WHERE message = ?", (place,)).fetchone() is None:
            raise rules.bytes_removed(place)

    def _require_payload(self, key: int) -> None:
        query = (
            "SELECT 1 FROM deliveries WHERE id = ?1 AND typeof(payload) = 'blob'"
            " UNION SELECT 1 FROM payloads WHERE delivery = ?1"
        )
        if self._connection.execute(query, (key,)).fetchone() is None:
            raise rules.bytes_removed(place_of(key))

    def _count(self, delivery: Delivery, before: DeliveryState, after: DeliveryState) -> None:
        """Count one delivery's change; the row already holds the new state."""
        if delivery.kind not in COUNTED_KINDS:
            return
        self._work.tally.delivery(delivery.destination, before, after)
        found = self._connection.execute(sql.SIBLINGS, (json.dumps([place_of(delivery.id)]),)).fetchone()[0]
        rows = json.loads(found)
        self._work.count_message(
            place_of(delivery.id),
            ending_of(MessageState.ROUTED, [(k, before if key == delivery.id else s) for key, k, s in rows]),
            ending_of(MessageState.ROUTED, [(k, s) for _, k, s in rows]),
        )

    def _treat(self, change: Treat) -> Receipt:
        old = self._delivery(change.delivery)
        rules.check_treat(change, old.state)
        queued = change.queued and change.state == DeliveryState.DEAD
        if old.queued and not queued:
            self._work.remove_lanes([old.id])
        self._connection.execute(
            "UPDATE deliveries SET state = ?2, queued = ?3 WHERE id = ?1", (old.id, change.state, queued)
        )
        if queued and not old.queued:
            old.queued = True
            self._work.add_lanes([old])
        self._count(old, change.expected, change.state)
        return DONE

    def _reopen(self, change: Reopen) -> Receipt:
        row = self._connection.execute("SELECT state FROM messages WHERE id = ?", (change.place,)).fetchone()
        if row is None:
            raise rules.no_message(change.place)
        rules.check_reopen(change, MessageState(row[0]))
        clean = ""
        if change.state == MessageState.RECEIVED:
            self._require_body(change.place)
            clean = ", code = '', field = '', reason = ''"
        query = f"UPDATE messages SET state = ?2{clean} WHERE id = ?1"  # noqa: S608 (one of two constants)
        self._connection.execute(query, (change.place, change.state))
        if change.expected == MessageState.WAITING:
            IdentityWrites(self._work).forget_wait(change.place)
        self._work.count_message(change.place, MESSAGE_STATE_NAMES[change.expected], MESSAGE_STATE_NAMES[change.state])
        return DONE

    def _set_hold(self, change: SetHold) -> Receipt:
        hold = change.hold
        if hold.until_ms < 0:
            self._connection.execute("DELETE FROM holds WHERE kind = ? AND name = ?", (hold.kind, hold.name))
        else:
            self._connection.execute(
                "INSERT OR REPLACE INTO holds(kind, name, until_ms, who, reason, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
                (hold.kind, hold.name, hold.until_ms, hold.who, hold.reason, hold.at_ms),
            )
        return DONE

    def _intend(self, change: Intend) -> Receipt:
        one = change.intention
        cursor = self._connection.execute(
            "INSERT INTO intentions(stage, verb, arguments, who, reason, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
            (one.stage, one.verb, json.dumps(one.arguments), one.who, one.reason, one.at_ms),
        )
        one.id = cursor.lastrowid
        return Receipt(one.id)

    def _fulfil(self, change: Fulfil) -> Receipt:
        changed = self._connection.execute(
            "UPDATE intentions SET accepted = ?2, outcome = ?3 WHERE id = ?1 AND accepted IS NULL",
            (change.intention, change.accepted, change.outcome),
        ).rowcount
        if changed != 1:
            raise ChangeRefused(f"intention {change.intention} doesn't wait")
        for part in change.changes:
            self._appliers[type(part)](part)
        return DONE

    def _identify(self, change: Identify) -> Receipt:
        IdentityWrites(self._work).act(change)
        return DONE

    def _audit(self, change: Audit) -> Receipt:
        sql.ACTIONS.run(self._connection, [change.at_ms, change.who, change.verb, change.subject, change.reason])
        return DONE

    def _note(self, change: Note) -> Receipt:
        for key, count in change.counts.items():
            self._work.tally.add(key, count)
        return DONE

    def _moments(self, change: Moments) -> Receipt:
        rows = [[f"at:{what}:{name}", at_ms] for (what, name), at_ms in change.at_ms.items()]
        query = "INSERT OR REPLACE INTO run(key, value) SELECT value ->> 0, value ->> 1 FROM json_each(?)"
        self._connection.execute(query, (json.dumps(rows),))
        return DONE
