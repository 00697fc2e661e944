"""The counters again, by scanning: the oracle of doctor and of the conformance suite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from engine.store.counting import COUNTED_KINDS, DELIVERY_STATE_NAMES, CounterKey, ending_of


def recount_rows(
    messages: Iterable[tuple[int, str, int]],
    deliveries: Iterable[tuple[int, str, int, int]],
    kept: Mapping[CounterKey, int],
) -> dict[CounterKey, int]:
    """
    Count messages and deliveries.

    Args:
        messages: (place, source, state).
        deliveries: (place, destination, kind, state).
        kept: The counters kept, of which `pruned` and `pruned_delivery` are added: a scan can't find these.

    Returns:
        What the kinds `received`, `message` and `delivery` must be, without zeros.
    """
    counts: dict[CounterKey, int] = defaultdict(int)
    copies: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, destination, kind, state in deliveries:
        copies[place].append((kind, state))
        if kind in COUNTED_KINDS:
            counts["delivery", destination, DELIVERY_STATE_NAMES[state]] += 1
    for place, source, state in messages:
        counts["received", source, "total"] += 1
        counts["message", source, ending_of(state, copies.get(place, ()))] += 1
    return add_pruned(counts, kept)


def add_pruned(counts: dict[CounterKey, int], kept: Mapping[CounterKey, int]) -> dict[CounterKey, int]:
    """Add what was removed after its retention, as the counters say; leave out zeros."""
    for (kind, name, what), count in kept.items():
        if kind == "pruned":
            counts["message", name, what] = counts.get(("message", name, what), 0) + count
            counts["received", name, "total"] = counts.get(("received", name, "total"), 0) + count
        elif kind == "pruned_delivery":
            counts["delivery", name, what] = counts.get(("delivery", name, what), 0) + count
    return {key: count for key, count in counts.items() if count}
