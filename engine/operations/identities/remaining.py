"""What waits and was made before an act parts two patients: it is made anew before it leaves, unless it leaves now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.core.identities import IdentifierKind
from engine.core.lifecycle import DeliveryState
from engine.identity.former import NUMBERS
from engine.operations.identities.knowing import decided, identifiers_of, require_identity, require_references
from engine.operations.rows import delivery_row

if TYPE_CHECKING:
    from engine.core.identities import IdentifierRow, IdentityEvent
    from engine.identity.crossreference import Known
    from engine.operations.desk import Desk

_PAGE_MAX: Final = 1_000
_PAGES_MAX: Final = 10
_PATIENTS_MAX: Final = 20
_READ_MAX: Final = 200
"""Deliveries whose messages are read: those without any number of a hospital."""


class _Found(NamedTuple):
    """Deliveries, newest first, by their ids; and whether there may be more."""

    rows: dict[int, dict[str, Any]]
    more: bool


async def names_both(desk: Desk, event: IdentityEvent) -> list[dict[str, Any]]:
    """
    Find the deliveries that wait and name a hospital's number together with the patient whom the act takes it from.

    The router makes them anew (flow.parting). What names a stay alone is read: whose it is, only the message says. A
    link takes numbers from a patient who ends in the other: what waits under his number is right after it too, so of a
    link there are none.

    Args:
        desk: Where.
        event: What the act would do.

    Returns:
        `destination`; `ids` of the deliveries, in order, of the newest ten thousand that carried a number; `more`:
        there may be others; `in_flight`: those of them whose answer is awaited: if they arrive, they left as they were
        made.
    """
    moved: dict[int, list[int]] = {}
    for key, (before, after) in event.identifiers.items():
        if before is not None and before.kind in NUMBERS and (after is None or before.patient != after.patient):
            moved.setdefault(before.patient, []).append(key)
    sent = desk.store.sent()
    found: dict[str, dict[str, Any]] = {}
    more = len(moved) > _PATIENTS_MAX
    for patient, keys in sorted(moved.items())[:_PATIENTS_MAX]:
        waiting = await _waiting(desk, patient, keys, event)
        more = more or waiting.more
        for id_, row in sorted(waiting.rows.items()):
            name, shown = str(row["destination"]), str(row["id"])
            one = found.setdefault(name, {"destination": name, "ids": [], "in_flight": [], "more": False})
            one["ids"].append(shown)
            if sent.get(id_, 0) > int(row.get("attempts") or 0):
                one["in_flight"].append(shown)
    return [one | {"more": more} for one in found.values()]


async def _waiting(desk: Desk, patient: int, keys: list[int], event: IdentityEvent) -> _Found:
    """Return the deliveries that wait and carry one of the numbers and that of the group of whom they leave."""
    before, after = event.patients.get(patient, (None, None))
    if before is not None and after is None and any(event.identifiers[key][1] is not None for key in keys):
        return _Found({}, False)  # he ends in the other: both numbers of the group lead to one person from then on
    living = (await desk.store.identities((), (patient,))).patients.get(patient)
    if living is None:
        return _Found({}, False)
    rows = await identifiers_of(desk, living.identifiers)
    his = await _carry(desk, [row.hash for row in rows if _is_todays(row, living.number)])
    theirs = await _carry(desk, keys)
    others = await _carry(desk, [row.hash for row in rows if row.kind in NUMBERS and row.hash not in keys])
    chosen = {id_: row for id_, row in theirs.rows.items() if id_ in his.rows}
    alone = [id_ for id_ in sorted(his.rows) if id_ not in theirs.rows and id_ not in others.rows]
    for id_ in alone[:_READ_MAX]:
        if not await _may_leave(desk, id_, event):
            chosen[id_] = his.rows[id_]
    return _Found(chosen, his.more or theirs.more or len(alone) > _READ_MAX)


def _is_todays(row: IdentifierRow, number: str) -> bool:
    return row.kind is IdentifierKind.FEDERATION and row.value == number


async def _carry(desk: Desk, keys: list[int]) -> _Found:
    """Return the deliveries that wait and carry one of some identifiers: a thousand at a time, as far as that goes."""
    found: dict[int, dict[str, Any]] = {}
    before, pending = 0, DeliveryState.PENDING.name.lower()
    for _ in range(_PAGES_MAX if keys else 0):
        page = await desk.queries.carriers(keys, before=before, limit=_PAGE_MAX)
        found |= {int(one["delivery"]): row for one in page if (row := delivery_row(one))["state"] == pending}
        if len(page) < _PAGE_MAX:
            return _Found(found, False)
        before = int(page[-1]["delivery"])
    return _Found(found, bool(keys))


async def _may_leave(desk: Desk, id_: int, event: IdentityEvent) -> bool:
    """Tell whether a delivery may leave as it was made, if an event came to be: as the router will (routes.parting)."""
    from engine.routes.identifying import Knowledge  # late: it brings the configuration's rooms along
    from engine.routes.parting import stands

    configuration, _ = require_identity(desk)
    references = require_references(desk)
    row, data = await desk.store.delivery(id_), (await desk.store.payloads([id_], 1)).get(id_)
    stored = None if row is None else await desk.store.message(row.place)
    if row is None or stored is None or data is None:
        return True  # it has ended meanwhile

    def may(view: Known) -> bool:
        view.apply(event)
        return stands(configuration, stored, row, data, references, Knowledge(view, lambda: 0))

    return await decided(desk, may)
