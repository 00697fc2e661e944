"""
What the engine and its writer process say to each other: frames of a length and marshalled values.

The three changes of every message's walk go as plain tuples, which cost a twentieth of what pickling them
would; all others are rare, and are pickled. Both ends are one version of one program on one machine, started one
by the other: the format needs no version and nobody else can write to it.
"""

from __future__ import annotations

import marshal
import pickle
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from engine.core.changes import (
    Change,
    Fulfil,
    Identify,
    Intend,
    Receipt,
    Receive,
    Remake,
    Requeue,
    Route,
    Settle,
    events_of,
)
from engine.core.identities import Wait
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, DeliveryKind, PayloadKind, StoredMessage
from engine.errors import ChangeRefused, StoreBroken, StoreError, StoreUnavailable
from engine.store import rules
from engine.store.announcing import DONE
from engine.store.identity_rows import pack_event, unpack_event
from engine.store.identity_rules import has_identity
from engine.store.sqlite.report import Report
from engine.store.sqlite.texts import is_storable, make_storable

LENGTH_BYTES: Final = 8

_FILLED: Final = frozenset({Intend, Requeue, Remake, Fulfil})
_RECEIVE, _ROUTE, _SETTLE, _OTHER = range(4)

_message_values: Final = attrgetter(
    "source", "group", "raw", "received_ms", "peer", "name", "format", "control_id", "type", "charset", "digest", "site"
)
_route_values: Final = attrgetter(
    "place", "group", "source", "expected._value_", "state._value_", "site", "type", "code", "field", "reason",
    "config", "linked_to", "keys", "view", "joins", "whole", "ends",
)  # fmt: skip
_delivery_values: Final = attrgetter(
    "id", "destination", "route", "lanes", "kind._value_", "type", "payload_kind._value_", "payload", "target",
    "control_id", "state._value_", "queued", "attempts", "spent", "due_ms", "code", "field", "reason", "flags",
    "config", "copies", "replay_of",
)  # fmt: skip
_settle_values: Final = attrgetter(
    "delivery", "destination", "expected_attempt", "state._value_", "queued", "begin_ms", "end_ms", "spent", "due_ms",
    "code", "field", "reason", "flags", "copies",
)  # fmt: skip

_MESSAGE_STATES: Final = {state.value: state for state in MessageState}
_DELIVERY_STATES: Final = {state.value: state for state in DeliveryState}
_DELIVERY_KINDS: Final = {kind.value: kind for kind in DeliveryKind}
_PAYLOAD_KINDS: Final = {kind.value: kind for kind in PayloadKind}
_ERRORS: Final[dict[str, type[StoreError]]] = {
    kind.__name__: kind for kind in (ChangeRefused, StoreBroken, StoreUnavailable, StoreError)
}

Numbered = tuple[int, Change, int]
"""A change with its number in the order of submission, and its size."""


@dataclass(slots=True)
class Batch:
    """What the engine says: changes to commit, and whether it wants the end."""

    changes: list[Numbered] = field(default_factory=list)
    end: bool = False


def frame(values: bytes) -> bytes:
    """Put the length before a frame's values."""
    return length_of(values) + values


def length_of(values: bytes) -> bytes:
    """Return what stands before a frame's values."""
    return len(values).to_bytes(LENGTH_BYTES, "little")


def write_batch(batch: Batch) -> bytes:
    """Return the values of a batch's frame, without their length: they may be many megabytes."""
    try:
        return marshal.dumps((batch.end, [_write_change(*each) for each in batch.changes]))
    except ValueError:  # an enumeration where a number was meant: marshal knows the plain kinds only
        return marshal.dumps((batch.end, [_pickled(*each) for each in batch.changes]))


def read_batch(values: bytes | memoryview) -> Batch:
    """Return the batch of a frame without its length."""
    end, changes = marshal.loads(values)  # noqa: S302 - from our own parent
    return Batch([_read_change(*each) for each in changes], end)


def _write_change(number: int, change: Change, size: int) -> tuple[int, int, Any, int]:
    kind = type(change)
    try:
        if kind is Receive:
            values = _plain_message(change.message)  # type: ignore[union-attr]
            if not change.message.attachments:  # type: ignore[union-attr]
                return number, _RECEIVE, values, size
        if kind is Route:
            return number, _ROUTE, _plain_route(change), size  # type: ignore[arg-type]
        if kind is Settle and change.attempt is None:  # type: ignore[union-attr]
            return number, _SETTLE, _settle_values(change), size
    except AttributeError:
        pass  # a number where a state was meant: the writer refuses it, or takes it for what it is
    return _pickled(number, change, size)


def _pickled(number: int, change: Change, size: int) -> tuple[int, int, Any, int]:
    return number, _OTHER, pickle.dumps(change, pickle.HIGHEST_PROTOCOL), size


def _plain_message(message: StoredMessage) -> Any:
    if not is_storable(message):
        make_storable(message)  # here, and not by the writer alone: our own object goes on to the router
    return _message_values(message)


def _plain_route(route: Route) -> Any:
    rules.write_copies(route.deliveries)
    plain = _route_values(route), [_delivery_values(each) for each in route.deliveries]
    return (*plain, _plain_identity(route)) if has_identity(route) else plain


def _plain_identity(route: Route) -> Any:
    wait = route.wait
    return (
        [pack_event(each) for each in route.identity],
        [_delivery_values(each) for each in route.fences],
        route.releases,
        None if wait is None else (wait.hashes, wait.until_ms),
    )


def _read_change(number: int, kind: int, values: Any, size: int) -> Numbered:
    if kind == _RECEIVE:
        return number, Receive(StoredMessage(*values)), size
    if kind == _ROUTE:
        return number, _read_route(*values), size
    if kind == _SETTLE:
        return number, _read_settle(*values), size
    change: Change = pickle.loads(values)  # noqa: S301 - from our own parent
    return number, change, size


def _read_route(values: tuple[Any, ...], deliveries: list[tuple[Any, ...]], identity: Any = None) -> Route:
    (
        place, group, source, expected, state, site, type_, code, field_, reason, config, linked_to, keys, view, joins,
        whole, ends,
    ) = values  # fmt: skip
    copies = [_read_delivery(*each) for each in deliveries]
    route = Route(
        place, group, source, _MESSAGE_STATES[expected], _MESSAGE_STATES[state], site, type_, code, field_, reason,
        config, linked_to, copies, keys, view=view, joins=joins, whole=whole, ends=ends,
    )  # fmt: skip
    if identity is not None:
        events, fences, route.releases, wait = identity
        route.identity = [unpack_event(each) for each in events]
        route.fences = [_read_delivery(*each) for each in fences]
        route.wait = None if wait is None else Wait(*wait)
    return route


def _read_delivery(
    id_: int, destination: str, route: str, lanes: tuple[int, ...], kind: int, type_: str, payload_kind: int,
    payload: bytes | None, target: str, control_id: str, state: int, *rest: Any,
) -> Delivery:  # fmt: skip
    return Delivery(
        id_, destination, route, lanes, _DELIVERY_KINDS[kind], type_, _PAYLOAD_KINDS[payload_kind], payload, None,
        target, control_id, _DELIVERY_STATES[state], *rest,
    )  # fmt: skip


def _read_settle(
    delivery: int, destination: str, expected_attempt: int, state: int, queued: bool, begin_ms: int, end_ms: int,
    spent: int, due_ms: int, code: str, field_: str, reason: str, flags: int, copies: int,
) -> Settle:  # fmt: skip
    return Settle(
        delivery, destination, expected_attempt, _DELIVERY_STATES[state], queued, begin_ms, end_ms, spent, due_ms,
        code, field_, reason, flags, None, copies,
    )  # fmt: skip


def write_report(numbers: list[int], report: Report) -> bytes:
    """
    Return the frame of a report.

    Args:
        numbers: Of the changes whose outcomes the report tells, in the same order.
        report: What the writer says.
    """
    places: list[int] = []
    errors: dict[int, tuple[str, str]] = {}
    filled: dict[int, Any] = {}
    for index, (change, _, outcome) in enumerate(report.outcomes):
        if isinstance(outcome, Receipt):
            places.append(outcome.place)
            if type(change) in _FILLED:
                filled[index] = pickle.dumps(change, pickle.HIGHEST_PROTOCOL)
            elif type(change) is Identify or (type(change) is Route and has_identity(change)):
                filled[index] = _decided(change)
        else:
            places.append(0)
            errors[index] = _write_error(outcome)
    trouble = [None if error is None else _write_error(error) for error in report.trouble]
    return frame(
        marshal.dumps(
            (numbers, places, errors, filled, trouble, report.counters, report.names, report.next_place, report.seconds)
        )
    )


def _decided(change: Route | Identify) -> Any:
    """Return what the store decided of a change on identities: ids of events, fences, what it released and parted."""
    fences = [_delivery_values(each) for each in change.fences]
    return [each.id for each in events_of(change)], fences, change.released, change.parted


@dataclass(slots=True)
class Said:
    """A report as it arrives: outcomes by the numbers of their changes."""

    outcomes: list[tuple[int, Receipt | StoreError]]
    filled: dict[int, Any]
    """By number: changes into which the writer wrote; of a decision on identities, what it wrote."""
    trouble: list[StoreError | None]
    counters: dict[tuple[str, str, str], int]
    names: dict[int, str]
    next_place: int
    seconds: float


def read_report(values: bytes) -> Said:
    """Return the report of a frame without its length."""
    numbers, places, errors, filled, trouble, counters, names, next_place, seconds = marshal.loads(values)  # noqa: S302
    outcomes: list[tuple[int, Receipt | StoreError]] = [
        (number, Receipt(place) if place else DONE) for number, place in zip(numbers, places, strict=True)
    ]
    for index, error in errors.items():
        outcomes[index] = (numbers[index], _read_error(*error))
    changes = {
        numbers[index]: pickle.loads(change) if isinstance(change, bytes) else change  # noqa: S301 - our writer
        for index, change in filled.items()
    }
    troubles = [None if error is None else _read_error(*error) for error in trouble]
    return Said(outcomes, changes, troubles, counters, names, next_place, seconds)


def fill(ours: Change, written: Any) -> None:
    """Make a change of ours equal to the writer's, where the store fills it: what is announced is ours."""
    if isinstance(ours, Intend) and isinstance(written, Intend):
        ours.intention.id = written.intention.id
    elif isinstance(ours, Requeue) and isinstance(written, Requeue):
        ours.delivery.destination = written.delivery.destination
        rules.fill_requeued(ours.delivery, written.delivery)
    elif isinstance(ours, Remake) and isinstance(written, Remake):
        rules.fill_remade(ours.delivery, written.delivery, rendered_again=ours.rendered_again)
    elif isinstance(ours, Fulfil) and isinstance(written, Fulfil):
        for part, written_part in zip(ours.changes, written.changes, strict=True):
            fill(part, written_part)
    elif isinstance(ours, (Route, Identify)):
        events, fences, ours.released, ours.parted = _decided(written) if isinstance(written, Identify) else written
        for event, number in zip(events_of(ours), events, strict=True):
            event.id = number
        ours.fences = [_read_delivery(*each) for each in fences]


def _write_error(error: StoreError) -> tuple[str, str]:
    return type(error).__name__, str(error)


def _read_error(kind: str, sentence: str) -> StoreError:
    return _ERRORS.get(kind, StoreError)(sentence)
