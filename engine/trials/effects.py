"""
The effect of another configuration on messages that were received: each goes through both, nothing is sent.

What differs is told by destination and path; an ending by its name. A control id of our own follows the number of the
copy and is no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from engine.core.asking import answered_at_once
from engine.core.bundle import message_of
from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import Delivery, PayloadKind, StoredMessage
from engine.core.references import References
from engine.errors import ParseError
from engine.parsers import open_message
from engine.routes.configuration import Configuration
from engine.routes.decision import Evaluation
from engine.routes.evaluation import evaluate
from engine.trials.difference import Change, changes
from engine.trials.patients import Patients, Rows
from engine.trials.running import Ask, no_worker

EXAMPLES_MAX: Final = 3
PATHS_MAX: Final = 200
"""Paths counted apart; the rest counts together."""
REST: Final = "…"


class Effect(Enum):
    """What becomes of one message."""

    IDENTICAL = "identical"
    CHANGED = "changed"
    """It leaves, and something of what leaves differs."""
    NOW_PASSES = "were dead, now pass"
    NEWLY_DEAD = "newly dead"
    NEWLY_FILTERED = "newly filtered"
    """Nothing of it leaves any more."""
    NEWLY_TAKEN = "newly taken"
    """It was filtered, or no route wanted it."""


@dataclass(slots=True)
class Example:
    """One message of an effect, by its place; no value but those of `changes`."""

    place: int
    destination: str = ""
    changes: list[Change] = field(default_factory=list)
    sentence: str = ""
    """Why it is dead or filtered."""


@dataclass(slots=True)
class Effects:
    """What becomes of many messages."""

    counts: dict[Effect, int] = field(default_factory=lambda: dict.fromkeys(Effect, 0))
    paths: dict[tuple[str, str], int] = field(default_factory=dict)
    """(destination, path without ranks of segments) -> messages in which it differs."""
    reasons: dict[tuple[Effect, str], int] = field(default_factory=dict)
    """(effect, code and field) -> messages, of what is dead or filtered."""
    examples: dict[Effect, list[Example]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many messages were compared."""
        return sum(self.counts.values())

    @property
    def differs(self) -> bool:
        """Whether any message has another effect."""
        return self.counts[Effect.IDENTICAL] != self.total


class Comparison:
    """Two configurations, and what differs between them so far."""

    def __init__(
        self,
        before: Configuration,
        after: Configuration,
        references: References,
        ask: Ask = no_worker,
        rows: Rows | None = None,
    ) -> None:
        """
        Begin with no message.

        Args:
            before: The running one.
            after: The other.
            references: Hash lanes, with the data directory's key or any other.
            ask: Calls code of the hospital's own.
            rows: Reads whom the engine knows today; None: nobody is known.
        """
        self._ask = ask
        self._patients = Patients(references, rows)
        self._before = before
        self._after = after
        self._references = references
        self.effects = Effects()

    def add(self, stored: StoredMessage) -> None:
        """Put one message through both."""
        was, now = self._evaluated(self._before, stored), self._evaluated(self._after, stored)
        dead_before, dead_now = _is_dead(was), _is_dead(now)
        leaves_before, leaves_now = was.state is MessageState.ROUTED, now.state is MessageState.ROUTED
        if dead_now and not dead_before:
            self._ended(Effect.NEWLY_DEAD, stored, now)
        elif dead_before and not dead_now and leaves_now:
            self._ended(Effect.NOW_PASSES, stored, was)
        elif not leaves_now and (leaves_before or dead_before) and not dead_now:
            self._ended(Effect.NEWLY_FILTERED, stored, now)
        elif leaves_now and not leaves_before and not dead_before:
            self._ended(Effect.NEWLY_TAKEN, stored, was)
        else:
            self._compare(stored, was, now)

    def _evaluated(self, configuration: Configuration, stored: StoredMessage) -> Evaluation:
        """Evaluate; a fault of ours is what the router makes of it: a dead letter."""
        try:
            return self._patients.known(
                lambda known: answered_at_once(
                    lambda answers: evaluate(configuration, stored, self._references, answers, known), self._ask
                )
            )
        except Exception as error:
            return Evaluation(MessageState.DEAD, code="E-INTERNAL", reason=type(error).__name__)

    def _ended(self, effect: Effect, stored: StoredMessage, evaluation: Evaluation) -> None:
        code, where, reason = _why(evaluation)
        key = (effect, " ".join(filter(None, (code, where))))
        self.effects.reasons[key] = self.effects.reasons.get(key, 0) + 1
        self._count(effect, lambda: Example(stored.place, sentence=reason))

    def _compare(self, stored: StoredMessage, was: Evaluation, now: Evaluation) -> None:
        """Compare what leaves, copy by copy."""
        ours, theirs = _copies(was), _copies(now)
        example = Example(stored.place)
        differs = False
        for key in dict.fromkeys((*ours, *theirs)):
            destination = key[1]
            one, other = ours.get(key), theirs.get(key)
            if one is not None and other is not None:
                found = _of_copy(one, other)
            else:
                what = "leaves no more" if other is None else "leaves too"
                found = [Change(what, None, None, "", 0)]
            if not found:
                continue
            differs = True
            for path in dict.fromkeys(change.path for change in found):
                self._count_path(destination, path)
            if not example.changes:
                example.destination, example.changes = destination, found
        if not differs and _why(was)[:2] != _why(now)[:2]:
            differs, example.sentence = True, _why(now)[2]
        self._count(Effect.CHANGED if differs else Effect.IDENTICAL, lambda: example)

    def _count_path(self, destination: str, path: str) -> None:
        key = (destination, path)
        paths = self.effects.paths
        if key not in paths and len(paths) >= PATHS_MAX:
            key = (destination, REST)
        paths[key] = paths.get(key, 0) + 1

    def _count(self, effect: Effect, example: Callable[[], Example]) -> None:
        effects = self.effects
        effects.counts[effect] += 1
        examples = effects.examples.setdefault(effect, [])
        if effect is not Effect.IDENTICAL and len(examples) < EXAMPLES_MAX:
            examples.append(example())


def _of_copy(one: Delivery, other: Delivery) -> list[Change]:
    found: list[Change] = []
    if one.target != other.target:
        found.append(Change("topic or file name", None, None, "", 0))
    if one.lanes != other.lanes:
        found.append(Change("lanes", None, None, "", 0))
    if one.rendered is None or other.rendered is None or one.rendered == other.rendered:
        return found
    if (one.payload_kind is PayloadKind.BUNDLE) is not (other.payload_kind is PayloadKind.BUNDLE):
        found.append(Change("files beside it", None, None, "", 0))
    old, new = message_of(one), message_of(other)
    if one.control_id != other.control_id:
        new = new.replace(other.control_id.encode(), one.control_id.encode(), 1)
    if old == new:
        return found
    try:
        ours, theirs = (open_message(data, "auto", default_charset="utf-8", as_utf8=True) for data in (old, new))
        said = changes(ours, theirs)
    except (ParseError, UnicodeDecodeError, ValueError):
        said = []  # another format, as JSON
    return found + (said or [Change("bytes", None, None, "", 0)])


def _is_dead(evaluation: Evaluation) -> bool:
    return evaluation.state in (MessageState.DEAD, MessageState.REJECTED) or any(
        one.state is DeliveryState.DEAD for one in evaluation.deliveries
    )


def _why(evaluation: Evaluation) -> tuple[str, str, str]:
    """Return code, field and sentence of the message's end, or of its first dead copy."""
    for one in evaluation.deliveries:
        if one.state is DeliveryState.DEAD:
            return one.code, one.field, one.reason
    return evaluation.code, evaluation.field, evaluation.reason


def _copies(evaluation: Evaluation) -> dict[tuple[str, str, int], Delivery]:
    """Return the copies by route, destination and rank among those of both (a split gives several)."""
    copies: dict[tuple[str, str, int], Delivery] = {}
    ranks: dict[tuple[str, str], int] = {}
    for one in evaluation.deliveries:
        pair = (one.route, one.destination)
        ranks[pair] = rank = ranks.get(pair, -1) + 1
        copies[*pair, rank] = one
    return copies
