"""What waits for each destination, lane by lane, and the holds that keep it there."""

from __future__ import annotations

from typing import Any, Final

from engine.core.circuit import Trouble
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryFlag, Hold, show_delivery_id
from engine.errors import OperationRefused
from engine.operations.acts import Act, carry_out, require_count
from engine.operations.desk import Answer, Desk
from engine.operations.known import require_destination
from engine.operations.rows import delivery_row, is_lane, lane_name, read_delivery, read_lane, word
from engine.operations.status import status
from engine.operations.wording import age

KINDS: Final = ("destination", "source", "route", "lane")
_CALL: Final = "nothing is lost meanwhile, it is tried again by itself; if it lasts, call the destination's contact"
_THEN: Final = {
    "name": "look at the name in connect: of the destination, then at this machine's DNS; nothing is lost meanwhile",
    "tcp": "look at the address in connect:, then ask the destination's contact whether the receiver listens there; "
    "nothing is lost meanwhile, it is tried again by itself",
    "folder": "look whether the share is mounted where path: says; nothing is lost meanwhile",
    "write": "give the account of Passerelle the right to write there; nothing is lost meanwhile",
}
"""What to do when a step of a probe fails."""
_PAGE_MAX: Final = 1000
_SECONDS_MAX: Final = 3650 * 86_400
_LANES_SCANNED: Final = 20_000
"""Deliveries looked at to group a queue by lanes; beyond, the answer says that it saw only the first."""


async def queue_list(desk: Desk) -> Answer:
    """List the queues: one row a destination, as in `status`, with the holds in force."""
    seen = await status(desk)
    return {"v": 1, "rows": seen["destinations"], "holds": [_hold_row(hold) for hold in await desk.store.holds()]}


async def queue_show(desk: Desk, destination: str, after: str = "", limit: int = 50) -> Answer:
    """
    Show the deliveries that wait for one destination, in order.

    Args:
        desk: Where.
        destination: Its name.
        after: Id of the last delivery seen, to go on.
        limit: How many at most.
    """
    await require_destination(desk, destination)
    since = read_delivery(after) if after else 0
    page = await desk.store.queue(destination, since, min(limit, _PAGE_MAX))
    rows = [
        delivery_row(
            {
                "delivery": one.id,
                "state": one.state,
                "kind": one.kind,
                "type": one.type,
                "route": one.route,
                "attempts": one.attempts,
                "code": one.code,
                "reason": one.reason,
                "flags": one.flags,
                "lanes": one.lanes,
                "control_id": one.control_id,
            }
            | _due(one)
        )
        for one in page.items
    ]
    why = await _why(desk, destination) if rows else ""
    return {"v": 1, "rows": rows, "next": rows[-1]["id"] if len(rows) == min(limit, _PAGE_MAX) else "", "why": why}


async def _why(desk: Desk, destination: str) -> str:
    """Return the sentence of `status` that says why a destination's deliveries don't leave; empty: they do."""
    rows = (await status(desk))["destinations"]
    return next((str(row.get("why") or "") for row in rows if row["name"] == destination), "")


async def queue_lanes(desk: Desk, destination: str, limit: int = 50) -> Answer:
    """
    Show the lanes of one destination: how many wait in each, and what stands at its head.

    The longest first. A delivery with several keys counts in each; deliveries without key are one row `-`.
    """
    await require_destination(desk, destination)
    held = await _held_lanes(desk)
    lanes: dict[str, dict[str, Any]] = {}
    seen, after = 0, 0
    while seen < _LANES_SCANNED:
        page = await desk.store.queue(destination, after, _PAGE_MAX)
        for one in page.items:
            for name in [lane_name(lane) for lane in one.lanes] or ["-"]:
                row = lanes.get(name)
                if row is None:
                    row = lanes[name] = {"lane": name, "waiting": 0, "head": show_delivery_id(one.id)}
                    row |= {"state": word(DeliveryState, one.state), "code": one.code} | _due(one)
                row["waiting"] += 1
        seen += len(page.items)
        if len(page.items) < _PAGE_MAX:
            break
        after = page.items[-1].id
    for name in held & lanes.keys():
        if lanes[name]["state"] == word(DeliveryState, DeliveryState.PENDING):
            lanes[name]["state"] = "held"
    rows = sorted(lanes.values(), key=lambda row: -int(row["waiting"]))
    return {"v": 1, "lanes": len(rows), "seen": seen, "all": seen < _LANES_SCANNED, "rows": rows[:limit]}


async def _held_lanes(desk: Desk) -> set[str]:
    """Name the lanes that an operator holds now."""
    return {
        lane_name(int(one.name))
        for one in await desk.store.holds()
        if one.kind == "lane" and not 0 < one.until_ms <= desk.now_ms()
    }


async def hold(
    desk: Desk,
    who: str,
    name: str,
    reason: str = "",
    seconds: float = 0,
    kind: str = "",
    expect: int | None = None,
    dry: bool = False,
) -> Answer:
    """
    Hold a destination, a source or a route at the exit: intake and routing go on, nothing of it leaves.

    Args:
        desk: Where.
        who: Name of the operator.
        name: Of the destination, source, route, or lane key.
        reason: Why.
        seconds: How long, at most ten years; 0: until released.
        kind: destination, source, route or lane; empty: found by the name.
        expect: The number of waiting deliveries expected (destinations only).
        dry: Only say how many wait.
    """
    if not 0 <= seconds <= _SECONDS_MAX:
        words = "at most ten years" if seconds > 0 else "more than 0"
        raise OperationRefused(f"a duration must be {words}", exit_code=2)
    kind = _kind(desk, name, kind)
    waiting = await _waiting(desk, kind, name)
    if dry:
        return {"v": 1, "dry": True, "kind": kind, "name": name, "count": waiting}
    require_count(waiting, expect, "delivery", "deliveries")
    until = desk.now_ms() + int(seconds * 1000) if seconds > 0 else 0
    arguments: dict[str, str | int | bool | list[int]] = {"kind": kind, "name": _stored(kind, name), "until_ms": until}
    act = Act(stage="delivery", verb="hold", arguments=arguments, label=name)
    subject = f"{name}, {f'for {age(seconds)}' if until else 'until released'}"
    answer = await carry_out(desk, [act], who=who, verb=f"hold {kind}", reason=reason, subject=subject)
    return answer | {"until_ms": until}


async def release(
    desk: Desk, who: str, name: str, reason: str = "", kind: str = "", expect: int | None = None, dry: bool = False
) -> Answer:
    """
    Release what was held, by an operator or by the engine itself (a storm, a delivery that is tried again later).

    Args:
        desk: Where.
        who: Name of the operator.
        name: As in `hold`.
        reason: Why.
        kind: As in `hold`.
        expect: As in `hold`.
        dry: As in `hold`.
    """
    stored = _stored(kind, name)
    held = [one for one in await desk.store.holds() if one.name == stored and kind in ("", one.kind)]
    kind = held[0].kind if len(held) == 1 else _kind(desk, name, kind)
    waiting = await _waiting(desk, kind, name)
    if dry:
        return {"v": 1, "dry": True, "kind": kind, "name": name, "count": waiting, "held": bool(held)}
    require_count(waiting, expect, "delivery", "deliveries")
    facts = desk.live.destinations().get(name, {}) if desk.live is not None and kind == "destination" else {}
    by_itself = facts.get("circuit", "closed") != "closed" or int(facts.get("retrying") or 0) > 0
    acts = []
    if held or not by_itself:
        arguments: dict[str, str | int | bool | list[int]] = {"kind": kind, "name": stored, "until_ms": -1}
        acts.append(Act(stage="delivery", verb="release", arguments=arguments, label=name))
    if by_itself:
        acts.append(Act(stage="delivery", verb="resume", arguments={"destination": name}, label=name))
    return await carry_out(desk, acts, who=who, verb=f"release {kind}", reason=reason)


async def probe(desk: Desk, destination: str) -> Answer:
    """Try the way to a destination without sending a message: name, route, connection, TLS."""
    if desk.live is None:
        sentence = "ENGINE STOPPED: the running engine probes a destination; start it (`passerelle run`), then probe"
        raise OperationRefused(sentence, exit_code=69)
    await require_destination(desk, destination)
    declared = desk.live.configuration().destinations
    if destination not in declared:
        sentence = f"'{destination}' is no destination of the running configuration any more; there are"
        raise OperationRefused(f"{sentence} {', '.join(declared)}")
    steps = await desk.live.probe(destination)
    rows = [{"what": what, "fine": fine, "sentence": sentence} for what, fine, sentence in steps]
    failed = next((what for what, fine, _ in steps if not fine), "")
    contact = ", ".join(declared[destination].contact.values())
    then = f"{_THEN.get(failed, _CALL)}{f' ({contact})' if contact else ''}" if failed else ""
    facts = desk.live.destinations().get(destination, {})
    if not failed and facts.get("circuit") == Trouble.STORM.value:
        then = f"reachable, but it refuses: {facts.get('why', '')}"
    return {"v": 1, "fine": not failed, "rows": rows, "then": then}


def _hold_row(one: Hold) -> dict[str, Any]:
    name = lane_name(int(one.name)) if one.kind == "lane" else one.name
    row = {"kind": one.kind, "name": name, "until_ms": one.until_ms}
    return row | {"who": one.who, "reason": one.reason, "at_ms": one.at_ms}


def _kind(desk: Desk, name: str, kind: str) -> str:
    if kind:
        if kind not in KINDS:
            raise OperationRefused(f"'{kind}' is not one of {', '.join(KINDS)}", exit_code=2)
        return kind
    configuration = desk.configuration()
    if configuration is None:
        raise OperationRefused(f"without a configuration nobody knows what '{name}' is; add --kind", exit_code=2)
    found = [
        kind
        for kind, names in (
            ("destination", configuration.destinations),
            ("source", configuration.sources),
            ("route", {route.name for route in configuration.routes}),
        )
        if name in names
    ]
    if len(found) > 1:
        raise OperationRefused(f"'{name}' is a {' and a '.join(found)}; add --kind", exit_code=2)
    if not found:
        hint = "; if it is a lane: --kind lane" if is_lane(name) else ""
        raise OperationRefused(f"'{name}' is no destination, source or route of the configuration{hint}")
    return found[0]


def _due(one: Delivery) -> dict[str, int]:
    """Say when: a dead delivery isn't tried again; results may pass it at its moment, or never."""
    if one.state is DeliveryState.DEAD:
        never = one.flags & (DeliveryFlag.IDENTITY_EVENT | DeliveryFlag.RESULT)
        return {"due_ms": 0, "results_pass_ms": 0 if never else one.due_ms}
    return {"due_ms": one.due_ms, "results_pass_ms": 0}


def _stored(kind: str, name: str) -> str:
    """Return the name under which a hold is kept: a lane's is its key, a number."""
    return str(read_lane(name)) if kind == "lane" else name


async def _waiting(desk: Desk, kind: str, name: str) -> int:
    """Count what waits: deliveries of a destination or lane, messages of a source; a route is not counted."""
    counters = await desk.queries.counters()
    if kind == "lane":
        lane = read_lane(name)
        configuration = desk.configuration()
        known = dict.fromkeys(configuration.destinations if configuration is not None else ())
        known |= dict.fromkeys(past for part, past, _ in counters if part == "delivery")
        return sum([len(await desk.store.queue_of(one, lane, 0, _PAGE_MAX)) for one in known])
    if kind == "destination":
        return counters.get(("delivery", name, "pending"), 0)
    return counters.get(("message", name, "waiting"), 0) if kind == "source" else 0
