"""
When to try again, and when an attempt counts.

An attempt is *spent* only if the destination accepted another delivery since this one's previous attempt: so an
outage spends nothing, and a message that alone is refused or hangs becomes dead. The first attempt that fails
counts as the first.
"""

from __future__ import annotations

from typing import Final, Protocol

from engine.core.judgment import Outcome, Verdict

POISON: Final = "E-POISON"


class Delays(Protocol):
    """First and longest delay, in seconds (routes.configuration.Delays)."""

    @property
    def first(self) -> float:
        """After the first failure."""

    @property
    def longest(self) -> float:
        """Never more."""


class Limits(Protocol):
    """`retry:` of a destination (routes.configuration.Retry)."""

    @property
    def connect(self) -> Delays:
        """Between connections."""

    @property
    def unknown(self) -> Delays:
        """After a lost or unreadable answer."""

    @property
    def busy(self) -> Delays:
        """After a refusal that may pass."""

    @property
    def attempts(self) -> int:
        """Spent attempts after which a delivery is dead."""

    @property
    def refused_attempts(self) -> int:
        """The same for AE and CE without a reason."""


def delay(delays: Delays, failures: int, chance: float) -> float:
    """
    Return the seconds until the next attempt: doubling, with a jitter of a quarter, never above the longest.

    Args:
        delays: First and longest.
        failures: Failures in a row, from 1.
        chance: 0 <= chance < 1.
    """
    # Beyond 2^40 first delays, the longest was reached long ago; a float stays exact.
    plain = min(delays.first * 2.0 ** min(max(failures, 1) - 1, 40), delays.longest)
    return min(plain * (0.75 + 0.5 * chance), delays.longest)


def delays_for(limits: Limits, outcome: Outcome) -> Delays:
    """Return the delays that an outcome asks for."""
    if outcome is Outcome.CONNECT:
        return limits.connect
    if outcome in (Outcome.UNKNOWN, Outcome.PROTOCOL):
        return limits.unknown
    return limits.busy


def spent_after(spent: int, attempts: int, *, accepted_another: bool) -> int:
    """
    Return the attempts spent, after a failed one.

    Args:
        spent: Before.
        attempts: Attempts made before this one.
        accepted_another: The destination accepted another delivery since this one's previous attempt.
    """
    return spent + 1 if attempts == 0 or accepted_another else spent


def is_final(limits: Limits, verdict: Verdict, spent: int) -> bool:
    """Whether a failed delivery is dead: refused, or its attempts (this one included) are spent."""
    outcome = verdict.outcome
    if outcome is Outcome.REFUSED:
        return True
    if outcome is Outcome.PERHAPS_BUSY:
        return spent >= limits.refused_attempts
    return outcome is not Outcome.CONNECT and spent >= limits.attempts


def dead_verdict(verdict: Verdict, spent: int) -> Verdict:
    """Return the verdict that a dead letter shows: E-POISON when it died of its attempts."""
    if verdict.outcome in (Outcome.REFUSED, Outcome.PERHAPS_BUSY):
        return verdict
    reason = f"{spent} attempts failed while others were accepted; the last: {verdict.code}, {verdict.reason}"
    return Verdict(verdict.outcome, POISON, reason, verdict.field)


class Acceptances:
    """Remembers, for deliveries that failed, how much the destination had accepted at their previous attempt."""

    def __init__(self) -> None:
        self._accepted = 0
        self._before: dict[int, int] = {}

    def accept(self) -> None:
        """The destination accepted a delivery."""
        self._accepted += 1

    def accepted_since(self, delivery: int) -> bool:
        """
        Whether it accepted another since this one's previous attempt; asked once, at the end of an attempt.

        A delivery whose previous attempt was in an earlier run counts what was accepted in this one.
        """
        before = self._before.get(delivery, 0)
        self._before[delivery] = self._accepted
        return self._accepted > before

    def forget(self, delivery: int) -> None:
        """The delivery ended."""
        self._before.pop(delivery, None)
