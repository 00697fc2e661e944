"""What waits and was made before an act parts two patients: it is made anew before it leaves, unless it leaves now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.core.identities import IdentifierKind
from engine.core.lifecycle import DeliveryState
from engine.operations.identities.knowing import identifiers_of
from engine.operations.rows import delivery_row, read_delivery

if TYPE_CHECKING:
    from engine.core.identities import IdentityEvent
    from engine.operations.desk import Desk

_PAGE_MAX: Final = 1_000
_PATIENTS_MAX: Final = 20
_NUMBERS: Final = (IdentifierKind.LOCAL, IdentifierKind.ALIAS)


async def names_both(desk: Desk, event: IdentityEvent) -> list[dict[str, Any]]:
    """
    Find the deliveries that wait and name a hospital's number together with the patient whom the act takes it from.

    The router makes them anew (flow.parting). A link takes numbers from a patient who ends in the other: what waits
    under his number is right after it too, so of a link there are none.

    Args:
        desk: Where.
        event: What the act would do.

    Returns:
        `destination`; `ids` of the deliveries, in order, of the newest thousand that carried a number; `in_flight`:
        those of them whose answer is awaited: if they arrive, they left as they were made.
    """
    moved: dict[int, list[int]] = {}
    for key, (before, after) in event.identifiers.items():
        if before is not None and before.kind in _NUMBERS and (after is None or before.patient != after.patient):
            moved.setdefault(before.patient, []).append(key)
    sent = desk.store.sent()
    found: dict[str, dict[str, Any]] = {}
    for patient, keys in sorted(moved.items())[:_PATIENTS_MAX]:
        for row in await _waiting(desk, patient, keys, event):
            name, shown = str(row["destination"]), str(row["id"])
            one = found.setdefault(name, {"destination": name, "ids": [], "in_flight": []})
            one["ids"].append(shown)
            if sent.get(read_delivery(shown), 0) > int(row.get("attempts") or 0):
                one["in_flight"].append(shown)
    return list(found.values())


async def _waiting(desk: Desk, patient: int, keys: list[int], event: IdentityEvent) -> list[dict[str, Any]]:
    """Return the deliveries that wait and carry one of the numbers and that of the group of whom they leave."""
    before, after = event.patients.get(patient, (None, None))
    if before is not None and after is None and any(event.identifiers[key][1] is not None for key in keys):
        return []  # he ends in the other: both numbers of the group lead to one person from then on
    living = (await desk.store.identities((), (patient,))).patients.get(patient)
    if living is None:
        return []
    rows = await identifiers_of(desk, living.identifiers)
    own = [row.hash for row in rows if row.kind is IdentifierKind.FEDERATION and row.value == living.number]
    with_his = {int(one["delivery"]) for one in await desk.queries.carriers(own, limit=_PAGE_MAX)} if own else set()
    carriers = await desk.queries.carriers(keys, limit=_PAGE_MAX)
    chosen = [one for one in carriers if int(one["delivery"]) in with_his]
    pending = DeliveryState.PENDING.name.lower()
    return [row for one in reversed(chosen) if (row := delivery_row(one))["state"] == pending]
