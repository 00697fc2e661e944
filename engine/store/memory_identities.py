"""The cross-reference of the memory store: what decisions and acts do to it, and what is read of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from engine.core.changes import Identify, Route, events_of
from engine.core.identities import IdentityEvent, IdentityFacts, IdentityRows, ReviewState
from engine.core.lifecycle import MessageState
from engine.core.messages import Delivery, DeliveryFlag, DeliveryKind
from engine.core.parting import parted_by
from engine.store import identity_rules as rules
from engine.store.counting import IDENTITY, CounterKey, Tally
from engine.store.memory_rows import DeliveryRow, MemoryDisk, Undo


def decide(disk: MemoryDisk, change: Route, undo: Undo, tally: Tally) -> None:
    """
    Apply the identity part of a routing decision, whose message and deliveries are written.

    Raises:
        ChangeRefused: It breaks a rule, or another event came in between.
    """
    rules.check_identity(change)
    _put_events(disk, change.identity, undo, tally)
    if change.wait is not None:
        undo.put("waits", change.place, change.wait)
    else:
        undo.remove("waits", change.place)
    kept = _put_fences(disk, change.fences, undo)
    change.released = _release(disk, change.releases, undo, tally)
    change.fences = kept
    change.parted = _mark_parted(disk, change, undo)


def act(disk: MemoryDisk, change: Identify, undo: Undo, tally: Tally) -> None:
    """
    Apply an operator's act.

    Raises:
        ChangeRefused: Another event came in between.
    """
    rules.check_fences(change.fences)
    _put_events(disk, events_of(change), undo, tally)
    if change.next_patient > disk.next_patient:
        undo.set("next_patient", change.next_patient)
    kept = _put_fences(disk, change.fences, undo)
    change.released = _release(disk, change.releases, undo, tally)
    change.fences = kept
    change.parted = _mark_parted(disk, change, undo)


def _mark_parted(disk: MemoryDisk, change: Route | Identify, undo: Undo) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Mark what was made while patients were one who are parted; return it by destination."""
    keys = parted_by(events_of(change))
    found: dict[str, list[int]] = {}
    for place in list(disk.places) if keys else ():
        if keys.isdisjoint(disk.messages[place].keys) or (isinstance(change, Route) and place == change.place):
            continue
        for row in [disk.deliveries[key] for key in disk.siblings(place)]:
            one = row.delivery
            if one.kind is DeliveryKind.BYTES and one.state in rules.MARKED:
                marked = replace(one, flags=one.flags | DeliveryFlag.PARTED)
                undo.put("deliveries", one.id, replace(row, delivery=marked))
                found.setdefault(one.destination, []).append(one.id)
    return tuple((destination, tuple(ids)) for destination, ids in found.items())


def _put_events(disk: MemoryDisk, events: list[IdentityEvent], undo: Undo, tally: Tally) -> None:
    for event in events:
        current = rules.Current(disk.identifiers.copy(), disk.patients.copy(), disk.reviews.copy())
        current.apply(event, tally)
        for table, touched in (("identifiers", event.identifiers), ("patients", event.patients)):
            for key, (_, after) in touched.items():
                _put_or_remove(undo, table, key, after)
        for pair, (_, review) in event.reviews.items():
            if pair not in disk.review_numbers:
                undo.put("review_numbers", pair, max(disk.review_numbers.values(), default=0) + 1)
            _put_or_remove(undo, "reviews", pair, review)
            if review is None:
                undo.remove("review_numbers", pair)
        number = disk.next_event
        undo.set("next_event", number + 1)
        event.id = number
        undo.put("identity_events", number, replace(event))
    undo.set("next_patient", max(disk.next_patient, rules.next_patient(events)))


def _put_or_remove(undo: Undo, table: str, key: int | tuple[int, int], row: object) -> None:
    if row is None:
        undo.remove(table, key)
    else:
        undo.put(table, key, row)


def _put_fences(disk: MemoryDisk, fences: Iterable[Delivery], undo: Undo) -> list[Delivery]:
    """Keep what is needed: each at its place, or at the last message before it."""
    kept = []
    for fence in fences:
        place = fence.place
        if place not in disk.messages:
            place = max((each for each in disk.places if each <= place), default=0)
        if not place:
            continue
        below = rules.fence_end(place)
        queued = (disk.deliveries[key].delivery for key in disk.queued.get(fence.destination, ()) if key < below)
        if any(not set(fence.lanes).isdisjoint(one.lanes) for one in queued):
            taken = [key for key in disk.siblings(place) if rules.fence_base(place) <= key < below]
            one = replace(fence)
            rules.number_fence(one, max(taken, default=rules.fence_base(place) - 1) + 1)
            undo.put("deliveries", one.id, DeliveryRow(replace(one)))
            undo.put("deliveries_by_place", place, [*disk.siblings(place), one.id])
            kept.append(one)
    return kept


def _release(disk: MemoryDisk, hashes: Collection[int], undo: Undo, tally: Tally) -> list[int]:
    places = sorted(place for place, wait in disk.waits.items() if not set(hashes).isdisjoint(wait.hashes))
    for place in places:
        row = disk.messages[place]
        message = replace(row.message, state=MessageState.RECEIVED)
        undo.put("messages", place, replace(row, message=message, code="", field="", reason=""))
        undo.remove("waits", place)
        tally.message(message.source, "waiting", "received")
    return places


def prune_events(disk: MemoryDisk, before_ms: int, undo: Undo, tally: Tally) -> None:
    """Forget old events of which no identifier and no patient is left; never the newest."""
    for number, event in list(disk.identity_events.items())[:-1]:
        if event.at_ms >= before_ms or any(key in disk.identifiers for key in event.identifiers):
            continue
        if not any(key in disk.patients for key in event.patients):
            undo.remove("identity_events", number)
            tally.add((IDENTITY, "event", event.rule), -1)


def recount(disk: MemoryDisk) -> dict[CounterKey, int]:
    """Count the rows of the cross-reference again."""
    return rules.count_rows(
        len(disk.patients),
        Counter(row.kind.value for row in disk.identifiers.values()),
        Counter(event.rule for event in disk.identity_events.values()),
        Counter(row.state.value for row in disk.reviews.values()),
    )


# --- reading ---


def identities(
    disk: MemoryDisk, identifiers: Collection[int], patients: Collection[int], traits: Collection[int]
) -> IdentityRows:
    """What is known of some identifiers, patients and strict traits."""
    found = {key: disk.identifiers[key] for key in identifiers if key in disk.identifiers}
    stays = {row.under for row in found.values() if row.under}
    found |= {key: disk.identifiers[key] for key in stays if key in disk.identifiers}
    alike = {key: tuple(sorted(disk.alike[key])[: rules.ALIKE_MAX]) for key in traits if disk.alike.get(key)}
    wanted = {row.patient for row in found.values()}.union(patients, *alike.values())
    rows = {key: disk.patients[key] for key in wanted if key in disk.patients}
    reviews = {pair: row for pair, row in disk.reviews.items() if pair[0] in wanted and pair[1] in wanted}
    return IdentityRows(found, rows, alike, reviews)


def waiting_until(disk: MemoryDisk, now_ms: int, limit: int) -> list[int]:
    """Messages whose wait is over, those first whose wait ended first."""
    over = sorted((wait.until_ms, place) for place, wait in disk.waits.items() if wait.until_ms <= now_ms)
    return [place for _, place in over[:limit]]


def waiting_for(disk: MemoryDisk, hashes: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Messages that wait for one of these hashes, each with all of its own."""
    wanted = set(hashes)
    found = {place: tuple(dict.fromkeys(wait.hashes)) for place, wait in sorted(disk.waits.items())}
    return {place: own for place, own in found.items() if not wanted.isdisjoint(own)}


def linked(disk: MemoryDisk, hashes: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Messages that are linked with these hashes, or the other ends of them, directly or not."""
    found: dict[int, tuple[int, ...]] = {}
    wanted = set(hashes)
    while wanted and len(found) < 1_000:
        fresh = waiting_for(disk, {one for hash_ in wanted for one in (hash_ & ~1, hash_ | 1)})
        wanted = {hash_ for place, own in fresh.items() if place not in found for hash_ in own}
        found |= fresh
    return dict(sorted(found.items())[:1_000])


def identity_facts(disk: MemoryDisk) -> IdentityFacts:
    """The next patient, when the next wait ends, and counts."""
    return IdentityFacts(
        disk.next_patient,
        len(disk.identifiers),
        len(disk.patients),
        len(disk.identity_events),
        sum(row.state == ReviewState.OPEN for row in disk.reviews.values()),
        len(disk.waits),
        min((wait.until_ms for wait in disk.waits.values()), default=0),
    )
