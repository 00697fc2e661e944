"""Find a message, show it (masked unless revealed with a reason), follow its way."""

from __future__ import annotations

import base64
from typing import Any, Final

from engine.core.bundle import unpack
from engine.core.lifecycle import MessageState
from engine.core.messages import DeliveryKind, Intention, PayloadKind, StoredMessage, show_delivery_id
from engine.errors import OperationRefused
from engine.operations.acts import outcome_words, require_reason
from engine.operations.assigners import assigners_of
from engine.operations.balance import ENDINGS
from engine.operations.desk import Answer, Desk
from engine.operations.known import no_message, require_source
from engine.operations.masking import Masking, known_words, revealed
from engine.operations.pseudonyms import Pseudonyms
from engine.operations.rows import delivery_row, message_row, place_in, read_delivery, read_place
from engine.operations.waits import wait_of
from engine.parsers.sniff import sniff

_LIMIT: Final = 1000
_STATES: Final = tuple(dict.fromkeys([*(state.name.lower() for state in MessageState), *ENDINGS]))
"""States of messages, and what a routed one counts as in the balance."""
_BODY_BYTES: Final = 64_000_000


async def message_find(
    desk: Desk,
    key: str = "",
    value: str = "",
    source: str = "",
    state: str = "",
    control_id: str = "",
    since_ms: int = 0,
    until_ms: int = 0,
    before: str = "",
    limit: int = 50,
) -> Answer:
    """
    Find messages, newest first.

    Args:
        desk: Where.
        key: Name of a declared search key (`ipp`, `nda`…); needs `value`.
        value: The identifier looked for; hashed here, it goes nowhere else.
        source: Only from this source.
        state: Only in this state.
        control_id: MSH-10, exactly.
        since_ms: Received from then on.
        until_ms: Received before then; 0: no end.
        before: Id of the last message seen, to go on.
        limit: How many at most.
    """
    if state and state.lower() not in _STATES:
        names = ", ".join(_STATES)
        raise OperationRefused(f"'{state}' is no state; there are {names}", exit_code=2)
    keys = _hashes(desk, key, value) if key else []
    wanted = min(limit, _LIMIT)
    found = await desk.queries.find_messages(
        keys=keys,
        source=source,
        state=state.lower(),
        control_id=control_id,
        since_ms=since_ms,
        until_ms=until_ms,
        before=read_place(before) if before else 0,
        limit=wanted,
    )
    if source and not found:
        await require_source(desk, source)
    rows = [message_row(row) for row in found]
    return {"v": 1, "rows": rows, "next": str(place_in(found[-1])) if found and len(found) == wanted else ""}


async def message_show(
    desk: Desk,
    who: str,
    id: str,  # noqa: A002 - the command line's word
    reveal: bool = False,
    reason: str = "",
    own_part: bool = False,
) -> Answer:
    """
    Show a message segment by segment, with its faulty fields marked.

    Args:
        desk: Where.
        who: Name of the operator.
        id: Of a message: the bytes received; of a delivery: the bytes sent.
        reveal: With its values; needs a reason, and stands in the audit trail before anything is shown.
        reason: Why.
        own_part: Of a message that came in parts, the part that it was itself.
    """
    place = read_place(id)
    row = await _row(desk, place)
    deliveries = await desk.queries.deliveries_of(place)
    faults = [str(one.get("field") or "") for one in [row, *deliveries]]
    body, fmt = await (_own_part(desk, id, row) if own_part else _body(desk, id))
    if reveal:
        await desk.audit(who, "reveal", f"message {id}", require_reason(reason))
        segments = revealed(body, fmt, faults=faults)
    else:
        segments = _masking(desk, row).segments(body, fmt, faults=faults)
    return {
        "v": 1,
        "masked": not reveal,
        "size": len(body),
        "message": message_row(row, revealed=reveal) | await wait_of(desk, row),
        "deliveries": [delivery_row(one) for one in deliveries],
        "segments": segments,
    }


async def message_raw(
    desk: Desk,
    who: str,
    id: str,  # noqa: A002 - the command line's word
    reveal: bool = False,
    reason: str = "",
    own_part: bool = False,
) -> Answer:
    """
    Give the body as it is written: masked text, or with `reveal` the very bytes (`base64`); as `message_show`.

    A delivery's id gives the bytes sent.
    """
    row = await _row(desk, read_place(id))
    body, fmt = await (_own_part(desk, id, row) if own_part else _body(desk, id))
    if not reveal:
        return {"v": 1, "masked": True, "size": len(body), "text": _masking(desk, row).text(body, fmt)}
    await desk.audit(who, "reveal", f"bytes of {id}", require_reason(reason))
    return {"v": 1, "masked": False, "size": len(body), "base64": base64.b64encode(body).decode("ascii")}


async def message_trace(desk: Desk, id: str) -> Answer:  # noqa: A002 - the word of the command line
    """
    Tell the way of a message in order of time: received, each attempt, its end. Answers may quote it: left out.

    Returns:
        message (`waits_until_ms` and `then` while it waits), deliveries, and `rows`: at_ms, what, delivery,
        destination, detail; among them the decisions that parted its patients before it had left, whose and why.
    """
    from engine.operations.identities.tracing import partings_of  # late: it brings the configuration's rooms along

    place = read_place(id)
    row = await _row(desk, place)
    deliveries = await desk.queries.deliveries_of(place)
    waits = await wait_of(desk, row)
    shown = message_row(row) | waits
    origin = shown.get("peer") or shown.get("name") or ""
    detail = f"from {row.get('source', '')} {origin}".strip()
    events = [_event(int(row.get("received_ms") or 0), "received", detail=detail)]
    if shown["state"] not in ("received", "routed"):
        detail = " ".join(str(row.get(key) or "") for key in ("code", "field", "reason")).strip()
        events.append(_event(0, shown["state"], detail=detail))
    if waits:
        events.append(_event(int(waits["waits_until_ms"]), "end of its wait", detail=f"then: {waits['then']}"))
    if row.get("joins"):
        others = ", ".join(map(str, row["joins"]))
        events.append(_event(0, "put together", detail=f"with what came as message {others}"))
    for one in deliveries:
        events += _delivery_events(one)
    events += await partings_of(desk, place, deliveries)
    known = [event for event in events if event["at_ms"]]
    events = sorted(known, key=lambda event: int(event["at_ms"])) + [event for event in events if not event["at_ms"]]
    return {"v": 1, "message": shown, "deliveries": [delivery_row(one) for one in deliveries], "rows": events}


async def refusals(desk: Desk, source: str = "", limit: int = 50) -> Answer:
    """List what was not taken (no message, too long), newest first; without bytes."""
    rows = await desk.queries.refusals(source=source, limit=min(limit, _LIMIT))
    if source and not rows:
        await require_source(desk, source)
    return {"v": 1, "rows": [_without_bytes(row) for row in rows]}


async def audit(desk: Desk, limit: int = 50) -> Answer:
    """
    List who saw or did what, newest first, and the acts that wait for an engine.

    Returns:
        `rows`, each with `outcome`: accepted, refused, pending, or several of them with numbers; empty for a look.
        `waiting`: the acts that wait.
    """
    rows = [_without_bytes(row) for row in await desk.queries.actions(limit=min(limit, _LIMIT))]
    waiting = [one for stage in ("router", "delivery") for one in await desk.store.intentions(stage)]
    outcomes: dict[tuple[Any, ...], list[bool | None]] = {}
    for one in await desk.queries.intended_at({row["at_ms"] for row in rows}):
        outcomes.setdefault(_act_of(one), []).append(one["accepted"])
    for row in rows:
        row["outcome"] = outcome_words(outcomes.get(_act_of(row), ()))
    return {"v": 1, "rows": rows, "waiting": [_waiting(one) for one in waiting[:_LIMIT]]}


def _act_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what an act's line in the audit trail and its intentions have in common."""
    return row["at_ms"], row["who"], row["reason"]


def _hashes(desk: Desk, key: str, value: str) -> list[int]:
    """Hash an identifier as the router did: once for each authority that may have given it."""
    from engine.routes.searching import search_hashes  # late: it brings the configuration's rooms along

    configuration = desk.configuration()
    if desk.references is None or configuration is None:
        raise OperationRefused("without a configuration identifiers can't be searched: --control-id or --source can")
    if key not in configuration.keys:
        names = ", ".join(sorted(configuration.keys))
        raise OperationRefused(f"there is no key '{key}'" + (f"; there are {names}" if names else ""))
    if not value:
        raise OperationRefused("an empty identifier finds nothing", exit_code=2)
    return search_hashes(configuration, desk.references, key, value)


async def _row(desk: Desk, place: int) -> dict[str, Any]:
    row = await desk.queries.message_row(place)
    if row is None:
        raise no_message(place)
    return row


async def _body(desk: Desk, text: str) -> tuple[bytes, str]:
    """Return the bytes received (id of a message) or sent (id of a delivery), and their format."""
    stored: StoredMessage | None = await desk.store.message(read_place(text))
    if "-" not in text:
        if stored is None:
            raise OperationRefused(f"the body of message {text} is no longer kept")
        return stored.raw, stored.format
    number = read_delivery(text)
    delivery = await desk.store.delivery(number)
    if delivery is None:
        raise OperationRefused(f"message {read_place(text)} has no delivery {show_delivery_id(number)}")
    found = await desk.store.payloads([number], _BODY_BYTES)
    if number not in found:
        label = show_delivery_id(number)
        if delivery.kind in (DeliveryKind.FENCE, DeliveryKind.WALL):
            raise OperationRefused(f"{label} is a {delivery.kind.name.lower()}: it keeps order, and is never sent")
        raise OperationRefused(f"delivery {label} has no bytes: it died before it was rendered")
    data = found[number]
    if delivery.payload_kind is PayloadKind.BUNDLE:
        data = unpack(data).data  # the message; what goes beside it is no text to show
    seen = sniff(data)  # a conversion may have made another format of it
    return data, seen if seen != "unknown" or stored is None else stored.format


async def _own_part(desk: Desk, text: str, row: dict[str, Any]) -> tuple[bytes, str]:
    """Return what a message that came in parts was itself, and its format."""
    body = None if "-" in text else await desk.queries.own_part(read_place(text))
    if body is None:
        raise OperationRefused(f"{text} wasn't put together from parts, or isn't kept any more: leave --own-part out")
    return body, str(row["format"])


def _masking(desk: Desk, row: dict[str, Any]) -> Masking:
    """Return what masks a message and its copies: one identifier has one pseudonym in all of them."""
    pseudonyms = Pseudonyms(desk.references) if desk.references is not None else None
    configuration = desk.configuration()
    assigners = assigners_of(configuration, str(row["site"]), str(row["source"]))
    return Masking(pseudonyms, known_words(configuration), assigners)


def _delivery_events(row: dict[str, Any]) -> list[dict[str, Any]]:
    shown = delivery_row(row)
    label, destination = shown["id"], str(row["destination"])
    history = row.get("history") or []
    events = []
    for attempt in history:
        detail = " ".join(str(attempt.get(key) or "") for key in ("outcome", "code")).strip()
        if attempt.get("answer"):
            detail += f", answer of {len(attempt['answer']):,} bytes"
        at = int(attempt.get("begin_ms") or attempt.get("end_ms") or 0)
        events.append(_event(at, f"attempt {attempt['number']}", label, destination, detail))
    if shown["state"] == "pending":
        due = int(row.get("due_ms") or 0)
        return [*events, _event(due, "next attempt" if due else "waiting", label, destination)]
    detail = " ".join([str(row.get(key) or "") for key in ("code", "field", "reason")] + shown["flags"]).strip()
    events.append(_event(int(row.get("end_ms") or 0), shown["state"], label, destination, detail))
    return events


def _event(at_ms: int, what: str, delivery: str = "", destination: str = "", detail: str = "") -> dict[str, Any]:
    return {"at_ms": at_ms, "what": what, "delivery": delivery, "destination": destination, "detail": detail}


def _without_bytes(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not isinstance(value, bytes)}


def _waiting(intention: Intention) -> dict[str, Any]:
    return {
        "id": intention.id,
        "stage": intention.stage,
        "verb": intention.verb,
        "who": intention.who,
        "reason": intention.reason,
        "at_ms": intention.at_ms,
    }
