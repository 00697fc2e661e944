"""
Dead letters: what nobody will send again by itself.

Two kinds: deliveries that died (`48211-0`), and messages that died in the router before any delivery
(`48211`). An id without dash names the message, and with it all its dead deliveries.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import DeliveryKind, place_of, show_delivery_id
from engine.errors import OperationRefused
from engine.operations.acts import ACTS_MAX, Act, carry_out, require_count, require_reason
from engine.operations.codes import meaning_of
from engine.operations.desk import Answer, Desk
from engine.operations.known import no_message, require_destination, require_source, unknown
from engine.operations.rows import delivery_row, message_row, place_in, read_delivery, read_place, word
from engine.operations.stale import Staleness, behind

_PAGE: Final = 500
_EXAMINED: Final = 100
_NOTHING_LEAVES: Final = frozenset({"held", "down", "stopped"})
_THIS_COMMAND: Final = "`passerelle dead show ID`"
_WAITS_AGAIN: Final = "what was retried is dead no more: it waits again (`passerelle queue ls`), or has left"
_DETAIL: Final = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![\w.\-])\d+")  # not the 4.2 of MSH-4.2


@dataclass(frozen=True, slots=True)
class Target:
    """A dead letter that an act is about."""

    label: str
    place: int
    delivery: int = 0
    destination: str = ""
    kind: str = ""
    """`delivery` or `message`."""


async def dead_list(
    desk: Desk, destination: str = "", source: str = "", group: str = "", after: str = "", limit: int = 50
) -> Answer:
    """
    List dead letters, oldest first: messages that died in the router, then deliveries.

    Args:
        desk: Where.
        destination: Only deliveries to it.
        source: Only messages from it, and deliveries of its messages.
        group: Only those of one fingerprint (dead_groups), in capitals or not.
        after: Last id seen, to go on.
        limit: How many at most.
    """
    rows: list[dict[str, Any]] = []
    wanted = min(limit, ACTS_MAX)
    group = group.upper()
    if not destination and "-" not in after:
        rows = await _dead_messages(desk, source, group, read_place(after) if after else 0, wanted)
    if len(rows) < wanted:
        since = read_delivery(after) if "-" in after else 0
        rows += await _dead_deliveries(desk, destination, source, group, since, wanted - len(rows))
    if not rows and not after:
        await _require_names(desk, destination, source, group)
    return {"v": 1, "rows": rows, "next": rows[-1]["id"] if len(rows) == wanted else ""}


async def dead_groups(desk: Desk, destination: str = "") -> Answer:
    """Group dead letters by fingerprint: what failed, where, how often, first and last; the most frequent first."""
    found = await dead_list(desk, destination=destination, limit=ACTS_MAX)
    groups: dict[str, dict[str, Any]] = {}
    lanes: dict[str, list[set[str]]] = {}
    for row in found["rows"]:
        group = groups.get(row["group"])
        if group is None:
            group = groups[row["group"]] = {"group": row["group"], "count": 0, "first": row["id"]}
            group |= {key: row.get(key, "") for key in ("code", "route", "destination", "field", "source")}
            group["detail"] = normalised(str(row.get("reason") or ""))
            lanes[row["group"]] = []
        group["count"] += 1
        group["last"] = row["id"]
        lanes[row["group"]] = _joined(lanes[row["group"]], set(row.get("lanes", ())))
    for name, group in groups.items():
        group["lanes"] = len(lanes[name])
    rows = sorted(groups.values(), key=lambda group: -int(group["count"]))
    return {"v": 1, "rows": rows, "count": len(found["rows"]), "all": not found["next"]}


def _joined(lanes: list[set[str]], keys: set[str]) -> list[set[str]]:
    """Add a delivery's keys to lanes: a patient of two numbers has two keys, and is one lane."""
    if not keys:
        return lanes
    return [lane for lane in lanes if not lane & keys] + [keys.union(*(lane for lane in lanes if lane & keys))]


async def dead_show(desk: Desk, id: str) -> Answer:  # noqa: A002 - the word of the command line
    """Show one dead letter with the message's row and the history of its deliveries; bodies by `message_show`."""
    place = read_place(id)
    row = await desk.queries.message_row(place)
    if row is None:
        raise no_message(place)
    deliveries = [delivery_row(one) for one in await desk.queries.deliveries_of(place)]
    if "-" in id:
        label = show_delivery_id(read_delivery(id))
        deliveries = [one for one in deliveries if one["id"] == label]
        if not deliveries:
            raise OperationRefused(f"message {place} has no delivery {label}")
    label = deliveries[0]["id"] if "-" in id else f"message {place}"
    states = {one["state"] for one in deliveries} | (set() if "-" in id else {word(MessageState, row["state"])})
    if not states & {"dead", "discarded"}:
        ending = deliveries[0]["state"] if "-" in id else row.get("ending") or word(MessageState, row["state"])
        raise OperationRefused(f"{label} is not dead: it is {ending}; `passerelle msg trace {place}` tells its way")
    for one in deliveries:
        one["then"] = _then(one) if one["state"] == "dead" else ""
    return {"v": 1, "message": message_row(row), "deliveries": deliveries, "then": _then(row)}


def _then(row: Mapping[str, Any]) -> str:
    """Return what to do about the code of a message or a delivery; empty: its code has no words."""
    meaning = meaning_of(str(row.get("code") or ""))
    return meaning.then.replace(_THIS_COMMAND, "what is shown here") if meaning is not None else ""


async def dead_retry(
    desk: Desk,
    who: str,
    ids: Sequence[str] = (),
    destination: str = "",
    group: str = "",
    reason: str = "",
    expect: int | None = None,
    dry: bool = False,
    stale: bool = False,
) -> Answer:
    """
    Route dead letters again under today's configuration; each takes its old place in its lanes.

    Args:
        desk: Where.
        who: Name of the operator.
        ids: Which; or all of `destination`, or of `group`.
        destination: See ids.
        group: See ids.
        reason: Why.
        expect: How many they must be; otherwise nothing is changed (exit code 3).
        dry: Only count.
        stale: Retry those too that would go back in time (operations.stale).

    Returns:
        As `carry_out`; the stale ones are among the refused. Of a dry run: `count` of all, and `stale`, those
        that would be refused, with their sentences; `late`, those whose lane has gone on without them.
    """
    targets = await _targets(desk, ids, destination, group)
    refused = {} if stale else await _stale(desk, targets)
    rows = [{"id": one.label, "accepted": False, "outcome": refused[one]} for one in targets if one in refused]
    if dry:
        return await _act(desk, who, "retry", targets, reason, expect, dry=True) | {
            "stale": rows,
            "late": await _late(desk, [one for one in targets if one not in refused]),
        }
    require_count(len(targets), expect, "dead letter")
    answer = await _act(desk, who, "retry", [one for one in targets if one not in refused], reason, None, dry=False)
    answer["count"] += len(rows)
    answer["refused"] += len(rows)
    answer["rows"] += rows
    return answer


async def dead_pass(
    desk: Desk,
    who: str,
    ids: Sequence[str] = (),
    destination: str = "",
    group: str = "",
    reason: str = "",
    expect: int | None = None,
    dry: bool = False,
) -> Answer:
    """Let the lanes of dead deliveries go on, and leave them dead; arguments as `dead_retry`."""
    targets = [one for one in await _targets(desk, ids, destination, group) if one.kind == "delivery" or ids]
    for target in targets:
        if target.kind == "message":
            raise OperationRefused(f"message {target.label} died before any delivery: no lane waits for it")
    answer = await _act(desk, who, "pass", targets, reason, expect, dry=dry)
    return answer | {"behind": await behind(desk, [one.delivery for one in targets])} if dry else answer


async def dead_discard(
    desk: Desk,
    who: str,
    ids: Sequence[str] = (),
    destination: str = "",
    group: str = "",
    reason: str = "",
    expect: int | None = None,
    dry: bool = False,
) -> Answer:
    """Hide dead letters; they are kept until their retention and can be restored; arguments as `dead_retry`."""
    targets = await _targets(desk, ids, destination, group)
    answer = await _act(desk, who, "discard", targets, reason, expect, dry=dry)
    return answer | {"behind": await behind(desk, [one.delivery for one in targets])} if dry else answer


async def dead_restore(
    desk: Desk, who: str, ids: Sequence[str] = (), reason: str = "", expect: int | None = None, dry: bool = False
) -> Answer:
    """Make discarded letters dead again; arguments as `dead_retry`."""
    targets = await _named(desk, ids, DeliveryState.DISCARDED, MessageState.DISCARDED)
    return await _act(desk, who, "restore", targets, reason, expect, dry=dry)


def normalised(reason: str) -> str:
    """Take from a reason what differs from case to case: numbers and quoted words."""
    return _DETAIL.sub("…", reason)


def fingerprint(row: Mapping[str, Any]) -> str:
    """Return the name of the group of a dead letter: code, route, destination, field and normalised reason."""
    parts = [str(row.get(key) or "") for key in ("code", "route", "destination", "field")]
    parts.append(normalised(str(row.get("reason") or "")))
    return "G." + hashlib.blake2b("\x1f".join(parts).encode(), digest_size=3).hexdigest().upper()


async def _act(
    desk: Desk, who: str, verb: str, targets: Sequence[Target], reason: str, expect: int | None, *, dry: bool
) -> Answer:
    if dry:
        destinations = sorted({one.destination for one in targets if one.destination})
        shown = [one.label for one in targets[:20]]
        return {
            "v": 1, "dry": True, "count": len(targets), "destinations": destinations, "ids": shown,
            "closed": _closed(desk, destinations),
        }  # fmt: skip
    require_count(len(targets), expect, "dead letter")
    if not targets:
        require_reason(reason)
        return {"v": 1, "count": 0, "accepted": 0, "refused": 0, "waiting": 0, "rows": []}
    acts = [_intention(verb, target) for target in targets]
    return await carry_out(desk, acts, who=who, verb=f"dead {verb}", reason=reason)


def _closed(desk: Desk, destinations: Sequence[str]) -> list[str]:
    """Say why nothing leaves for some destinations now: held, away, or stopped by a dead delivery."""
    live = desk.live.destinations() if desk.live is not None else {}
    facts = [live.get(name, {}) for name in destinations]
    return [str(one.get("why") or "") for one in facts if one.get("state") in _NOTHING_LEAVES and one.get("why")]


async def _late(desk: Desk, targets: Sequence[Target]) -> list[str]:
    """Return the ids of those, of the first hundred, behind which something of their lane was delivered."""
    staleness = Staleness(desk)
    return [
        one.label for one in targets[:_EXAMINED] if one.kind == "delivery" and await staleness.is_late(one.delivery)
    ]


async def _stale(desk: Desk, targets: Sequence[Target]) -> dict[Target, str]:
    """Return which deliveries a later message has overtaken, and the sentences that say so."""
    staleness = Staleness(desk)
    found = {}
    for target in targets:
        if target.kind == "delivery" and (sentence := await staleness.why(target.delivery)):
            found[target] = sentence
    return found


def _intention(verb: str, target: Target) -> Act:
    """Say who executes it: the router renders again and treats messages, delivery treats deliveries."""
    if target.kind == "message":
        return Act(stage="router", verb=verb, arguments={"message": target.place}, label=target.label)
    if verb == "retry":
        return Act(stage="router", verb=verb, arguments={"delivery": target.delivery}, label=target.label)
    arguments: dict[str, str | int | bool | list[int]] = {
        "delivery": target.delivery,
        "destination": target.destination,
    }
    return Act(stage="delivery", verb=verb, arguments=arguments, label=target.label)


async def _targets(desk: Desk, ids: Sequence[str], destination: str, group: str) -> list[Target]:
    if ids and (destination or group):
        raise OperationRefused("give ids, or --to and --group, not both", exit_code=2)
    if ids:
        return await _named(desk, ids, DeliveryState.DEAD, MessageState.DEAD)
    if not (destination or group):
        raise OperationRefused("say which: ids, --to DESTINATION or --group GROUP", exit_code=2)
    found = await dead_list(desk, destination=destination, group=group, limit=ACTS_MAX)
    targets = []
    for row in found["rows"]:
        if "-" in row["id"]:
            number = read_delivery(row["id"])
            targets.append(Target(row["id"], place_of(number), number, row["destination"], "delivery"))
        else:
            targets.append(Target(row["id"], int(row["id"]), kind="message"))
    return targets


async def _named(
    desk: Desk, ids: Sequence[str], delivery_state: DeliveryState, message_state: MessageState
) -> list[Target]:
    """Find letters by id; each must stand in the state wanted."""
    if not ids:
        raise OperationRefused("say which, by id", exit_code=2)
    found: dict[str, Target] = {}
    wanted = delivery_state.name.lower()
    for text in ids:
        place = read_place(text)
        row = await desk.queries.message_row(place)
        if row is None:
            raise no_message(place)
        letters = await _letters(desk, text, place, wanted)
        if not letters and "-" not in text and word(MessageState, row["state"]) == message_state.name.lower():
            letters = [Target(str(place), place, kind="message")]
        if not letters:
            way = f"`passerelle msg trace {place}` tells its way"
            raise OperationRefused(f"{text} is not {wanted}: nothing was changed; {way}")
        found |= {letter.label: letter for letter in letters}
    return list(found.values())


async def _letters(desk: Desk, text: str, place: int, wanted: str) -> list[Target]:
    number = read_delivery(text) if "-" in text else 0
    return [
        Target(show_delivery_id(int(row["delivery"])), place, int(row["delivery"]), str(row["destination"]), "delivery")
        for row in await desk.queries.deliveries_of(place)
        if word(DeliveryState, row["state"]) == wanted
        and ("-" not in text or int(row["delivery"]) == number)
        and word(DeliveryKind, row.get("kind", 0)) not in ("fence", "wall")
    ]


async def _dead_messages(desk: Desk, source: str, group: str, after: int, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while len(rows) < limit:
        page = await desk.queries.dead_messages(source=source, after=after, limit=_PAGE)
        for row in page:
            shown = message_row(row) | {"kind": "message", "group": fingerprint(row)}
            if group in ("", shown["group"]):
                rows.append(shown)
        if len(page) < _PAGE:
            break
        after = place_in(page[-1])
    return rows[:limit]


async def _require_names(desk: Desk, destination: str, source: str, group: str) -> None:
    """Where nothing was found: refuse names that nobody knows."""
    if destination:
        await require_destination(desk, destination)
    if source:
        await require_source(desk, source)
    if group:
        found = await dead_groups(desk)
        if not any(row["group"] == group for row in found["rows"]):
            none = unknown("group of dead letters", group, [row["group"] for row in found["rows"]])
            raise OperationRefused(f"{none}; {_WAITS_AGAIN}")


async def _dead_deliveries(
    desk: Desk, destination: str, source: str, group: str, after: int, limit: int
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while len(rows) < limit:
        page = await desk.queries.dead(destination=destination, after=after, limit=_PAGE)
        for row in page:
            if source and row["source"] != source:
                continue
            shown = delivery_row(row) | {"group": fingerprint(row)}
            if group in ("", shown["group"]):
                rows.append(shown)
        if len(page) < _PAGE:
            break
        after = int(page[-1]["delivery"])
    return rows[:limit]
