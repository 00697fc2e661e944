"""
Outages and storms of one destination.

    closed    everything leaves, as many at once as the door allows
    narrow    a connection failed while others work: only as many at once as work, until the delay is over; then,
              and after each outage, one more at once with each success
    open      one probe at a time, the rest waits: the receiver is unreachable (CONNECT), hangs (HANG), answers
              what is no answer (PROTOCOL), or refuses all that is tried (STORM); CANARY after a release by an operator;
              DOUBT when much was refused while lanes wait that never were: some of those are tried before it is a STORM

An answer of any sense shows that the receiver is there: it ends CONNECT, HANG and PROTOCOL. Only a success ends
a STORM, and only a success ends the outage itself (`in_outage`): until then what an operator releases or resumes
is an attempt, and the age goes on. The probes rotate (flow.delivery passes over those that were probed), so that
one message which alone hangs or is refused can't keep the others waiting.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from engine.core.judgment import Outcome
from engine.core.retry import Limits, delay

HANG_AFTER: Final = 3
"""Unknown outcomes in a row without any answer."""
PROTOCOL_AFTER: Final = 3
STORM_REFUSALS: Final = 10
STORM_LANES: Final = 5
DOUBT_PROBES: Final = 3
"""Refusals of lanes that were never refused, before a doubt is a storm."""
_NARROW_FORGOTTEN: Final = 60.0


class Trouble(Enum):
    """Why a circuit is open."""

    NONE = ""
    CONNECT = "unreachable"
    HANG = "hangs"
    PROTOCOL = "unreadable answers"
    STORM = "refuses everything"
    CANARY = "trial after release"
    DOUBT = "trial of others"


_DELAYED_AS: Final = {
    Trouble.CONNECT: "connect",
    Trouble.HANG: "unknown",
    Trouble.PROTOCOL: "unknown",
    Trouble.STORM: "busy",
}


_REACHED: Final = {Outcome.UNKNOWN: Trouble.HANG, Outcome.PROTOCOL: Trouble.PROTOCOL}
"""What one probe says of a receiver that couldn't be reached: it can be."""
_WITHOUT_ANSWER: Final = frozenset({Outcome.CONNECT, Outcome.UNKNOWN})
_SILENT: Final = frozenset({Trouble.CONNECT, Trouble.HANG})
TRIALS: Final = frozenset({Trouble.CANARY, Trouble.DOUBT})
"""One at a time, without delay: no outage yet."""


class Circuit:
    """One destination's state; all times are monotonic seconds, given by the caller."""

    def __init__(self, limits: Limits) -> None:
        """
        Begin closed.

        Args:
            limits: The destination's `retry:`.
        """
        self._limits = limits
        self.trouble = Trouble.NONE
        self.since: float | None = None
        """
        The first failure since the last acceptance, whatever was held or resumed meanwhile; in an outage without
        answers, the first of those that had none. None: no failure.
        """
        self._silent: float | None = None
        """The first failure without an answer since the last answer, whatever it said."""
        self.in_outage = False
        """Whether it opened, and nothing was accepted since."""
        self.changed = False
        """Whether the outage began with another trouble than the last one."""
        self._kind = Trouble.NONE
        """The last trouble of this outage."""
        self.probes = 0
        """Probes that failed since it opened."""
        self.next_probe = 0.0
        self._probed_at = 0.0
        self.successes = 0
        """Deliveries accepted; compared at both ends of an attempt."""
        self._width = 0
        self._widen_at = 0.0
        self._widened_after = 0
        self._narrowed = 0
        self._unknown_in_row = 0
        self._protocol_in_row = 0
        self._refusals = 0
        self._refused_lanes: set[int] = set()
        self.epoch = 0
        """Grows when it opens, and when an operator wants an attempt: how a send of before ends is no probe's end."""

    @property
    def is_open(self) -> bool:
        """Whether only a probe may leave."""
        return self.trouble is not Trouble.NONE

    @property
    def wakes_at(self) -> float:
        """When `room` may change by time alone; 0: it won't."""
        if self.is_open:
            return self.next_probe
        return self._widen_at if self._width else 0.0

    def room(self, under_way: int, capacity: int, now: float) -> int:
        """Return how many deliveries may be sent now."""
        if self.trouble is not Trouble.NONE:
            return 1 if under_way == 0 and now >= self.next_probe else 0
        if not self._width:
            return capacity - under_way
        if self.successes > self._widened_after and now >= self._widen_at:
            self._widened_after = self.successes
            self._width += 1
            if self._width >= capacity:
                self._width = 0
                return capacity - under_way
        return self._width - under_way

    def go_on(self, since: float) -> None:
        """Go on with an outage of the previous run: nothing was accepted since (monotonic seconds, before this run)."""
        self.since, self.in_outage = since, True

    def hangs(self, since: float) -> None:
        """Nothing was answered since then, and nothing failed: an outage that only a success ends, with no probes."""
        self.since = since if self.since is None else min(self.since, since)
        self.in_outage = True

    def succeeded(self) -> Trouble:
        """The receiver accepted a delivery; return the trouble that this ended."""
        self.successes += 1
        self.since, self._silent, self.in_outage = None, None, False
        self.changed, self._kind = False, Trouble.NONE
        if self._refusals:
            self._refusals = 0
            self._refused_lanes.clear()
        return self._answered(self.trouble)

    def failed(
        self,
        outcome: Outcome,
        lane: int,
        under_way: int,
        now: float,
        chance: float,
        *,
        epoch: int,
        works: bool = False,
        counts: bool = True,
        others: bool = False,
    ) -> Trouble:
        """
        Take a failure into account; one that is an answer comes after `answered`.

        Args:
            outcome: Its class.
            lane: One of the delivery's lanes (its id when it has none).
            under_way: Other sends under way.
            now: Monotonic seconds.
            chance: For the jitter.
            epoch: That of the moment in which the send began.
            works: Another was accepted while this attempt was under way.
            counts: A refusal may be a sign of a storm (core.refusals).
            others: Something waits whose lanes were never refused.

        Returns:
            The trouble that this failure began; NONE when it began none. A probe that fails in another way
            changes the trouble silently: it is the same outage. A trial is none.
        """
        if self.since is None:
            self.since = now
        if self._silent is None and outcome in _WITHOUT_ANSWER:
            self._silent = now
        before = self.trouble
        kind = self._kind_of(outcome, lane, counts=counts)
        if kind is Trouble.CONNECT and (under_way or works) and before is Trouble.NONE:
            self._narrow(max(under_way, 1), now, chance)
            return Trouble.NONE
        if kind is Trouble.STORM and others and before is not Trouble.STORM and self._doubts(epoch, now):
            return Trouble.NONE if before is Trouble.DOUBT else Trouble.DOUBT
        if kind is not Trouble.NONE and (before is Trouble.NONE or before in TRIALS):
            if before is Trouble.DOUBT:
                kind = Trouble.STORM  # nothing contradicts what was refused: it is given back
            self._open(kind, now, chance)
            return kind
        if before is Trouble.NONE or epoch != self.epoch:
            return Trouble.NONE  # several ended together: the delay is that of the first
        self.probes += 1
        if before is Trouble.CONNECT:
            kind = _REACHED.get(outcome, kind)
        if kind is not Trouble.NONE and kind is not before:
            self._become(kind)
        self._delay(now, chance)
        return Trouble.NONE

    def answered(self) -> Trouble:
        """The receiver answered without accepting; return the trouble that this ended."""
        self._silent = None
        if self.trouble is Trouble.STORM or self.trouble in TRIALS:
            self._unknown_in_row = self._protocol_in_row = 0
            return Trouble.NONE
        return self._answered(self.trouble)

    def resume(self, now: float) -> None:
        """Try at once, because an operator says so: a trial ends, an outage goes on until a success."""
        if self.trouble in TRIALS:
            self._refusals = 0
            self._refused_lanes.clear()
            self._answered(self.trouble)
        elif self.trouble is not Trouble.NONE:
            self.epoch += 1
            self.probes, self.next_probe = 0, now

    def try_one(self, now: float) -> None:
        """Send one as a trial before the rest, after a hold; in an outage, the next probe at once."""
        self.epoch += 1
        self.next_probe = now
        if self.trouble is Trouble.NONE:
            self.trouble, self.probes = Trouble.CANARY, 0

    def _answered(self, ended: Trouble) -> Trouble:
        self._unknown_in_row = self._protocol_in_row = 0
        if ended is not Trouble.NONE:
            self.trouble = Trouble.NONE
            self.probes = 0
            self.next_probe = 0.0
            self._width = 1
            self._widened_after = self.successes - 1
        return ended

    def hasten(self) -> None:
        """Something waits that a storm never touched: it is tried after the first delay."""
        if self.is_patient:
            self.next_probe = self._probed_at + self._limits.busy.first

    @property
    def is_patient(self) -> bool:
        """Whether the next probe of a storm comes later than after the first delay."""
        # Within the jitter, nothing is to be gained.
        return self.trouble is Trouble.STORM and self.next_probe > self._probed_at + 1.25 * self._limits.busy.first

    def _doubts(self, epoch: int, now: float) -> bool:
        """Begin to doubt a storm, or go on; False when enough others were tried."""
        if self.trouble is not Trouble.DOUBT:
            self.epoch += 1
            self.trouble, self.probes, self.next_probe = Trouble.DOUBT, 0, now
        elif epoch == self.epoch:
            self.probes += 1
        return self.probes < DOUBT_PROBES

    def _kind_of(self, outcome: Outcome, lane: int, *, counts: bool) -> Trouble:
        """Count the failure; name the trouble that its kind now amounts to."""
        if outcome is Outcome.CONNECT:
            return Trouble.CONNECT
        if outcome is Outcome.UNKNOWN:
            self._unknown_in_row += 1
            return Trouble.HANG if self._unknown_in_row >= HANG_AFTER else Trouble.NONE
        if outcome is Outcome.PROTOCOL:
            self._protocol_in_row += 1
            return Trouble.PROTOCOL if self._protocol_in_row >= PROTOCOL_AFTER else Trouble.NONE
        if not counts:
            return Trouble.NONE
        self._refusals += 1
        if len(self._refused_lanes) < STORM_LANES:
            self._refused_lanes.add(lane)
        storm = self._refusals >= STORM_REFUSALS and len(self._refused_lanes) >= STORM_LANES
        return Trouble.STORM if storm else Trouble.NONE

    def _open(self, kind: Trouble, now: float, chance: float) -> None:
        self.epoch += 1
        if kind in _SILENT and not self.in_outage:
            self.since = self._silent  # a message that was refused before is no sign of it
        self.in_outage, self._width = True, 0
        self._become(kind)
        self._delay(now, chance)

    def _become(self, kind: Trouble) -> None:
        self.changed = self.changed or self._kind not in (Trouble.NONE, kind)
        self.trouble = self._kind = kind
        self.probes = 1

    def _narrow(self, width: int, now: float, chance: float) -> None:
        if self._width and now < self._widen_at:
            self._width = min(self._width, width)
            return
        # A receiver that never takes more connections is asked for more ever more seldom.
        self._narrowed = self._narrowed + 1 if now - self._widen_at < _NARROW_FORGOTTEN else 1
        self._width = min(self._width, width) if self._width else width
        self._widen_at = now + delay(self._limits.connect, self._narrowed, chance)
        self._widened_after = self.successes

    def _delay(self, now: float, chance: float) -> None:
        self._probed_at = now
        if self.trouble in TRIALS:
            self.next_probe = now
            return
        delays = getattr(self._limits, _DELAYED_AS[self.trouble])
        self.next_probe = now + delay(delays, self.probes, chance)
