"""One send: what was under way, what it came to, and the change that puts it on disk."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from engine.core.ack import Answer
from engine.core.changes import Settle
from engine.core.judgment import DELIVERED, Outcome, Verdict, judge_answer, judge_send, judge_unreadable
from engine.core.lifecycle import DeliveryState
from engine.core.messages import Attempt, Delivery, DeliveryFlag
from engine.core.ports import SendOutcome, SendResult
from engine.core.retry import dead_verdict, delay, delays_for, is_final, spent_after
from engine.errors import ParseError
from engine.parsers.hl7v2.ack import read_ack
from engine.routes.configuration import DeadLetter, Destination, Retry

_ANSWER_BYTES_MAX: Final = 4096


class Slots:
    """In-flight slots of the store, one for each delivery whose outcome isn't on disk yet; low numbers first."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._next = 0

    def take(self) -> int:
        """Return a slot of one's own."""
        if self._free:
            return heappop(self._free)
        self._next += 1
        return self._next - 1

    def give(self, slot: int) -> None:
        """Give a slot back: the outcome is on disk, or nothing left."""
        heappush(self._free, slot)


@dataclass(slots=True)
class Failure:
    """What is known when an attempt failed."""

    verdict: Verdict
    now_ms: int
    chance: float
    policy: DeadLetter
    accepted_another: bool
    """Since this delivery's previous attempt (core.retry)."""
    counts: bool
    """False in an outage, where an attempt says nothing about its message."""


class Flight:
    """A delivery at the door, or whose outcome is being stored."""

    __slots__ = (
        "answer", "apart", "begin_ms", "data", "delivery", "epoch", "settle", "since", "slot", "successes", "verdict",
    )  # fmt: skip

    def __init__(self, delivery: Delivery, slot: int, begin_ms: int, *, apart: bool) -> None:
        """Take off."""
        self.delivery = delivery
        self.slot = slot
        self.begin_ms = begin_ms
        self.apart = apart
        self.verdict: Verdict = DELIVERED
        self.answer: Answer | None = None
        self.data = b""
        self.settle: Settle | None = None
        self.since = 0.0
        """Take-off, monotonic."""
        self.successes = 0
        """What the destination had accepted at take-off."""
        self.epoch = 0
        """The circuit's at take-off."""

    def judge(self, outcome: SendOutcome, destination: Destination) -> Verdict:
        """Judge how it ended (core.judgment) and remember the answer."""
        if outcome.result is not SendResult.ANSWERED:
            self.verdict = judge_send(outcome.result, outcome.reason)
            return self.verdict
        self.data = outcome.data
        try:
            self.answer = read_ack(outcome.data)
        except ParseError as error:
            self.verdict = judge_unreadable(error.reason)
        else:
            match = destination.ack_match == "control_id"
            self.verdict = judge_answer(self.answer, self.delivery.control_id, destination.answers, match=match)
        return self.verdict

    def settled(
        self, *, state: DeliveryState, queued: bool, end_ms: int, spent: int, due_ms: int, verdict: Verdict
    ) -> Settle:
        """Return the change that stores the outcome."""
        delivery = self.delivery
        flags = delivery.flags
        if state is not DeliveryState.DELIVERED and verdict.outcome in (Outcome.UNKNOWN, Outcome.PROTOCOL):
            flags |= DeliveryFlag.POSSIBLE_DUPLICATE
        if self.apart and state is DeliveryState.DELIVERED:
            flags |= DeliveryFlag.PASSED_FAULT
        self.settle = Settle(
            delivery=delivery.id,
            destination=delivery.destination,
            expected_attempt=delivery.attempts,
            state=state,
            queued=queued,
            begin_ms=self.begin_ms,
            end_ms=end_ms,
            spent=spent,
            due_ms=due_ms,
            code=verdict.code,
            field=verdict.field,
            reason=verdict.reason,
            flags=flags,
            attempt=self._attempt(end_ms),
            copies=delivery.copies,
        )
        return self.settle

    def failed(self, failure: Failure, retry: Retry) -> Settle:
        """Return the change that stores a failed attempt: tried again at its time, at once as a probe, or dead."""
        delivery, verdict, now_ms = self.delivery, failure.verdict, failure.now_ms
        if not failure.counts:
            return self.settled(
                state=DeliveryState.PENDING, queued=True, end_ms=now_ms, spent=0, due_ms=0, verdict=verdict
            )
        spent = spent_after(delivery.spent, delivery.attempts, accepted_another=failure.accepted_another)
        if is_final(retry, verdict, spent):
            policy = failure.policy
            return self.settled(
                state=DeliveryState.DEAD,
                queued=policy.lane != "pass",
                end_ms=now_ms,
                spent=spent,
                due_ms=now_ms + int(policy.results_wait * 1000) if policy.lane == "park" else 0,
                verdict=dead_verdict(verdict, spent),
            )
        seconds = delay(delays_for(retry, verdict.outcome), delivery.attempts + 1, failure.chance)
        return self.settled(
            state=DeliveryState.PENDING,
            queued=True,
            end_ms=now_ms,
            spent=spent,
            due_ms=now_ms + int(seconds * 1000),
            verdict=verdict,
        )

    def _attempt(self, end_ms: int) -> Attempt | None:
        """The history's row; a first attempt with a plain AA lives in the delivery's own."""
        answer, verdict, delivery = self.answer, self.verdict, self.delivery
        if (
            verdict is DELIVERED
            and delivery.attempts == 0
            and (answer is None or (answer.code == "AA" and not answer.errors))
        ):
            return None
        code = verdict.code or (answer.code if answer is not None else "")
        return Attempt(
            delivery.id,
            delivery.attempts + 1,
            self.begin_ms,
            end_ms,
            verdict.outcome.value,
            code,
            self.data[:_ANSWER_BYTES_MAX],
        )


def passive_settle(delivery: Delivery, now_ms: int) -> Settle:
    """Return the change that ends a fence or a wall."""
    return Settle(
        delivery=delivery.id,
        destination=delivery.destination,
        expected_attempt=delivery.attempts,
        state=DeliveryState.DELIVERED,
        queued=False,
        begin_ms=now_ms,
        end_ms=now_ms,
        flags=delivery.flags,
        copies=delivery.copies,
    )


def apply_settle(delivery: Delivery, settle: Settle) -> None:
    """Make the delivery in memory equal to its row."""
    delivery.attempts = settle.expected_attempt + 1
    delivery.state = settle.state
    delivery.queued = settle.queued
    delivery.spent = settle.spent
    delivery.due_ms = settle.due_ms
    delivery.code = settle.code
    delivery.field = settle.field
    delivery.reason = settle.reason
    delivery.flags = settle.flags | delivery.flags & DeliveryFlag.PARTED  # it may have been marked since
