"""Fragments that become one message, or die together, in the transaction of one decision."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from engine.core.changes import Route
from engine.core.lifecycle import JOINED, MessageState
from engine.store import rules
from engine.store.counting import MESSAGE_STATE_NAMES
from engine.store.sqlite.walk import LARGE_BODY

if TYPE_CHECKING:
    from engine.store.sqlite.transaction import Transaction

_STATES: Final = """
SELECT json_group_array(json_array(m.id, m.state, m.source))
FROM json_each(?) AS p CROSS JOIN messages AS m ON m.id = p.value
"""
_JOINED: Final = """
UPDATE messages SET state = 9, code = ?2, field = '', reason = ?3, config = ?4, linked_to = ?5
WHERE id IN (SELECT value FROM json_each(?1))
"""
_ENDED: Final = """
UPDATE messages SET state = 6, code = ?2, field = ?3, reason = ?4, config = ?5, linked_to = 0
WHERE id IN (SELECT value FROM json_each(?1))
"""
_NO_WAITS: Final = "DELETE FROM identity_waits WHERE place IN (SELECT value FROM json_each(?))"
_CAME: Final = """
INSERT INTO fragments(message, joins, raw) SELECT message, ?2, raw FROM bodies WHERE message = ?1
ON CONFLICT(message) DO UPDATE SET joins = excluded.joins
"""


def join(work: Transaction, change: Route) -> None:
    """
    Join fragments to the message of a routing decision, whose row is among those collected.

    Raises:
        ChangeRefused: One of them waits no more, or there is none.
        CountDiffers: The message itself isn't as expected.
    """
    connection, names = work.connection, work.names
    places = _move(work, change.joins, MessageState.JOINED, rules.check_joined)
    code, config = names.any(JOINED), names.own(change.config)
    connection.execute(_JOINED, (places, code, rules.joined_reason(change), config, change.place))
    connection.execute(_NO_WAITS, (places,))
    connection.execute(_CAME, (change.place, json.dumps(sorted(change.joins))))
    connection.execute("UPDATE messages SET size = ? WHERE id = ?", (len(change.whole), change.place))
    try:
        connection.execute(LARGE_BODY, (change.place, change.whole, 1))
    finally:
        connection.execute(LARGE_BODY, (0, bytearray(), 0))  # changes no row: lets go of the bytes


def end(work: Transaction, change: Route) -> None:
    """
    Make dead letters of fragments with the message of a routing decision, or in its place; its row is collected.

    Raises:
        ChangeRefused: One of them doesn't wait, or there is none.
        CountDiffers: The message itself isn't as expected.
    """
    names = work.names
    places = _move(work, change.ends, MessageState.DEAD, rules.check_ended)
    values = (places, names.any(rules.ended_code(change)), change.field, change.reason, names.own(change.config))
    work.connection.execute(_ENDED, values)
    work.connection.execute(_NO_WAITS, (places,))


def _move(
    work: Transaction, fragments: Sequence[int], to: MessageState, check: Callable[[int, MessageState | None], None]
) -> str:
    """Check and count fragments that get another state; return their places as JSON."""
    work.begin()
    work.flush()
    work.fault("fragments")
    places = json.dumps(fragments)
    found = {place: (state, source) for place, state, source in json.loads(_one(work, _STATES, places))}
    for place in fragments:
        state, source = found.get(place, (None, 0))
        check(place, None if state is None else MessageState(state))
        work.tally.message(work.names.show(source), MESSAGE_STATE_NAMES[state], to.name.lower())
    return places


def _one(work: Transaction, query: str, parameter: str) -> str:
    return str(work.connection.execute(query, (parameter,)).fetchone()[0])
