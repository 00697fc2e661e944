"""From a row of `deliveries` to a Delivery: one order of columns for all reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryKind, PayloadKind
from engine.store.names import Names

DELIVERY_COLUMNS: Final = (
    "id", "destination", "route", "kind", "lane", "more_lanes", "type", "payload_kind", "target", "control_id",
    "state", "queued", "attempts", "spent", "due_ms", "code", "field", "reason", "flags", "config", "copies",
    "replay_of",
)  # fmt: skip

# Looked up rather than called: an enum's constructor costs more than the rest of a row.
_KINDS: Final = {kind.value: kind for kind in DeliveryKind}
_PAYLOADS: Final = {kind.value: kind for kind in PayloadKind}
_STATES: Final = {state.value: state for state in DeliveryState}


def read_delivery(row: Sequence[Any], names: Names) -> Delivery:
    """Build a Delivery, without its payload, from the columns above."""
    (
        key, destination, route, kind, lane, more, type_, payload_kind, target, control_id, state, queued, attempts,
        spent, due_ms, code, field, reason, flags, config, copies, replay_of,
    ) = row  # fmt: skip
    show = names.show
    return Delivery(
        key,
        show(destination),
        show(route),
        read_lanes(lane, more),
        _KINDS[kind],
        show(type_),
        _PAYLOADS[payload_kind],
        None,
        None,
        target,
        control_id,
        _STATES[state],
        queued == 1,
        attempts,
        spent,
        due_ms,
        show(code),
        field,
        reason,
        flags,
        show(config),
        copies,
        replay_of,
    )


def read_lanes(lane: int, more: str) -> tuple[int, ...]:
    """Return the lane keys of a row."""
    if not lane:
        return ()
    return (lane,) if more == "[]" else (lane, *json.loads(more))
