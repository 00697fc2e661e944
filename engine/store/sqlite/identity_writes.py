"""
The cross-reference in a transaction: events, waits and releases of many changes at once, then their fences.

Runs only where a change has to do with identities. Some ten statements a commit, whatever the number of changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.core.changes import Identify, Route, events_of
from engine.core.identities import IdentifierRow, IdentityEvent, PatientRow
from engine.core.lifecycle import MessageState
from engine.store import identity_rules as rules
from engine.store.identity_rows import pack_patient, pack_review, write_text, write_touched
from engine.store.sqlite.identity_fences import Fences, Result
from engine.store.sqlite.identity_parting import mark_parted
from engine.store.sqlite.identity_reads import (
    read_identifiers,
    read_patients,
    read_reviews,
    storable_value,
)
from engine.store.sqlite.statements import RowsStatement

if TYPE_CHECKING:
    from engine.store.sqlite.transaction import Transaction

_IDENTIFIERS: Final = RowsStatement(
    "INSERT OR REPLACE INTO identifiers(hash, kind, authority, value, patient, under) VALUES ", 6
)
_PATIENTS: Final = RowsStatement("INSERT OR REPLACE INTO patients(id, data) VALUES ", 2)
_TRAITS: Final = RowsStatement("INSERT OR IGNORE INTO identity_traits(traits, patient) VALUES ", 2)
_EVENTS: Final = RowsStatement(
    "INSERT INTO identity_events(id, rule, place, at_ms, who, reason, undoes, touched) VALUES ", 8
)
_TOUCHED: Final = RowsStatement("INSERT OR IGNORE INTO identity_touched(key, event) VALUES ", 2)
_REVIEWS: Final = RowsStatement(
    "INSERT INTO reviews(low, high, rule, sentence, place, at_ms, state) VALUES ",
    7,
    " ON CONFLICT(low, high) DO UPDATE SET rule = excluded.rule, sentence = excluded.sentence, place = excluded.place,"
    " at_ms = excluded.at_ms, state = excluded.state",
)
_WAITS: Final = RowsStatement("INSERT INTO identity_waits(hash, place, until_ms) VALUES ", 3)
_NEXT_PATIENT: Final = """
INSERT INTO run(key, value) VALUES ('next_patient', ?)
ON CONFLICT(key) DO UPDATE SET value = max(value, excluded.value)
"""
_NO_IDENTIFIERS: Final = "DELETE FROM identifiers WHERE hash IN (SELECT value FROM json_each(?))"
_NO_PATIENTS: Final = "DELETE FROM patients WHERE id IN (SELECT value FROM json_each(?))"
_NO_TRAITS: Final = (
    "DELETE FROM identity_traits WHERE (traits, patient) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
)
_NO_REVIEWS: Final = "DELETE FROM reviews WHERE (low, high) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
_NO_WAITS: Final = "DELETE FROM identity_waits WHERE place IN (SELECT value FROM json_each(?))"
_RELEASED: Final = """
SELECT json_group_array(json_array(w.hash, w.place, m.source))
FROM json_each(?) AS h CROSS JOIN identity_waits AS w ON w.hash = h.value CROSS JOIN messages AS m ON m.id = w.place
WHERE m.state = 5
"""
_RECEIVED_AGAIN: Final = """
UPDATE messages SET state = 0, code = '', field = '', reason = '' WHERE id IN (SELECT value FROM json_each(?))
"""


class IdentityWrites:
    """Applies the identity parts of changes whose messages and deliveries were collected."""

    def __init__(self, work: Transaction) -> None:
        self._work = work
        self._connection = work.connection

    def routes(self, changes: Sequence[Route]) -> None:
        """
        Apply those of routing decisions.

        Raises:
            ChangeRefused: One of them breaks a rule.
        """
        for change in changes:
            rules.check_identity(change)
        work = self._work
        work.begin()
        work.flush()
        results = [Result(change) for change in changes]
        self._events(results)
        self._waits(changes)
        Fences(self._work).keep(results)
        mark_parted(work, results)
        self._release(results)
        work.identified += results

    def act(self, change: Identify) -> None:
        """
        Apply an operator's act.

        Raises:
            ChangeRefused: Another event came in between.
        """
        rules.check_fences(change.fences)
        work = self._work
        work.flush()
        result = Result(change)
        self._events([result])
        if change.next_patient:
            self._connection.execute(_NEXT_PATIENT, (change.next_patient,))
        Fences(self._work).keep([result])
        mark_parted(work, [result])
        self._release([result])
        work.identified.append(result)

    # --- events ---

    def _events(self, results: list[Result]) -> None:
        events = [event for result in results for event in events_of(result.change)]
        if not events:
            return
        self._work.fault("identities")
        current = self._current(events)
        before = {key: current.patients.get(key) for event in events for key in event.patients}
        for event in events:
            current.apply(event, self._work.tally)
        self._write_identifiers({key for event in events for key in event.identifiers}, current)
        self._write_patients(before, current, rules.next_patient(events))
        self._write_reviews({key for event in events for key in event.reviews}, current)
        self._write_events(results)

    def _current(self, events: Iterable[IdentityEvent]) -> rules.Current:
        connection, names = self._connection, self._work.names
        identifiers = {key for event in events for key in event.identifiers}
        patients = {key for event in events for key in event.patients}
        reviews = {pair for event in events for pair in event.reviews}
        return rules.Current(
            read_identifiers(connection, identifiers, names) if identifiers else {},
            read_patients(connection, patients) if patients else {},
            read_reviews(connection, {key for pair in reviews for key in pair}) if reviews else {},
        )

    def _write_identifiers(self, touched: set[int], current: rules.Current) -> None:
        rows: dict[int, IdentifierRow] = current.identifiers
        values: list[Any] = []
        for row in (rows[key] for key in sorted(touched) if key in rows):
            values += (
                row.hash, int(row.kind), self._work.names.any(row.authority), storable_value(row.value), row.patient,
                row.under,
            )  # fmt: skip
        if values:
            self._work.fault("identifiers")
            _IDENTIFIERS.run(self._connection, values)
        self._delete(_NO_IDENTIFIERS, [key for key in touched if key not in rows])

    def _write_patients(self, before: dict[int, PatientRow | None], current: rules.Current, next_patient: int) -> None:
        values: list[Any] = []
        found: list[tuple[int, int]] = []
        lost: list[tuple[int, int]] = []
        for key, old in before.items():
            row = current.patients.get(key)
            if row is not None:
                values += (key, write_text(pack_patient(row)))
            traits, former = rules.traits_of(row), rules.traits_of(old)
            found += [(each, key) for each in traits - former]
            lost += [(each, key) for each in former - traits]
        if values:
            self._work.fault("patients")
            _PATIENTS.run(self._connection, values)
        if found:
            self._work.fault("identity_traits")
            _TRAITS.run(self._connection, _flat(sorted(found)))
        self._delete(_NO_TRAITS, lost)
        self._delete(_NO_PATIENTS, [key for key in before if key not in current.patients])
        if next_patient > 1:
            self._connection.execute(_NEXT_PATIENT, (next_patient,))

    def _write_reviews(self, touched: set[tuple[int, int]], current: rules.Current) -> None:
        values: list[Any] = []
        for row in (current.reviews[pair] for pair in sorted(touched) if pair in current.reviews):
            values += pack_review(row)
        if values:
            self._work.fault("reviews")
            _REVIEWS.run(self._connection, values)
        self._delete(_NO_REVIEWS, [pair for pair in touched if pair not in current.reviews])

    def _write_events(self, results: list[Result]) -> None:
        number = self._work.next_event
        values: list[Any] = []
        keys: list[tuple[int, int]] = []
        for result in results:
            for event in events_of(result.change):
                touched = bytearray(write_touched(event))
                values += (
                    number, event.rule, event.place, event.at_ms, event.who, event.reason, event.undoes, touched,
                )  # fmt: skip
                keys += ((key, number) for key in rules.keys_of(event))
                result.events.append(number)
                number += 1
        self._work.next_event = number
        self._work.fault("identity_events")
        _EVENTS.run(self._connection, values)
        if keys:
            self._work.fault("identity_touched")
            _TOUCHED.run(self._connection, _flat(sorted(keys)))

    def _delete(self, statement: str, keys: Sequence[Any]) -> None:
        if keys:
            self._work.fault("identities")
            self._connection.execute(statement, (json.dumps(keys),))

    # --- waits ---

    def _waits(self, changes: Sequence[Route]) -> None:
        ended = [change.place for change in changes if change.wait is None or change.expected is MessageState.WAITING]
        if self._waits_exist:
            self._delete(_NO_WAITS, ended)
        values: list[int] = []
        for change in changes:
            if change.wait is not None:
                for hash_ in dict.fromkeys(change.wait.hashes):
                    values += (hash_, change.place, change.wait.until_ms)
        if values:
            self._work.fault("identity_waits")
            self._work.waits_added = True
            _WAITS.run(self._connection, values)

    @property
    def _waits_exist(self) -> bool:
        return self._work.books.waits_kept or self._work.waits_added

    def forget_wait(self, place: int) -> None:
        """A message waits no more."""
        if self._waits_exist:
            self._delete(_NO_WAITS, [place])

    def _release(self, results: list[Result]) -> None:
        hashes = {hash_ for result in results for hash_ in result.change.releases}
        if not hashes or not self._waits_exist:
            return
        work, connection = self._work, self._connection
        work.fault("released")
        found = json.loads(connection.execute(_RELEASED, (json.dumps(list(hashes)),)).fetchone()[0])
        if not found:
            return
        sources = {place: source for _, place, source in found}
        released: set[int] = set()
        for result in results:
            theirs = {place for hash_, place, _ in found if hash_ in result.change.releases} - released
            result.released = sorted(theirs)
            released |= theirs
        for place in released:
            work.tally.message(work.names.show(sources[place]), "waiting", "received")
        places = json.dumps(sorted(released))
        connection.execute(_RECEIVED_AGAIN, (places,))
        connection.execute(_NO_WAITS, (places,))


def _flat(pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the values of rows in order of their key: what is written into one page is written at once."""
    return [number for pair in pairs for number in pair]
