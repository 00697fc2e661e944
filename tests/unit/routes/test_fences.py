"""Fences: where they are proposed, and where the message is its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from engine.core.lifecycle import DeliveryState
from engine.core.messages import Delivery, DeliveryKind, delivery_id
from engine.routes.fences import fences

HERE: Any = SimpleNamespace(by_patient=("dpi", "lab"), hash="h")


def made(*changed: tuple[int, int], others: tuple[int, ...] = (), deliveries: tuple[Delivery, ...] = ()) -> list[Any]:
    proposed = fences(changed, HERE, others, place=7, deliveries=deliveries)
    assert {one.kind for one in proposed} <= {DeliveryKind.FENCE}
    return [(one.destination, one.place, set(one.lanes)) for one in proposed]


def test_each_destination_gets_one() -> None:
    """With the references before and after; nothing where none changed."""
    assert made() == []
    assert made((1, 9), (2, 9)) == [("dpi", 7, {1, 2, 9}), ("lab", 7, {1, 2, 9})]


def test_a_message_is_its_own_fence() -> None:
    """Where it takes its place in all these lanes, dead ones that hold them included."""
    carries = Delivery(delivery_id(7, 0), "dpi", "r", lanes=(1, 9, 5))
    assert made((1, 9), deliveries=(carries,)) == [("lab", 7, {1, 9})]
    carries.lanes = (9,)
    assert [one[0] for one in made((1, 9), deliveries=(carries,))] == ["dpi", "lab"]
    passed = Delivery(delivery_id(7, 0), "dpi", "r", lanes=(1, 9), state=DeliveryState.DEAD, queued=False)
    assert [one[0] for one in made((1, 9), deliveries=(passed,))] == ["dpi", "lab"]


def test_other_groups_have_places_of_their_own() -> None:
    """Behind what each decided so far, also where the message itself goes."""
    carries = Delivery(delivery_id(7, 0), "dpi", "r", lanes=(1, 9))
    assert made((1, 9), others=(3, 7, 0), deliveries=(carries,)) == [
        ("dpi", 3, {1, 9}), ("lab", 7, {1, 9}), ("lab", 3, {1, 9}),
    ]  # fmt: skip
