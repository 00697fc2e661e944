"""Facts of one destination for operators, and the sentence that says why nothing moves. No value of a message."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from engine.core.circuit import TRIALS, Trouble
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Hold, show_delivery_id
from engine.core.refusals import lanes_of
from engine.core.wording import age, clock
from engine.flow.delivery.queue import DestinationQueue

_FOR_OFFICER: Final = ", for an identity officer"
_AT_DOOR_SHOWN: Final = 50
_TRIED_SHOWN: Final = 3
_TRIALS: Final = {"probing": "probing", **{str(trouble.value): "trial" for trouble in TRIALS}}


def facts_of(queue: DestinationQueue, hold: Hold | None, *, now_ms: int, monotonic: float) -> dict[str, Any]:
    """
    Return what a destination's queue knows of itself.

    Keys: `state` (a word: ok, retrying, parked, held, stopped; trial: one goes ahead after a hold; down: the circuit
    is open, or nothing at the door is answered; probing: neither, and yet nothing was accepted since the outage
    began), `why` (a sentence, empty when all is well), `in_flight` (sends whose outcome isn't on disk),
    `at_door` (those whose answer is awaited), `under_way` (the first 50 of these as people write them),
    `loaded`, `more` (others wait that are not in memory), `retrying`, `parked`, `held`,
    `lanes_behind` (lanes of which something is not in memory), `circuit`,
    `circuit_since_s` (since the first failure after the last acceptance), `next_probe_ms`,
    `hold_until_ms` (None: no hold), `last_accepted_ms`,
    `last_failure` (at_ms, code, reason), `oldest` (delivery id as people write it), `full`, and the door's own
    under `door`.
    """
    lanes, circuit = queue.lanes, queue.circuit
    retrying, parked, held = _staying(queue, now_ms)
    word = _circuit_word(queue)
    probe_ms = now_ms + round((circuit.next_probe - monotonic) * 1000) if circuit.is_open else 0
    failure = queue.last_failure
    oldest = lanes.oldest
    facts: dict[str, Any] = {
        "state": _state(queue, hold, word, parked=parked, retrying=retrying),
        "why": why(queue, hold, now_ms=now_ms, monotonic=monotonic),
        "in_flight": queue.under_way,
        "at_door": queue.at_door,
        "under_way": [show_delivery_id(id_) for id_ in queue.ids_at_door(_AT_DOOR_SHOWN)],
        "loaded": lanes.live_count + lanes.blocked_count,
        "more": lanes.has_more,
        "retrying": retrying,
        "parked": parked,
        "for_officer": _is_for_officer(queue),
        "held": held,
        "lanes_behind": lanes.key_count,
        "circuit": word,
        "circuit_since_s": round(_failing_for(queue, monotonic)) if word != "closed" else 0,
        "next_probe_ms": max(probe_ms, now_ms) if circuit.is_open else 0,
        "hold_until_ms": hold.until_ms if hold is not None else None,
        "last_accepted_ms": queue.last_accepted_ms,
        "last_failure": (
            {"at_ms": failure[0], "code": failure[1].code, "reason": failure[1].reason} if failure is not None else None
        ),
        "oldest": show_delivery_id(oldest) if oldest is not None else "",
        "full": lanes.is_full,
        "door": queue.door.facts(),
    }
    return facts


def _staying(queue: DestinationQueue, now_ms: int) -> tuple[int, int, int]:
    """Count what stays first in its lanes: until its next attempt, for an operator, under a hold."""
    retrying = parked = held = 0
    for delivery, blocked in queue.lanes.loaded():
        if not blocked:
            continue
        if delivery.state is DeliveryState.DEAD:
            parked += 1
        elif delivery.due_ms > now_ms:
            retrying += 1
        else:
            held += 1
    return retrying, parked, held


def _waits(queue: DestinationQueue) -> bool:
    """Whether anything but parked dead deliveries waits or is under way."""
    lanes = queue.lanes
    return lanes.has_more or queue.under_way > 0 or lanes.live_count + lanes.blocked_count > len(queue.parking.since)


def _circuit_word(queue: DestinationQueue) -> str:
    """Name the circuit; a trial, or an outage of which only an acceptance is missing, is none with nothing to send."""
    circuit = queue.circuit
    open_as = str(circuit.trouble.value)
    if circuit.is_open and circuit.trouble not in TRIALS:
        return open_as
    if not _waits(queue):
        return "closed"
    if queue.overdue.since is not None:
        return str(Trouble.HANG.value)
    return "probing" if circuit.in_outage else open_as or "closed"


def _failing_for(queue: DestinationQueue, monotonic: float) -> float:
    """Seconds since the first failure since the last acceptance."""
    since = queue.circuit.since
    return 0.0 if since is None else monotonic - since


def _state(queue: DestinationQueue, hold: Hold | None, word: str, *, parked: int, retrying: int) -> str:
    if hold is not None:
        return "held"
    if queue.parking.stopped_by:
        return "stopped"
    if word != "closed":
        return _TRIALS.get(word, "down")
    if parked:
        return "parked"
    return "retrying" if retrying else "ok"


def _is_for_officer(queue: DestinationQueue) -> bool:
    """Whether all that holds lanes is conflicts of identity: the receiver's people can do nothing."""
    return bool(queue.parking.since) and len(queue.parking.conflicts) == len(queue.parking.since)


def why(queue: DestinationQueue, hold: Hold | None, *, now_ms: int, monotonic: float) -> str:
    """Say in words why something waits: `dpi accepts connections but has not acknowledged for 6 min; …`."""
    name, circuit = queue.name, queue.circuit
    sentence = ""
    if hold is not None:
        until = f"until {clock(hold.until_ms, now_ms)}" if hold.until_ms else "until it is released"
        sentence = f"{name} is held by {hold.who} {until}: {hold.reason}"
    elif queue.parking.stopped_by:
        dead = show_delivery_id(next(iter(queue.parking.stopped_by)))
        sentence = f"{name} is stopped by dead delivery {dead}: retry it, pass it or discard it"
    elif circuit.is_open and circuit.trouble not in TRIALS:
        failing = age(_failing_for(queue, monotonic))
        # The age is that of the outage: where the trouble changed in it, the last one is younger.
        since = "" if circuit.changed else f" for {failing}"
        number = circuit.probes + 1
        next_ms = now_ms + max(0, round((circuit.next_probe - monotonic) * 1000))
        trial = "an attempt is under way" if queue.at_door else f"attempt {number} at {clock(next_ms, now_ms)}"
        reason = queue.last_failure[1].reason if queue.last_failure is not None else ""
        what = {
            Trouble.CONNECT: f"can't be reached{since} ({reason})",
            Trouble.HANG: f"accepts connections but has not acknowledged{since}",
            Trouble.PROTOCOL: f"answers what is no acknowledgement{since} ({reason})",
            Trouble.STORM: f"refuses: {_tried(queue)}{since} ({reason})",
        }[circuit.trouble]
        sentence = f"{name} {f'is down for {failing}; now it ' if circuit.changed else ''}{what}; {trial}"
    elif (silent := queue.overdue.since) is not None:
        sentence = f"{name} has not answered for {age(monotonic - silent)}; what it was given may still arrive"
    elif circuit.in_outage and _waits(queue):
        reason = f" ({queue.last_failure[1].reason})" if queue.last_failure is not None else ""
        sentence = f"{name} has accepted nothing for {age(_failing_for(queue, monotonic))}{reason}; it is tried"
    elif queue.parking.since:
        oldest = age(monotonic - min(queue.parking.since.values()))
        count = len(queue.parking.since)
        sentence = f"{count} dead {'delivery holds its lane' if count == 1 else 'deliveries hold their lanes'}"
        sentence = f"{name}: {sentence}, the oldest for {oldest}"
        if conflicts := len(queue.parking.conflicts):
            sentence += f"; {conflicts} of identity{_FOR_OFFICER}"
    elif queue.outage.retrying:
        sentence = _retrying(queue, now_ms=now_ms, monotonic=monotonic)
    contact = queue.destination.contact
    if sentence and contact and not (sentence.endswith(_FOR_OFFICER) and _is_for_officer(queue)):
        sentence += "; contact " + ", ".join(str(value) for value in contact.values())
    return sentence


def _tried(queue: DestinationQueue) -> str:
    """Say how many of those that wait were tried since the last acceptance: `10 of 210 patients tried, all refused`."""
    tried = queue.outage.refusals.tried
    order = queue.destination.order.by
    what = {"patient": "patients", "none": "deliveries"}.get(order, "lanes")
    refused = set(tried.values())
    waiting = refused.union(lanes_of(delivery)[0] for delivery, _ in queue.lanes.loaded())
    count = f"{len(refused)} of {'more than ' if queue.lanes.has_more else ''}{len(waiting)} {what} tried, all refused"
    shown = ", ".join(show_delivery_id(id_) for id_ in islice(tried, _TRIED_SHOWN))
    return f"{count} ({shown}{', …' if len(tried) > _TRIED_SHOWN else ''})"


def _retrying(queue: DestinationQueue, *, now_ms: int, monotonic: float) -> str:
    count = len(queue.outage.retrying)
    reason = f" ({queue.last_failure[1].reason})" if queue.last_failure is not None else ""
    due = queue.next_due
    when = f"; the next at {clock(now_ms + max(0, round((due - monotonic) * 1000)), now_ms)}" if due is not None else ""
    return f"{queue.name}: {count} {'delivery is' if count == 1 else 'deliveries are'} tried again{reason}{when}"
