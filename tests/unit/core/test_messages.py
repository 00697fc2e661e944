"""Ids of deliveries: order, uniqueness, and the way people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.messages import Delivery, delivery_id, part_flags, place_of, read_delivery_id, show_delivery_id

PLACES = st.integers(1, 1 << 46)
ORDINALS = st.integers(0, (1 << 16) - 1)


@given(PLACES, ORDINALS, PLACES, ORDINALS)
def test_ids_are_in_order_of_place_then_copy(place: int, ordinal: int, place2: int, ordinal2: int) -> None:
    """Comparing ids compares (place, ordinal)."""
    assert (delivery_id(place, ordinal) < delivery_id(place2, ordinal2)) == ((place, ordinal) < (place2, ordinal2))


@given(PLACES, ORDINALS)
def test_written_ids_are_read_back(place: int, ordinal: int) -> None:
    """48211-0 stands for one delivery and back."""
    number = delivery_id(place, ordinal)
    assert read_delivery_id(show_delivery_id(number)) == number
    assert place_of(number) == place


@pytest.mark.parametrize("text", ["", "12", "-1", "a-1", "1-a", "1-65536", "1-2-3", "１-0x"])
def test_other_texts_are_refused(text: str) -> None:
    """What is no delivery id is not guessed."""
    with pytest.raises(ValueError, match=r"^"):
        read_delivery_id(text)


@given(st.integers(0, 65_535), st.integers(0, 65_535), st.integers(0, 255))
def test_which_part_a_delivery_is(rank: int, count: int, flags: int) -> None:
    """Stands above the flags, and touches none."""
    delivery = Delivery(1, "dpi", "r", flags=flags | part_flags(rank, count))
    assert delivery.part == (rank, count)
    assert delivery.flags & 255 == flags
