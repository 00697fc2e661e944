"""Lanes by hand: the promises one by one. The property test (tests/property/test_lanes.py) mixes them."""

from __future__ import annotations

from engine.core.lanes import Lanes, Refill, Scan
from engine.core.messages import Delivery, DeliveryKind


def delivery(place: int, *keys: int, kind: DeliveryKind = DeliveryKind.BYTES) -> Delivery:
    return Delivery(id=place, destination="d", route="r", lanes=keys, kind=kind)


def lanes(window: int = 1000, lane_length: int = 16, **bounds: int) -> tuple[Lanes, set[int]]:
    """Lanes that have read an empty queue, and the set of ids that stay."""
    staying: set[int] = set()
    made = Lanes(lambda one: one.id in staying, window=window, lane_length=lane_length, **bounds)
    assert isinstance(made.needs(), Scan)
    made.scanned([], -1)
    return made, staying


def started(made: Lanes) -> list[int]:
    ids = []
    while (one := made.take_startable()) is not None:
        ids.append(one.id)
    return ids


def test_what_is_committed_in_step_is_taken_without_a_read() -> None:
    """The very objects leave, oldest first; lanes wait for their head."""
    made, _ = lanes()
    one = delivery(1, 7)
    made.live([one, delivery(2, 7), delivery(3, 8), delivery(4)], -1, 4)
    assert made.needs() is None
    assert made.take_startable() is one
    assert started(made) == [3, 4]
    made.done(1)
    assert started(made) == [2]


def test_what_is_not_in_step_is_found_by_reading() -> None:
    """A commit after one that wasn't seen is forgotten, and read."""
    made, _ = lanes()
    made.live([delivery(9, 7)], 5, 9)
    assert started(made) == []
    question = made.needs()
    assert question == Scan(-1, 500)
    made.scanned([delivery(5, 7), delivery(9, 7)], 9)
    assert started(made) == [5]


def test_several_keys_wait_for_all_of_them() -> None:
    """A merge waits for both patients, and holds both."""
    made, _ = lanes()
    made.live([delivery(1, 7), delivery(2, 8), delivery(3, 7, 8), delivery(4, 8)], -1, 4)
    assert started(made) == [1, 2]
    made.done(1)
    assert started(made) == []
    made.done(2)
    assert started(made) == [3]
    made.done(3)
    assert started(made) == [4]


def test_memory_is_bounded_and_lanes_are_filled_again() -> None:
    """Beyond the length of a lane only its key stays; half-empty, it is read again."""
    made, _ = lanes(lane_length=4)
    all_of_them = [delivery(n, 7) for n in range(1, 11)]
    made.live(all_of_them, -1, 10)
    assert made.live_count == 4
    assert made.key_count == 1
    for place in (1, 2):
        assert started(made) == [place]
        made.done(place)
    question = made.needs()
    assert question == Refill(7, 5, 4)
    made.refilled(all_of_them[4:8])
    assert made.live_count == 4, "a lane is filled up to its length"


def test_the_window_stops_the_scan() -> None:
    """No more live entries than the window."""
    made, _ = lanes(window=4)
    made.live([delivery(n, n) for n in range(1, 11)], -1, 10)
    assert made.live_count == 4
    assert made.needs() is None
    assert started(made) == [1, 2, 3, 4]
    made.done(1)
    assert made.needs() == Scan(4, 4)


def test_a_blocked_head_holds_its_lane_and_only_its_key_stays() -> None:
    """What is behind it leaves memory, and comes back when it is free."""
    made, _ = lanes()
    made.live([delivery(1, 7), delivery(2, 7), delivery(3, 8)], -1, 3)
    assert started(made) == [1, 3]
    made.block(1)
    assert made.is_blocked(1)
    assert made.get(2) is None
    assert made.unblock(1)
    assert started(made) == [1]
    made.done(1)
    assert made.needs() == Refill(7, 2, 16)
    made.refilled([delivery(2, 7)])
    assert started(made) == [2]


def test_what_stays_is_asked_at_loading_and_before_leaving() -> None:
    """A hold set meanwhile keeps what was free; its place is kept."""
    made, staying = lanes()
    staying.add(1)
    made.live([delivery(1, 7), delivery(2, 8)], -1, 2)
    assert made.is_blocked(1)
    staying.add(2)
    assert started(made) == []
    assert made.is_blocked(2)
    staying.clear()
    made.unblock(2)
    made.unblock(1)
    assert started(made) == [1, 2]


def test_a_retry_takes_its_place_again() -> None:
    """What is behind it and hasn't started waits for it."""
    made, _ = lanes()
    made.live([delivery(5, 7), delivery(6, 8)], -1, 6)
    made.live([delivery(2, 7)], 6, 6)
    assert started(made) == [6]
    assert made.needs() == Refill(7, 2, 16)
    made.refilled([delivery(2, 7), delivery(5, 7)])
    assert started(made) == [2]


def test_one_that_comes_back_to_its_lanes_may_have_been_overtaken() -> None:
    """Started, not sent, and an earlier one came: it waits for that one."""
    made, _ = lanes()
    made.live([delivery(5, 7)], -1, 5)
    assert started(made) == [5]
    made.insert(delivery(2, 7))
    made.back(5)
    assert started(made) == []
    made.needs()
    made.refilled([delivery(2, 7), delivery(5, 7)])
    assert started(made) == [2]


def test_fences_are_given_apart_and_hold_their_lanes() -> None:
    """A fence is never startable; what is behind it waits until it is done."""
    made, _ = lanes()
    made.live([delivery(1, 7), delivery(2, 7, 8, kind=DeliveryKind.FENCE), delivery(3, 8)], -1, 3)
    assert made.take_passive() is None
    assert started(made) == [1]
    made.done(1)
    fence = made.take_passive()
    assert fence is not None
    assert fence.id == 2
    assert started(made) == []
    made.done(2)
    assert started(made) == [3]


def test_a_wall_waits_for_all_before_it() -> None:
    """Nothing behind a wall is even loaded."""
    made, _ = lanes()
    made.live([delivery(1, 7), delivery(2, kind=DeliveryKind.WALL), delivery(3, 9)], -1, 3)
    assert started(made) == [1]
    assert made.needs() is None
    made.done(1)
    assert made.needs() == Scan(1, 500)
    made.scanned([delivery(2, kind=DeliveryKind.WALL), delivery(3, 9)], 3)
    wall = made.take_passive()
    assert wall is not None
    made.done(wall.id)
    assert started(made) == [3]


def test_avoided_ones_keep_their_turn() -> None:
    """Probes rotate: those avoided come first again later."""
    made, _ = lanes()
    made.live([delivery(n, n) for n in (1, 2, 3)], -1, 3)
    second = made.take_startable(lambda one: one.id == 1)
    assert second is not None
    assert second.id == 2
    assert started(made) == [1, 3]


def test_the_youngest_may_be_asked_for() -> None:
    """Of those that may leave: not behind another of its lane, not avoided, not one that stays."""
    made, stays = lanes()
    made.live([delivery(n, min(n, 4)) for n in (1, 2, 3, 4, 5)], -1, 5)
    assert made.has_startable(lambda one: one.id < 4)
    assert not made.has_startable(lambda one: one.id < 5), "5 stands behind 4"
    stays.add(3)
    taken = made.take_newest(lambda one: one.id == 4)
    assert taken is not None
    assert taken.id == 2
    assert made.is_blocked(3)
    assert started(made) == [1, 4]
    assert made.take_newest(lambda one: False) is None


def test_a_failed_read_is_asked_again() -> None:
    """Nothing is lost when a read fails."""
    made = Lanes(lambda one: False)
    assert made.needs() == Scan(-1, 500)
    assert made.needs() is None, "one read at a time"
    made.unanswered()
    assert made.needs() == Scan(-1, 500)


def test_what_ended_while_a_read_was_under_way_is_not_loaded() -> None:
    """The rows are older than what is known."""
    made = Lanes(lambda one: False)
    made.needs()
    made.gone(1, (7,))
    made.scanned([delivery(1, 7), delivery(2, 7)], 2)
    assert started(made) == [2]


def test_the_scan_stops_when_keys_fill_the_memory() -> None:
    """And says so."""
    made, staying = lanes(keys_max=3)
    staying.update({1, 2, 3})
    made.live([delivery(n, n) for n in range(1, 6)], -1, 5)
    assert made.is_full
    assert made.blocked_count == 3
    assert made.needs() is None
    assert made.oldest == 1


def test_one_set_apart_is_not_loaded_until_it_ends() -> None:
    """A result that passes: its lane waits for it, even when its head goes."""
    made, staying = lanes()
    staying.add(1)
    made.live([delivery(1, 7), delivery(2, 7), delivery(3, 7)], -1, 3)
    made.watch()
    assert made.set_apart(delivery(2, 7))
    made.unwatch()
    made.gone(1, (7,))
    made.needs()
    made.refilled([delivery(2, 7), delivery(3, 7)])
    assert started(made) == []
    made.gone(2, (7,))
    made.needs()
    made.refilled([delivery(3, 7)])
    assert started(made) == [3]
