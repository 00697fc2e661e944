"""The rows that operators see: plain dicts, the same from every store (README.md explains each key)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.core.identities import ReviewState
from engine.core.lifecycle import DeliveryState
from engine.core.messages import DeliveryKind
from engine.store.counting import IDENTITY, CounterKey

KIND_NAMES: Final[dict[int, str]] = {kind.value: kind.name.lower() for kind in DeliveryKind}

MESSAGE_KEYS: Final = (
    "place", "received_ms", "source", "group", "site", "peer", "name", "format", "control_id", "type", "charset",
    "size", "state", "ending", "code", "field", "reason", "config", "linked_to", "body",
    "attachments", "joins",
)  # fmt: skip
DELIVERY_KEYS: Final = (
    "delivery", "place", "destination", "route", "kind", "type", "target", "control_id", "state", "queued", "attempts",
    "spent", "due_ms", "first_ms", "end_ms", "code", "field", "reason", "flags", "config", "copies", "replay_of",
    "lanes",
)  # fmt: skip
INTENTION_KEYS: Final = ("id", "at_ms", "who", "stage", "verb", "reason", "accepted", "outcome")
ATTEMPT_KEYS: Final = ("number", "begin_ms", "end_ms", "outcome", "code", "answer")
REFUSAL_KEYS: Final = ("id", "source", "peer", "at_ms", "code", "reason", "size")
ACTION_KEYS: Final = ("id", "at_ms", "who", "verb", "subject", "reason")
TAKEOVER_KEYS: Final = ("id", "at_ms", "who", "verb", "hash", "before", "until_ms", "reason")
REVIEW_KEYS: Final = ("id", "low", "high", "rule", "sentence", "place", "at_ms", "state")


def review_row(values: Sequence[Any]) -> dict[str, Any]:
    """Return a pair of the review list, its state as a number at the end, as operators see it."""
    *rest, state = values
    return dict(zip(REVIEW_KEYS, (*rest, ReviewState(state).name.lower()), strict=True))


def identity_stats_of(
    counters: Mapping[CounterKey, int], waiting: Sequence[int], parts: Sequence[int]
) -> dict[str, Any]:
    """
    Return the counts of the cross-reference, and of what waits.

    Args:
        counters: Of the store.
        waiting: How many messages wait for a patient, and when the first of these waits is over.
        parts: The same of parts that wait for others.
    """

    def of(name: str) -> dict[str, int]:
        found = {what: n for (kind, each, what), n in counters.items() if kind == IDENTITY and each == name and n}
        return dict(sorted(found.items()))

    return {
        "patients": of("patient").get("total", 0),
        "identifiers": of("identifier"),
        "events": of("event"),
        "reviews": of("review"),
        "waiting": waiting[0],
        "waiting_until_ms": waiting[1],
        "parts": parts[0],
        "parts_until_ms": parts[1],
    }


def add_plain_attempt(row: dict[str, Any]) -> None:
    """Add to `history` the attempt that has no row of its own: the last one, answered by a plain AA."""
    history: list[dict[str, Any]] = row["history"]
    written = any(attempt["number"] == row["attempts"] for attempt in history)
    if row["state"] == DeliveryState.DELIVERED.name.lower() and row["attempts"] and not written:
        begin = row["first_ms"] if row["attempts"] == 1 else 0
        values = (row["attempts"], begin, row["end_ms"], "ok", "", "")
        history.append(dict(zip(ATTEMPT_KEYS, values, strict=True)))
