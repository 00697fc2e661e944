"""What of a queue is in memory."""

from __future__ import annotations

from engine.core.lanes import Lanes
from engine.core.messages import Delivery


def test_what_can_be_seen_follows_what_happens() -> None:
    """Counts of live and blocked entries, of keys behind, and the oldest known."""
    made = Lanes(lambda one: one.id == 2, lane_length=2)
    made.needs()
    made.scanned([], -1)
    assert (made.oldest, made.has_more, made.live_count) == (None, False, 0)
    rows = [Delivery(id=n, destination="d", route="r", lanes=(n % 2,)) for n in range(1, 8)]
    made.live(rows, -1, 7)
    assert made.cursor == 7
    assert (made.live_count, made.blocked_count, made.key_count) == (2, 1, 2)
    assert made.has_more
    assert made.oldest == 1
    assert sorted((one.id, blocked) for one, blocked in made.loaded()) == [(1, False), (2, True), (3, False)]
    assert made.get(1) is rows[0]
    assert made.get(5) is None


def test_a_delivery_without_keys_is_alone_in_its_lane() -> None:
    """It waits for nobody, also when it had to be put back."""
    made = Lanes(lambda one: False)
    made.needs()
    made.scanned([], -1)
    made.live([Delivery(id=1, destination="d", route="r"), Delivery(id=2, destination="d", route="r")], -1, 2)
    assert made.take_startable() is not None
    assert made.take_startable() is not None
    made.done(2)
    made.live([Delivery(id=2, destination="d", route="r")], 2, 2)
    question = made.needs()
    assert question is not None
    made.refilled([Delivery(id=2, destination="d", route="r")])  # type: ignore[arg-type]
    again = made.take_startable()
    assert again is not None
    assert again.id == 2
    assert made.key_count == 0
