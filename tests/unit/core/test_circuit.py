"""Outages and storms, step by step."""

from __future__ import annotations

import pytest

from engine.core.circuit import DOUBT_PROBES, HANG_AFTER, STORM_LANES, STORM_REFUSALS, Circuit, Trouble
from engine.core.judgment import Outcome
from engine.routes.configuration import Retry


def circuit() -> Circuit:
    return Circuit(Retry())


def fail(
    one: Circuit,
    outcome: Outcome,
    lane: int = 1,
    *,
    now: float = 0.0,
    under_way: int = 0,
    epoch: int | None = None,
    counts: bool = True,
    others: bool = False,
) -> Trouble:
    if outcome in (Outcome.BUSY, Outcome.REFUSED, Outcome.PERHAPS_BUSY):
        one.answered()
    epoch = one.epoch if epoch is None else epoch
    return one.failed(outcome, lane, under_way, now, 0.5, epoch=epoch, counts=counts, others=others)


def test_a_closed_circuit_lets_the_door_be_filled() -> None:
    """As many at once as the door allows."""
    one = circuit()
    assert one.room(0, 4, 0.0) == 4
    assert one.room(3, 4, 0.0) == 1
    assert one.wakes_at == 0.0


def test_a_connection_that_fails_alone_opens_it() -> None:
    """One probe after a second, then after two, four…; a success closes it."""
    one = circuit()
    assert fail(one, Outcome.CONNECT, now=10.0) is Trouble.CONNECT
    assert one.is_open
    assert one.room(0, 4, 10.5) == 0
    assert one.wakes_at == 11.0
    assert one.room(0, 4, 11.0) == 1
    assert one.room(1, 4, 11.0) == 0, "one probe at a time"
    assert fail(one, Outcome.CONNECT, now=11.0) is Trouble.NONE, "the same outage"
    assert one.next_probe == 13.0
    assert one.succeeded() is Trouble.CONNECT
    assert one.room(0, 4, 13.0) >= 1


def test_after_an_outage_the_door_is_filled_step_by_step() -> None:
    """One more at once with each success."""
    one = circuit()
    fail(one, Outcome.CONNECT)
    one.succeeded()
    rooms = [one.room(0, 8, 100.0)]
    for _ in range(9):
        one.succeeded()
        rooms.append(one.room(0, 8, 100.0))
    assert rooms == sorted(rooms)
    assert rooms[0] <= 2
    assert rooms[-1] == 8


def test_a_connection_that_fails_while_others_work_narrows_it() -> None:
    """The others go on, and are not asked to be more for a while."""
    one = circuit()
    assert fail(one, Outcome.CONNECT, under_way=1, now=10.0) is Trouble.NONE
    assert not one.is_open
    assert one.room(0, 4, 10.5) == 1
    one.succeeded()
    assert one.room(1, 4, 10.5) == 0
    assert one.room(1, 4, 11.1) == 1, "after the delay, one more is tried"
    assert one.failed(Outcome.CONNECT, 1, 0, 12.0, 0.5, epoch=one.epoch, works=True) is Trouble.NONE, (
        "another was accepted meanwhile"
    )
    assert one.room(0, 4, 12.5) == 1


def test_unknown_outcomes_in_a_row_are_a_hang() -> None:
    """Three without any answer; an answer in between begins again."""
    one = circuit()
    for _ in range(HANG_AFTER - 1):
        assert fail(one, Outcome.UNKNOWN) is Trouble.NONE
    fail(one, Outcome.PERHAPS_BUSY)
    for _ in range(HANG_AFTER - 1):
        assert fail(one, Outcome.UNKNOWN) is Trouble.NONE
    assert fail(one, Outcome.UNKNOWN) is Trouble.HANG
    assert one.answered() is Trouble.HANG, "any answer ends a hang"


def test_a_storm_needs_many_refusals_over_several_lanes() -> None:
    """Ten over five lanes without a success; one message that is refused for ever is no storm."""
    one = circuit()
    for _ in range(100):
        assert fail(one, Outcome.REFUSED, 1) is Trouble.NONE
    one.succeeded()
    for n in range(STORM_REFUSALS - 1):
        assert fail(one, Outcome.REFUSED, n % STORM_LANES) is Trouble.NONE
    assert fail(one, Outcome.PERHAPS_BUSY, 3) is Trouble.STORM
    assert one.answered() is Trouble.NONE, "only a success ends a storm"
    assert one.is_open
    assert one.succeeded() is Trouble.STORM
    assert fail(one, Outcome.REFUSED, 9) is Trouble.NONE, "counted from nothing again"


def test_an_outage_may_change_its_face() -> None:
    """Hanging, then unreachable: the same outage, with the other delays."""
    one = circuit()
    for _ in range(HANG_AFTER):
        fail(one, Outcome.UNKNOWN)
    assert one.next_probe == 30.0
    assert fail(one, Outcome.CONNECT, now=60.0) is Trouble.NONE
    assert one.trouble is Trouble.CONNECT
    assert one.next_probe == 61.0


@pytest.mark.parametrize("late", range(0, 16, 3))
@pytest.mark.parametrize(
    ("outcome", "until"), [(Outcome.REFUSED, STORM_REFUSALS), (Outcome.UNKNOWN, HANG_AFTER), (Outcome.CONNECT, 1)]
)
def test_the_first_wait_does_not_grow_with_what_was_under_way(outcome: Outcome, until: int, late: int) -> None:
    """Sends that began before the outage end in it: they are no probes that failed."""
    one, began = circuit(), circuit().epoch
    for n in range(until):
        fail(one, outcome, n, epoch=began)
    assert one.is_open
    first = one.next_probe
    for n in range(late):
        fail(one, outcome, until + n, now=0.3, epoch=began)
    assert (one.next_probe, one.probes) == (first, 1)
    fail(one, outcome, now=first)
    assert one.probes == 2


def test_three_answers_that_are_none_open_it() -> None:
    """Another MSA-2, or no HL7 at all."""
    one = circuit()
    assert [fail(one, Outcome.PROTOCOL) for _ in range(3)] == [Trouble.NONE, Trouble.NONE, Trouble.PROTOCOL]


def test_a_trial_sends_one_until_a_success() -> None:
    """After a hold: one at a time, without delay, until one is accepted."""
    one = circuit()
    one.try_one(5.0)
    assert one.room(0, 4, 5.0) == 1
    assert one.room(1, 4, 5.0) == 0
    fail(one, Outcome.REFUSED, now=6.0)
    assert one.trouble is Trouble.CANARY
    assert one.room(0, 4, 6.0) == 1
    assert one.succeeded() is Trouble.CANARY


def test_an_operator_may_ask_for_an_attempt_at_once() -> None:
    """In an outage it is one attempt, at once, and the outage goes on with its age; delays begin again."""
    one = circuit()
    for n in range(STORM_REFUSALS):
        fail(one, Outcome.REFUSED, n, now=5.0 + n)
    assert one.room(0, 4, 15.0) == 0
    one.resume(15.0)
    assert one.trouble is Trouble.STORM
    assert one.room(0, 4, 15.0) == 1
    assert fail(one, Outcome.REFUSED, 1, now=15.0) is Trouble.NONE
    assert one.room(0, 4, 15.1) == 0
    assert (one.since, one.in_outage) == (5.0, True)
    assert one.succeeded() is Trouble.STORM
    after = (one.since, one.in_outage)
    assert after == (None, False)


def test_an_attempt_that_is_asked_for_comes_after_the_one_under_way() -> None:
    """What hangs since before an operator's word doesn't count for it."""
    one = circuit()
    for _ in range(HANG_AFTER):
        fail(one, Outcome.UNKNOWN)
    assert one.next_probe == 30.0
    began = one.epoch
    one.resume(40.0)
    assert one.room(1, 4, 40.0) == 0
    fail(one, Outcome.UNKNOWN, now=50.0, epoch=began)
    assert one.room(0, 4, 50.0) == 1
    fail(one, Outcome.UNKNOWN, now=60.0)
    assert one.room(0, 4, 60.0) == 0


def test_an_operator_may_end_a_trial() -> None:
    """Without an outage, everything leaves."""
    one = circuit()
    one.try_one(5.0)
    one.resume(6.0)
    assert not one.is_open


def test_the_end_of_a_hold_is_an_attempt_in_an_outage() -> None:
    """The trouble and its age stay, the next probe leaves at once."""
    one = circuit()
    fail(one, Outcome.CONNECT, now=10.0)
    fail(one, Outcome.CONNECT, now=11.0)
    one.try_one(11.5)
    assert one.trouble is Trouble.CONNECT
    assert one.room(0, 4, 11.5) == 1
    assert one.since == 10.0


def test_an_answer_closes_and_does_not_end_the_outage() -> None:
    """The receiver is there; that it accepts, only a success says. The age is that of the first failure."""
    one = circuit()
    for n in range(HANG_AFTER):
        fail(one, Outcome.UNKNOWN, now=10.0 * n + 1)
    assert one.answered() is Trouble.HANG
    assert not one.is_open
    assert one.in_outage
    fail(one, Outcome.CONNECT, now=100.0)
    assert one.since == 1.0
    one.succeeded()
    assert not one.in_outage


def test_a_trial_may_begin_an_outage() -> None:
    """A trial is none itself: what begins in it is told, and what died of it given back."""
    one = circuit()
    one.try_one(0.0)
    begun = [fail(one, Outcome.REFUSED, n) for n in range(STORM_REFUSALS)]
    assert begun == [*[Trouble.NONE] * (STORM_REFUSALS - 1), Trouble.STORM]


def refused(one: Circuit, count: int = STORM_REFUSALS, *, others: bool = True) -> list[Trouble]:
    return [fail(one, Outcome.REFUSED, n, others=others) for n in range(count)]


def test_before_a_storm_others_are_tried_at_once() -> None:
    """Ten refused, and lanes wait that never were: one at a time of those, without delay; all refused: a storm."""
    one = circuit()
    assert refused(one) == [*[Trouble.NONE] * (STORM_REFUSALS - 1), Trouble.DOUBT]
    assert (one.room(0, 4, 0.0), one.room(1, 4, 0.0), one.in_outage) == (1, 0, False)
    begun = refused(one, DOUBT_PROBES)
    assert begun == [*[Trouble.NONE] * (DOUBT_PROBES - 1), Trouble.STORM]
    assert (one.room(0, 4, 0.0), one.next_probe, one.in_outage) == (0, 30.0, True)


def test_a_doubt_ends_with_an_acceptance_or_with_the_others() -> None:
    """Accepted: those refused are refused for themselves. Nobody else is there: a storm."""
    one = circuit()
    refused(one)
    assert one.succeeded() is Trouble.DOUBT
    assert not one.is_open
    refused(one)
    assert fail(one, Outcome.REFUSED, 99, others=False) is Trouble.STORM


@pytest.mark.parametrize("outcome", [Outcome.CONNECT, Outcome.UNKNOWN, Outcome.PROTOCOL])
def test_a_doubt_that_nothing_contradicts_is_a_storm(outcome: Outcome) -> None:
    """Refused, then away: what died meanwhile is given back."""
    one = circuit()
    refused(one)
    begun = [fail(one, outcome) for _ in range(3)]
    assert Trouble.STORM in begun


def test_what_is_refused_for_itself_makes_no_storm() -> None:
    """Known to be refused while others are accepted: a hundred times."""
    one = circuit()
    assert {fail(one, Outcome.REFUSED, n, counts=False) for n in range(100)} == {Trouble.NONE}


def test_what_comes_anew_in_a_storm_is_tried_after_the_first_delay() -> None:
    """However long the delays have become."""
    one = circuit()
    refused(one, others=False)
    one.hasten()
    first = one.next_probe
    for _ in range(5):
        fail(one, Outcome.REFUSED, 1, now=one.next_probe)
    assert first == 30.0
    probed = one.next_probe - 900
    assert one.is_patient
    one.hasten()
    assert one.next_probe == probed + 30


@pytest.mark.parametrize(
    ("outcome", "trouble"), [(Outcome.UNKNOWN, Trouble.HANG), (Outcome.PROTOCOL, Trouble.PROTOCOL)]
)
def test_a_probe_that_gets_through_shows_that_the_receiver_can_be_reached(outcome: Outcome, trouble: Trouble) -> None:
    """One is enough: `can't be reached (no answer within 30 s)` is a contradiction."""
    one = circuit()
    fail(one, Outcome.CONNECT)
    began = (one.trouble, one.changed)
    fail(one, outcome, now=1.0)
    assert began == (Trouble.CONNECT, False)
    assert (one.trouble, one.changed, one.since, one.next_probe) == (trouble, True, 0.0, 31.0)


def test_an_outage_that_changes_its_trouble_says_so_until_it_ends() -> None:
    """Hanging, then an answer, then a storm: the same outage; the next one begins anew."""
    one = circuit()
    for _ in range(HANG_AFTER):
        fail(one, Outcome.UNKNOWN)
    refused(one, others=False)
    assert one.trouble is Trouble.STORM
    assert one.changed
    one.succeeded()
    refused(one, others=False)
    assert one.trouble is Trouble.STORM
    assert not one.changed
