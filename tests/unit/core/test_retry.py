"""Delays, and when an attempt counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.judgment import Outcome, Verdict
from engine.core.retry import POISON, Acceptances, dead_verdict, delay, delays_for, is_final, spent_after
from engine.routes.configuration import Delays, Retry

RETRY = Retry()


def test_delays_double_up_to_the_longest() -> None:
    """Without jitter (chance a half): 1, 2, 4 … 300 seconds."""
    delays = Delays(first=1.0, longest=300.0)
    assert [delay(delays, n, 0.5) for n in range(1, 11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert delay(delays, 10_000, 0.5) == 300


@given(st.integers(0, 10_000), st.floats(0, 0.999))
def test_a_delay_is_never_long_nor_nothing(failures: int, chance: float) -> None:
    """Jitter is a quarter at most; the longest is never passed."""
    delays = Delays(first=30.0, longest=900.0)
    assert 22.5 <= delay(delays, failures, chance) <= 900


def test_each_outcome_has_its_delays() -> None:
    """Connections are tried soon, lost answers and locks later."""
    assert delays_for(RETRY, Outcome.CONNECT) is RETRY.connect
    assert delays_for(RETRY, Outcome.UNKNOWN) is delays_for(RETRY, Outcome.PROTOCOL) is RETRY.unknown
    assert delays_for(RETRY, Outcome.BUSY) is delays_for(RETRY, Outcome.PERHAPS_BUSY) is RETRY.busy


def test_an_attempt_is_spent_only_when_another_was_accepted() -> None:
    """The first counts; the others only if the receiver took something since."""
    assert spent_after(0, 0, accepted_another=False) == 1
    assert spent_after(1, 1, accepted_another=False) == 1
    assert spent_after(1, 5, accepted_another=True) == 2


def test_when_it_is_over() -> None:
    """Refused at once; AE after two; the rest after ten; a connection never."""
    assert is_final(RETRY, Verdict(Outcome.REFUSED), 1)
    assert not is_final(RETRY, Verdict(Outcome.PERHAPS_BUSY), 1)
    assert is_final(RETRY, Verdict(Outcome.PERHAPS_BUSY), 2)
    for outcome in (Outcome.BUSY, Outcome.UNKNOWN, Outcome.PROTOCOL):
        assert not is_final(RETRY, Verdict(outcome), 9)
        assert is_final(RETRY, Verdict(outcome), 10)
    assert not is_final(RETRY, Verdict(Outcome.CONNECT), 1000)


def test_what_died_of_its_attempts_is_poison() -> None:
    """The dead letter says so, with its last failure; a refusal keeps its own code."""
    dead = dead_verdict(Verdict(Outcome.UNKNOWN, "E-NO-ANSWER", "no answer"), 10)
    assert dead.code == POISON
    assert "10 attempts" in dead.reason
    assert "E-NO-ANSWER" in dead.reason
    assert dead_verdict(Verdict(Outcome.REFUSED, "AE 103"), 1).code == "AE 103"


def test_acceptances_are_counted_between_two_attempts() -> None:
    """Each attempt looks at what was accepted since the one before; an earlier run's attempt, since the start."""
    seen = Acceptances()
    assert not seen.accepted_since(1)
    assert not seen.accepted_since(1)
    seen.accept()
    assert seen.accepted_since(1)
    assert not seen.accepted_since(1)
    assert seen.accepted_since(2), "its previous attempt was before this run"
    seen.forget(1)
    assert seen.accepted_since(1)
