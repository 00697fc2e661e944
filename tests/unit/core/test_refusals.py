"""What a refusal says: of the receiver, or of what is sent."""

from __future__ import annotations

from engine.core.messages import Delivery
from engine.core.refusals import Refusals


def delivery(place: int, *lanes: int) -> Delivery:
    return Delivery(id=place, destination="dpi", route="r", lanes=lanes)


def test_a_lane_refused_again_after_others_were_accepted_is_no_sign() -> None:
    """As long as nothing else is accepted, each refusal may be one."""
    one = Refusals()
    assert one.refused(delivery(1, 7))
    assert one.refused(delivery(1, 7))
    one.accepted(delivery(2, 8))
    assert not one.refused(delivery(3, 7, 9)), "one of its lanes is known"
    assert one.refused(delivery(3, 7, 9)), "nothing was accepted since"
    assert one.refused(delivery(4, 10))


def test_an_acceptance_clears_its_lanes() -> None:
    """What comes next in them is like any other."""
    one = Refusals()
    one.refused(delivery(1))
    one.refused(delivery(2, 7, 8))
    one.accepted(delivery(3, 7))
    assert not one.is_marked(delivery(4, 7))
    assert one.is_marked(delivery(4, 8))
    assert one.is_marked(delivery(1)), "without lanes it is alone in its own"
    assert one.tried == {}


def test_what_an_operator_treated_is_marked() -> None:
    """It was refused in an earlier run, perhaps: what this one accepted came later."""
    one = Refusals()
    one.treated(delivery(1, 7))
    assert one.is_marked(delivery(2, 7))
    assert one.refused(delivery(2, 7)), "this run accepted nothing yet"
    one.treated(delivery(3, 9))
    one.accepted(delivery(4, 8))
    assert not one.refused(delivery(5, 9))


def test_the_tried_are_counted_by_lane() -> None:
    """Each once, those first that were tried first."""
    one = Refusals()
    for place, lane in ((1, 7), (2, 8), (1, 7)):
        one.refused(delivery(place, lane))
    assert one.tried == {1: 7, 2: 8}
