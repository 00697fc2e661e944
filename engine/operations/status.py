"""
Is anything stuck, is anything silent, is anything refused?

The state of each source and destination as a word, how old the oldest unsent message is, why, and the balance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from engine.core.lifecycle import FRAGMENT_WAITING
from engine.errors import StoreUnavailable
from engine.operations.balance import Counters, balance
from engine.operations.desk import Answer, Desk, Live
from engine.operations.former import last_takeover
from engine.operations.rows import lane_name
from engine.operations.waits import what_follows
from engine.operations.wording import age, clock, several

Moments = Mapping[tuple[str, str], int]
"""(what, name) -> milliseconds, as core.changes.Moments."""
_FINE: Final = frozenset({"ok", "waiting", "retrying", "trial", "stopped"})
_GONE: Final = "gone"
"""Of a destination that the configuration has no more."""
"""Words of a destination or source that don't degrade the whole."""
_DEAD_COUNTED: Final = 1000
_FILES_SHOWN: Final = 3
_OUTAGE: Final = "outage"
_WENT_BACK: Final = ("rollback", "return")
_LATE_MS: Final = 15 * 60_000
"""Something unsent for longer than this degrades the status, whatever the reason."""
_RESTING: Final = (
    ("unfinished", "until its end is written, or that of one before it: `passerelle code E-UNFINISHED`"),
    ("waiting_for_attachments", "until the documents are there that it or one before it names"),
    ("without_companion", "for the companion that says that it is complete"),
)
"""What a folder's door counts of files that it can't take yet, and what that means."""
_AWAITED: Final = (
    ("waiting", "the patient is known", "E-ID-WAITING"),
    ("parts", "the other parts of the same message are there", FRAGMENT_WAITING),
)
"""For what messages wait, as the store counts them."""


async def status(desk: Desk) -> Answer:
    """
    Answer the three questions.

    Returns:
        engine (`running`, `degraded`, `stopped`), since_ms, headline, problems (sentences), notes (sentences that
        degrade nothing), waits (messages that wait for a patient or for other parts: `until`, `count`,
        `first_until_ms`, `then`, `code`), alerts (those that have begun and not ended), destinations, sources (with
        their `findings`), router, store, dead_letters (how many), balance, configuration (`hash`, `path`, `changed`:
        its files that say something else now, `refused`: a sentence when the last one offered was; `verb`, `before`,
        `at_ms`, `who`, `reason`: how it came to run; `confirm_until_ms`; without an engine, the one that ran last, or
        nothing). `--watch` and the demo read the same.
    """
    try:
        return await _status(desk)
    except StoreUnavailable as error:
        if desk.live is None:
            raise
        return _without_store(desk, desk.live, str(error))


def _without_store(desk: Desk, live: Live, trouble: str) -> Answer:
    """Tell what the engine knows by itself, when not even what is on disk can be read."""
    now, engine = desk.now_ms(), live.engine()
    since = int(engine.get("started_ms") or 0)
    return {
        "v": 1,
        "engine": "degraded",
        "now_ms": now,
        "since_ms": since,
        "headline": headline("degraded", since, now),
        "problems": [str(engine.get("store_trouble") or trouble)],
        "notes": ["counts and queues stand in the store: none is shown"],
        "waits": [],
        "alerts": list(engine.get("alerts", {}).get("open", ())),
        "destinations": [],
        "sources": [],
        "router": dict(live.router()),
        "store": {"trouble": trouble},
        "dead_letters": 0,
        "balance": balance({}),
        "configuration": {},
        "version": engine.get("version", ""),
    }


async def _status(desk: Desk) -> Answer:
    now = desk.now_ms()
    counters = await desk.queries.counters()
    moments = await desk.queries.moments()
    facts = await desk.queries.facts()
    live_destinations = desk.live.destinations() if desk.live is not None else {}
    live_sources = desk.live.sources() if desk.live is not None else {}
    engine = dict(desk.live.engine()) if desk.live is not None else {}
    destinations = [
        await _destination(desk, name, counters, live_destinations.get(name, {}), moments, now)
        for name in _names(desk, "destinations", counters, live_destinations)
    ]
    sources = [
        _source(name, counters, live_sources.get(name, {}), moments, stopped=desk.live is None)
        for name in _names(desk, "sources", counters, live_sources)
    ]
    router = dict(desk.live.router()) if desk.live is not None else {}
    _add_findings(sources, live_sources, router)
    shortage, full = str(facts.get("shortage") or ""), bool(facts.get("disk_full"))
    engine["store_trouble"] = engine.get("store_trouble") or shortage
    if full:
        _wait_for_room(destinations, shortage)
    drawn = balance(counters)
    problems = _problems(engine, [] if full else destinations, sources, drawn)
    problems += await _held(desk, sources, counters, now)
    configured = await _configured(desk, engine)
    waits = await _waits(desk)
    state = "stopped" if desk.live is None else "degraded" if problems else "running"
    since = desk.stopped_since_ms if desk.live is None else int(engine.get("started_ms") or 0)
    return {
        "v": 1,
        "engine": state,
        "now_ms": now,
        "since_ms": since,
        "headline": headline(state, since, now),
        "problems": problems,
        "notes": _notes(configured, now, stopped=desk.live is None)
        + _resting_files(live_sources)
        + _waiting_messages(waits, now),
        "waits": waits,
        "alerts": _alerts(engine, full=full),
        "destinations": [row for row in destinations if row["state"] != _GONE or row["why"]],
        "sources": sources,
        "router": router,
        "store": _plain(facts),
        "dead_letters": await _dead_letters(desk, counters),
        "balance": drawn,
        "configuration": configured,
        "version": engine.get("version", ""),
    }


async def _configured(desk: Desk, engine: Mapping[str, Any]) -> dict[str, Any]:
    """Say which configuration runs or ran last, how it came to run, and which of its files say something else now."""
    last = await last_takeover(desk.queries)
    how = {key: last[key] for key in ("verb", "before", "at_ms", "who", "reason")} if last is not None else {}
    if desk.live is None:
        return {"hash": last["hash"], "confirm_until_ms": last["until_ms"]} | how if last is not None else {}
    from engine.routes.files import changed_on_disk  # late: a command that asks needs none of it

    configuration, path = desk.live.configuration(), desk.live.running.path
    return how | {
        "hash": configuration.hash,
        "path": str(path),
        "changed": await asyncio.to_thread(changed_on_disk, path, configuration),
        "refused": str(engine.get("configuration_refused") or ""),
        "confirm_until_ms": int(engine.get("confirm_until_ms") or 0),
    }


def _notes(configured: Mapping[str, Any], now: int, *, stopped: bool) -> list[str]:
    """Return what an operator should know, and what degrades nothing."""
    notes = []
    if until := configured.get("confirm_until_ms"):
        sentence = f"configuration {configured['hash']} {'was' if stopped else 'is'} on trial until {clock(until, now)}"
        if not stopped:
            notes.append(f"{sentence}: `passerelle confirm` lets it stay")
        elif until <= now:
            notes.append(f"{sentence}: when the engine starts, {configured['before']} comes back")
        else:
            notes.append(f"{sentence}: when the engine starts after that, {configured['before']} comes back")
    changed = configured.get("changed")
    if changed and configured.get("verb") in _WENT_BACK:
        when = clock(int(configured["at_ms"]), now)
        notes.append(f"configuration {configured['hash']} came back at {when}: {configured['reason']}")
    if changed:
        names = ", ".join(changed[:_FILES_SHOWN]) + (" …" if len(changed) > _FILES_SHOWN else "")
        differ = "differs" if len(changed) == 1 else "differ"
        notes.append(f"{names} {differ} from what runs: `passerelle plan` says in what, `passerelle apply` takes it")
    return notes


def _resting_files(sources: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say which folders hold files that can't be taken yet: they are no messages, and stand in no queue."""
    return [
        f"{name}: {several(count, 'file waits', 'files wait, each')} {reason}; look into {facts.get('path', '')}"
        for name, facts in sources.items()
        for key, reason in _RESTING
        if (count := int(facts.get(key) or 0))
    ]


async def _waits(desk: Desk) -> list[dict[str, Any]]:
    """Return what messages wait for that isn't there yet: they stand in no destination's queue."""
    stats = await desk.queries.identity_stats()  # no read of a stage: these wait for a silent store
    return [
        {
            "until": until, "code": code, "count": int(stats[key]), "first_until_ms": int(stats[f"{key}_until_ms"]),
            "then": what_follows(desk.configuration(), None, parts=code == FRAGMENT_WAITING),
        }
        for key, until, code in _AWAITED
        if stats[key]
    ]  # fmt: skip


def _waiting_messages(waits: list[dict[str, Any]], now: int) -> list[str]:
    """Say how many messages wait for something, until when the first of them, and what happens then."""
    said = []
    for one in waits:
        noun = several(one["count"], "message waits", "messages wait, each")
        which = "" if one["count"] == 1 else "the first "
        end = f"{which}until {clock(one['first_until_ms'], now)} at the latest"
        end += f", then: {one['then']}" if one["then"] else ""
        find = f"`passerelle msg find --state waiting`, `passerelle code {one['code']}`"
        said.append(f"{noun} until {one['until']}, {end}: {find}")
    return said


def headline(state: str, since_ms: int, now_ms: int) -> str:
    """Say the state in one line: `ENGINE STOPPED since 02:14:07`, `running for 3 h 05`."""
    if state == "stopped":
        return "ENGINE STOPPED" + (f" since {clock(since_ms, now_ms)}" if since_ms else "")
    words = "engine running" if state == "running" else "engine DEGRADED, running"
    return words + (f" for {age((now_ms - since_ms) / 1000)}" if since_ms else "")


def _names(desk: Desk, part: str, counters: Counters, live: Mapping[str, Any]) -> list[str]:
    """Names in the order of the configuration, then those that only the past knows."""
    configuration = desk.configuration()
    names = dict.fromkeys(getattr(configuration, part) if configuration is not None else ())
    names |= dict.fromkeys(live)
    wanted = "delivery" if part == "destinations" else "received"
    names |= dict.fromkeys(sorted(name for kind, name, _ in counters if kind == wanted))
    return list(names)


async def _destination(
    desk: Desk, name: str, counters: Counters, facts: Mapping[str, Any], moments: Moments, now: int
) -> dict[str, Any]:
    summary = await desk.queries.queue_summary(name, now_ms=now)
    waiting = counters.get(("delivery", name, "pending"), int(summary.get("waiting") or 0))
    oldest = summary.get("oldest_ms") or facts.get("oldest_ms") or 0
    configuration = desk.configuration()
    declared = configuration.destinations.get(name) if configuration is not None else None
    row: dict[str, Any] = {
        "name": name,
        "state": _destination_state(facts, waiting, stopped=desk.live is None),
        "oldest_ms": oldest,
        "oldest_age_s": max(0, now - oldest) // 1000 if oldest else None,
        "last_ack_ms": facts.get("last_accepted_ms")
        or moments.get(("accepted", name))
        or facts.get("last_answer_ms")
        or 0,
        "waiting": waiting,
        "retrying": int(facts.get("retrying") or summary.get("due_later") or 0),
        "parked": int(facts.get("parked") or summary.get("parked") or 0),
        "dead": counters.get(("delivery", name, "dead"), 0),
        "delivered": counters.get(("delivery", name, "delivered"), 0),
        "lanes": summary.get("lanes", 0),
        "why": str(facts.get("why") or ""),
    }
    officer = row["state"] == "parked" and facts.get("for_officer")  # the receiver's people can do nothing
    if declared is not None and declared.contact and row["state"] not in _FINE and not officer:
        row["contact"] = ", ".join(declared.contact.values())
    if configuration is not None and declared is None:
        row["why"] = row["why"] or _gone(name, waiting, row["parked"])
        row["state"] = row["state"] if row["state"] == "stopped" else _GONE
    return row


def _gone(name: str, waiting: int, parked: int) -> str:
    """Say what to do about a destination that the configuration has no more; empty: nothing of it is left."""
    if not waiting and not parked:
        return ""
    left = several(waiting + parked, "delivery waits", "deliveries wait")
    return (
        f"{name} is no longer in the configuration, and {left}: declare it again, or write `renamed_from: {name}` at "
        "the destination that takes its place, then apply"
    )


def _wait_for_room(destinations: list[dict[str, Any]], shortage: str) -> None:
    """Say that nothing leaves while no outcome can be stored: whatever else a queue met, no receiver is to blame."""
    for row in destinations:
        row.pop("contact", None)
        row["why"] = shortage if row["waiting"] else ""


def _alerts(engine: Mapping[str, Any], *, full: bool) -> list[dict[str, Any]]:
    """Return the open alerts; on a full disk without outages, which nobody can tell from the want of room."""
    alerts = engine.get("alerts", {}).get("open", ())
    return [one for one in alerts if not (full and one.get("code") == _OUTAGE)]


def _destination_state(facts: Mapping[str, Any], waiting: int, *, stopped: bool) -> str:
    """Name the state; delivery knows it (flow.delivery.status), but for what nobody waits for."""
    if stopped:
        return "stopped"
    state = str(facts.get("state") or "ok")
    if state == "stopped":
        return "blocked"  # by a dead delivery, under the policy `block`; `stopped` is the whole engine's word
    return "waiting" if state == "ok" and waiting else state


def _source(
    name: str, counters: Counters, facts: Mapping[str, Any], moments: Moments, *, stopped: bool
) -> dict[str, Any]:
    trouble = "" if stopped else str(facts.get("trouble") or "")
    state = "stopped" if stopped else "down" if trouble else "paused" if facts.get("paused") else "ok"
    return {
        "name": name,
        "state": state,
        "received": counters.get(("received", name, "total"), 0),
        "dead": counters.get(("message", name, "dead"), 0),
        "refused": sum(count for (kind, source, _), count in counters.items() if (kind, source) == ("refused", name))
        + int(facts.get("unkept_refusals") or 0),
        "connections": facts.get("connections"),
        "last_ms": facts.get("last_ms") or moments.get(("received", name)) or 0,
        "findings": {},
        "why": trouble,
    }


def _add_findings(
    rows: list[dict[str, Any]], live: Mapping[str, Mapping[str, Any]], routers: Mapping[str, Mapping[str, Any]]
) -> None:
    """Count by source what was odd in its messages: reception's findings, and those of the routers."""
    found: dict[str, dict[str, int]] = {name: dict(facts.get("findings", {})) for name, facts in live.items()}
    for facts in routers.values():
        for name, count in facts.get("findings", {}).items():
            source, _, finding = name.partition(": ")
            counted = found.setdefault(source, {})
            counted[finding] = counted.get(finding, 0) + count
    for row in rows:
        row["findings"] = dict(sorted(found.get(row["name"], {}).items(), key=lambda item: (-item[1], item[0])))


def _problems(
    engine: Mapping[str, Any], destinations: list[dict[str, Any]], sources: list[dict[str, Any]], drawn: dict[str, Any]
) -> list[str]:
    """Sentences of what is wrong, the gravest first; none: all is well."""
    found = [str(engine[key]) for key in ("store_trouble", "configuration_refused") if engine.get(key)]
    if drawn["difference"] or drawn["sources"]:
        found.append(f"the balance is off by {several(abs(drawn['difference']), 'message')}: run `passerelle doctor`")
    for row in destinations:
        late = row["oldest_age_s"] is not None and row["oldest_age_s"] * 1000 > _LATE_MS
        if row["state"] == _GONE and not row["why"]:
            continue  # nothing of it is left
        if row["state"] not in _FINE or (late and row["state"] != "stopped"):
            waiting = several(row["waiting"], "delivery waits", "deliveries wait")
            sentence = row["why"] or f"{row['name']} is {row['state']}, {waiting}"
            if late:
                sentence += f"; the oldest has waited {age(row['oldest_age_s'])}"
            if row["state"] in ("parked", "blocked") and "passerelle dead" not in sentence:
                sentence += f": `passerelle dead ls --to {row['name']}`"
            contact = row.get("contact", "")
            found.append(sentence + (f" (call {contact})" if contact and contact not in sentence else ""))
    found += [
        f"source {row['name']} is {row['state']}" + (f": {row['why']}" if row["why"] else "")
        for row in sources
        if row["state"] not in _FINE and not (row["state"] == "paused" and engine.get("store_trouble"))
    ]
    return found


async def _held(desk: Desk, sources: list[dict[str, Any]], counters: Counters, now: int) -> list[str]:
    """Say which sources, routes and lanes are held, by whom and why; a held source's row says so too."""
    found = []
    for hold in await desk.store.holds():
        if (hold.kind == "destination" and desk.live is not None) or 0 < hold.until_ms <= now:
            continue  # of a destination delivery says it itself
        name = lane_name(int(hold.name)) if hold.kind == "lane" else hold.name
        until = f" until {clock(hold.until_ms, now)}" if hold.until_ms else ""
        sentence = f"{hold.kind} {name} is held by {hold.who}{until}: {hold.reason}"
        if hold.kind == "source":
            count = counters.get(("message", name, "waiting"), 0)
            sentence += f"; {count:,} {'waits' if count == 1 else 'wait'}"
        found.append(sentence)
        for row in sources:
            if hold.kind == "source" and row["name"] == name:
                row["state"] = "held" if row["state"] == "ok" else row["state"]
                row["why"] = row["why"] or sentence
    return found


async def _dead_letters(desk: Desk, counters: Counters) -> int:
    """Count what `dead ls` lists: dead deliveries, and messages (up to a thousand) that died before any."""
    deliveries = sum(count for (kind, _, what), count in counters.items() if kind == "delivery" and what == "dead")
    if not any(count for (kind, _, what), count in counters.items() if kind == "message" and what == "dead"):
        return deliveries
    return deliveries + len(await desk.queries.dead_messages(limit=_DEAD_COUNTED))


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if isinstance(value, (str, int, float, bool)) or value is None}
