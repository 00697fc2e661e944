"""
One transaction: many changes, one statement (store.sqlite.walk), or few where rare changes are among them.

First all together, by kind: what is received, then routing decisions, then outcomes, then rare changes, each kind in
the order of submission. Most changes depend only on what is on disk already, so that the order among kinds is free for
them. Two don't: a routing decision may build on identity events of decisions before it in the same commit
(core.changes.Route), so these keep their order; and what was rendered again may have been submitted before a decision
that is now written ahead of it, so it is refused where that one parts patients (rare, `_require_view`).

When the number of rows changed is not the expected one, or a row breaks a rule of the schema, everything is rolled back
and the changes are applied one by one in the order of submission, each in a savepoint: only the culprit fails.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any, Final

from engine.core.changes import Change, Receipt, Receive, Route, Settle
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, StoredMessage, place_of, show_delivery_id
from engine.errors import ChangeRefused, StoreError
from engine.store import rules
from engine.store.announcing import DONE
from engine.store.counting import COUNTED_KINDS, MESSAGE_STATE_NAMES, SINGLE_ENDINGS, Tally, ending_of
from engine.store.identity_rules import has_identity
from engine.store.sqlite import statements as sql
from engine.store.sqlite.attachments import insert_attachments
from engine.store.sqlite.books import Books
from engine.store.sqlite.driver import CULPRIT_ERRORS, Connection
from engine.store.sqlite.identity_fences import Result
from engine.store.sqlite.identity_writes import IdentityWrites
from engine.store.sqlite.joining import end, join
from engine.store.sqlite.texts import make_storable
from engine.store.sqlite.walk import (
    ATTEMPT,
    COUNTER,
    DELIVERY,
    KEYS,
    LANE,
    LARGE_BODY,
    LARGE_PAYLOAD,
    NAME,
    PAYLOAD,
    RECEIVED,
    ROUTED,
    SETTLED,
    CountDiffers,
    WalkRows,
)

PAYLOAD_INLINE_BYTES: Final = 1_000
"""Larger payloads have a row of their own: the delivery's row is rewritten at each outcome."""
KEYS_A_TRANSACTION: Final = 500
"""Search keys indexed by one transaction."""

_EXPECTED_OF_STATE: Final = {state.value: state.name.lower() for state in DeliveryState}


def lane_columns(lanes: tuple[int, ...]) -> tuple[int, str]:
    """Return the columns `lane` and `more_lanes`."""
    if not lanes:
        return 0, "[]"
    return lanes[0], "[]" if len(lanes) == 1 else json.dumps(lanes[1:])


class Transaction:
    """Applies changes on the writer's connection; keeps the differences until the commit."""

    def __init__(self, connection: Connection, books: Books, fault: Callable[[str], None]) -> None:
        self.connection = connection
        self.books = books
        self.names = books.names
        self.fault = fault
        self.tally = Tally()
        self.rows = WalkRows()
        self.begun = False
        self.next_place = books.next_place
        self.lanes_added = False
        self.entries: list[tuple[int, int]] = []
        """(message, hash) of search keys to index later."""
        self.indexed: list[tuple[int, int, int]] = []
        self.refused_sources: set[str] = set()
        self.next_event = books.next_event
        self.waits_added = False
        self.identified: list[Result] = []
        """What is written into changes once they are on disk."""

    # --- the whole ---

    def begin(self) -> None:
        """Begin, where more than one statement comes; without it the walk's statement is its own transaction."""
        if not self.begun:
            self.fault("begin")
            self.connection.execute("BEGIN IMMEDIATE")
            self.begun = True

    def flush(self) -> None:
        """
        Write the rows collected so far, before statements that look at them.

        Raises:
            CountDiffers: A row to change was not in the expected state.
        """
        if self.rows:
            self.fault("walk")
            self.begin()
            self.rows.write(self.connection)

    def commit(self) -> None:
        """Write what belongs to the transaction as a whole, then make it durable; then the books follow."""
        self._finish_keys()
        self._write_names_and_counters()
        if self.begun or not self.rows.fits_one_statement():
            self.flush()
            self.fault("commit")
            self.connection.execute("COMMIT")
        else:
            self.fault("walk")
            self.fault("commit")
            self.rows.write(self.connection)
        books = self.books
        books.fold(self.tally)
        books.next_place = self.next_place
        books.lanes_kept = books.lanes_kept or self.lanes_added
        books.next_event = self.next_event
        books.waits_kept = books.waits_kept or self.waits_added
        for result in self.identified:
            result.write()
        books.names.unsaved.clear()
        if self.entries:
            number = books.next_slice
            books.unindexed.extend([(number, message, hash_) for message, hash_ in self.entries])
            books.next_slice = number + 1
        for _ in self.indexed:
            books.unindexed.popleft()

    def index_keys(self) -> None:
        """Index some of the search keys that wait for it."""
        waiting = self.books.unindexed
        self.indexed = [waiting[index] for index in range(min(len(waiting), KEYS_A_TRANSACTION))]

    def _finish_keys(self) -> None:
        if self.entries:
            self.fault("key_slices")
            blob = struct.pack(f"<{2 * len(self.entries)}q", *(number for entry in self.entries for number in entry))
            self.rows.add(KEYS, self.books.next_slice, blob)
        if self.indexed:
            self.begin()
            self.flush()
            self.fault("message_keys")
            pairs = sorted((message >> 12, hash_, message) for _, message, hash_ in self.indexed)
            entries = json.dumps([(message, hash_) for _, hash_, message in pairs])
            self.connection.execute(sql.INDEX_KEYS, (entries,))
            waiting = self.books.unindexed
            taken = len(self.indexed)
            # A slice that is only partly indexed stays whole on disk: indexing twice changes nothing.
            first_kept = waiting[taken][0] if len(waiting) > taken else self.books.next_slice
            self.connection.execute("DELETE FROM key_slices WHERE id < ?", (first_kept,))

    def _write_names_and_counters(self) -> None:
        unsaved = self.names.unsaved
        if unsaved:
            self.fault("names")
            for id_, name in unsaved.items():
                self.rows.add(NAME, id_, name)
        if self.tally.changes:
            self.fault("counters")
            counters = self.books.counters
            for key, count in self.tally.changes.items():
                if count or key not in counters:
                    self.rows.add(COUNTER, *key, counters.get(key, 0) + count)

    # --- the three changes of the walk, each for many ---

    def receive(self, changes: list[Receive]) -> list[Receipt]:
        """Take custody of messages."""
        place = self.next_place
        receipts = []
        add, value, own, any_ = self.rows.add, self.rows.value, self.names.own, self.names.any
        self.fault("bodies")
        self.fault("messages")
        for change in changes:
            message = change.message
            message.place = place
            raw = message.raw
            add(
                RECEIVED, place, value(raw, LARGE_BODY, place), message.received_ms, own(message.source),
                own(message.group), any_(message.peer), message.name, any_(message.format), message.control_id,
                any_(message.type), any_(message.charset), message.digest, len(raw), own(message.site),
            )  # fmt: skip
            receipts.append(Receipt(place))
            if message.attachments:
                self._attach(place, message)
            self.tally.received(message.source)
            self.books.remember_origin(place, message.source)
            place += 1
        self.next_place = place
        return receipts

    def _attach(self, place: int, message: StoredMessage) -> None:
        self.begin()
        self.flush()
        self.fault("attachments")
        insert_attachments(self.connection, place, message.attachments)

    def route(self, changes: list[Route]) -> None:
        """Store routing decisions: the messages' states, their deliveries, their search keys."""
        deliveries: list[Delivery] = []
        add, own = self.rows.add, self.names.own
        self.fault("routed")
        for change in changes:
            rules.check_route(change)
            add(
                ROUTED, change.place, int(change.expected), int(change.state), own(change.site),
                self.names.any(change.type), self.names.any(change.code), change.field, change.reason,
                own(change.config), change.linked_to,
            )  # fmt: skip
            deliveries += change.deliveries
            after = ending_of(change.state, [(each.kind, each.state) for each in change.deliveries])
            self.tally.message(change.source, MESSAGE_STATE_NAMES[change.expected], after)
            place = change.place
            self.entries += [(place, hash_) for hash_ in change.keys]
        if deliveries:
            self.insert_deliveries(deliveries)
        identified = [change for change in changes if has_identity(change)]
        if identified:
            IdentityWrites(self).routes(identified)
        for change in changes:
            if change.joins:
                join(self, change)
            if change.ends:
                end(self, change)

    def insert_deliveries(self, deliveries: list[Delivery]) -> None:
        """Store new deliveries."""
        self.fault("deliveries")
        for each in deliveries:
            payload = each.payload if each.payload_kind else None
            if payload is not None and len(payload) > PAYLOAD_INLINE_BYTES:
                self.fault("payloads")
                self.rows.add(PAYLOAD, each.id, self.rows.value(payload, LARGE_PAYLOAD, each.id))
                payload = None
            self.rows.add(DELIVERY, *self._delivery_values(each, payload))
            if each.kind in COUNTED_KINDS:
                self.tally.delivery(each.destination, None, each.state)
        self.add_lanes(deliveries)

    def _delivery_values(self, each: Delivery, payload: bytes | None) -> tuple[Any, ...]:
        own, any_ = self.names.own, self.names.any
        first, more = lane_columns(each.lanes)
        return (
            each.id, own(each.destination), own(each.route), int(each.kind), first, more, any_(each.type),
            int(each.payload_kind), "" if payload is None else bytearray(payload), each.target, each.control_id,
            int(each.state), 1 if each.queued else 0, each.due_ms, any_(each.code), each.field, each.reason,
            int(each.flags), own(each.config), each.copies, each.replay_of,
        )  # fmt: skip

    def add_lanes(self, deliveries: list[Delivery]) -> None:
        """Write the second to last lane key of queued deliveries."""
        for each in deliveries:
            if each.queued and len(each.lanes) > 1:
                self.fault("lane_more")
                self.lanes_added = True
                destination = self.names.own(each.destination)
                for lane in each.lanes[1:]:
                    self.rows.add(LANE, destination, lane, each.id)

    def settle(self, changes: list[Settle]) -> None:
        """Store outcomes of attempts."""
        self._count_settled(changes)
        add, any_ = self.rows.add, self.names.any
        self.fault("settled")
        for change in changes:
            add(
                SETTLED, change.delivery, change.expected_attempt, int(change.state), 1 if change.queued else 0,
                change.spent, change.due_ms, change.begin_ms, change.end_ms, any_(change.code), change.field,
                change.reason, change.flags,
            )  # fmt: skip
            attempt = change.attempt
            if attempt is not None:
                self.fault("attempts")
                add(
                    ATTEMPT, change.delivery, attempt.number, attempt.begin_ms, attempt.end_ms, attempt.outcome,
                    attempt.code, attempt.answer[: rules.ANSWER_BYTES],
                )  # fmt: skip

    def remove_lanes(self, ids: list[int]) -> None:
        """Remove the lane keys of deliveries that no longer take a place."""
        if ids and (self.books.lanes_kept or self.lanes_added):
            self.flush()
            self.fault("lane_more")
            self.connection.execute(sql.UNQUEUED_LANES, (json.dumps(ids),))

    def _count_settled(self, changes: list[Settle]) -> None:
        final = [change for change in changes if change.state != DeliveryState.PENDING]
        if not final:
            return
        origins = self.books.origins
        unknown = [place_of(change.delivery) for change in final if place_of(change.delivery) not in origins]
        if unknown:
            self.books.find_origins(self.connection, unknown, sql.SOURCES)
        several: list[Settle] = []
        for change in final:
            if change.copies == 1:
                self.tally.delivery(change.destination, DeliveryState.PENDING, change.state)
                source = origins.get(place_of(change.delivery), "")
                self.tally.message(source, "waiting", SINGLE_ENDINGS[change.state])
            else:
                several.append(change)
        if several:
            self._count_among_siblings({change.delivery: change.state for change in several}, several)

    def _count_among_siblings(self, after: dict[int, int], changes: list[Settle]) -> None:
        places: dict[int, list[tuple[int, int, int]]] = {place_of(change.delivery): [] for change in changes}
        found = self.connection.execute(sql.SIBLINGS, (json.dumps(list(places)),)).fetchone()[0]
        kinds: dict[int, int] = {}
        for key, kind, state in json.loads(found):
            places[place_of(key)].append((key, kind, state))
            kinds[key] = kind
        for change in changes:
            if kinds.get(change.delivery) in COUNTED_KINDS:
                self.tally.delivery(change.destination, DeliveryState.PENDING, change.state)
        for place, rows in places.items():
            self.count_message(
                place,
                ending_of(MessageState.ROUTED, [(kind, state) for _, kind, state in rows]),
                ending_of(MessageState.ROUTED, [(kind, after.get(key, state)) for key, kind, state in rows]),
            )

    def count_message(self, place: int, before: str, after: str) -> None:
        """Move a message from an ending to another, in the counters of its source."""
        if before == after:
            return
        if place not in self.books.origins:
            self.books.find_origins(self.connection, [place], sql.SOURCES)
        self.tally.message(self.books.origins.get(place, ""), before, after)

    # --- one by one ---

    def why_not_routed(self, change: Route) -> ChangeRefused:
        """Say why a routing decision changed no row."""
        row = self.connection.execute("SELECT state FROM messages WHERE id = ?", (change.place,)).fetchone()
        if row is None:
            return rules.no_message(change.place)
        found = MESSAGE_STATE_NAMES[row[0]]
        return rules.other_state(f"message {change.place}", change.expected.name.lower(), found)

    def why_not_settled(self, change: Settle) -> ChangeRefused:
        """Say why an outcome changed no row."""
        query = "SELECT state, attempts FROM deliveries WHERE id = ?"
        row = self.connection.execute(query, (change.delivery,)).fetchone()
        if row is None:
            return rules.no_delivery(change.delivery)
        return rules.other_state(
            f"delivery {show_delivery_id(change.delivery)}",
            f"pending after {change.expected_attempt} attempts",
            f"{_EXPECTED_OF_STATE[row[0]]} after {row[1]}",
        )


def apply_together(work: Transaction, changes: list[Change], rare: Callable[[Change], Receipt]) -> list[Receipt]:
    """
    Apply all changes, grouped by kind.

    Raises:
        CountDiffers: One of them is wrong; roll back.
        ChangeRefused: The same, by a rule.
    """
    work.books.views.check(changes)
    receives = [change for change in changes if type(change) is Receive]
    routes = [change for change in changes if type(change) is Route]
    settles = [change for change in changes if type(change) is Settle]
    places = iter(work.receive(receives) if receives else ())
    if routes:
        work.route(routes)
    if settles:
        work.settle(settles)
    if len(receives) + len(routes) + len(settles) == len(changes):
        return [next(places) if type(change) is Receive else DONE for change in changes]
    work.begin()
    work.flush()
    receipts = []
    for change in changes:
        kind = type(change)
        if kind is Receive:
            receipts.append(next(places))
        elif kind is Route or kind is Settle:
            receipts.append(DONE)
        else:
            receipts.append(rare(change))
    return receipts


def apply_one(work: Transaction, change: Change, rare: Callable[[Change], Receipt]) -> Receipt | StoreError:
    """Apply one change in a savepoint; a refusal takes only it back."""
    work.begin()
    connection = work.connection
    tally, work.tally = work.tally, Tally()
    kept = (work.next_place, len(work.entries), work.next_event, len(work.identified))
    connection.execute("SAVEPOINT one")
    try:
        receipt = _apply_alone(work, change, rare)
    except (ChangeRefused, *CULPRIT_ERRORS) as error:
        work.books.views.refused(change)
        work.rows.drop()
        connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")
        work.tally = tally
        work.next_place = kept[0]
        del work.entries[kept[1] :]
        work.next_event = kept[2]
        del work.identified[kept[3] :]
        if isinstance(error, ChangeRefused):
            return error
        # The library's sentence names columns, never values.
        return ChangeRefused(f"this {type(change).__name__} can't be stored: {type(error).__name__}")
    connection.execute("RELEASE one")
    for key, count in work.tally.changes.items():
        tally.add(key, count)
    work.tally = tally
    return receipt


def _apply_alone(work: Transaction, change: Change, rare: Callable[[Change], Receipt]) -> Receipt:
    try:
        work.books.views.check((change,))
        receipt = DONE
        if isinstance(change, Receive):
            make_storable(change.message)
            receipt = work.receive([change])[0]
        elif isinstance(change, Route):
            work.route([change])
        elif isinstance(change, Settle):
            work.settle([change])
        else:
            receipt = rare(change)
        work.flush()
    except CountDiffers:
        refusal = work.why_not_routed if isinstance(change, Route) else work.why_not_settled
        raise refusal(change) from None  # type: ignore[arg-type]
    return receipt
