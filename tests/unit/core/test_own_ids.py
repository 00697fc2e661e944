"""The id under which a delivery leaves: not given again by a restored directory, kept by what is sent again."""

from __future__ import annotations

import pytest

from engine.core.messages import delivery_id, read_delivery_id
from engine.core.own_ids import former_id, later_id, own_id

NOW_MS = 1_790_000_000_000


@pytest.mark.parametrize(
    ("place", "ordinal"), [(1, 0), (48_211, 0), (99_999_999, 9_999), (10**9, 32_767), (2**47 - 1, 32_767), (2**32, 1)]
)
def test_at_most_twenty_characters(place, ordinal):
    """HL7 v2.5 § 2.14.9.10; another second, place or copy is another id, and the former one is found again."""
    ids = {
        own_id(delivery_id(place + more, ordinal), at_ms)
        for more in (0, 1) for at_ms in (NOW_MS, NOW_MS + 1000)
    }  # fmt: skip
    assert len(ids) == 4
    assert all(len(one) <= 20 and one.isascii() for one in ids)
    for one in ids & {own_id(delivery_id(place, ordinal), NOW_MS)}:
        assert former_id(delivery_id(place, ordinal), one, "") == one
        assert former_id(delivery_id(place, ordinal), "9", f"cha-lis-{one}.hpr") == one


def test_the_delivery_is_read_in_it():
    """A receiver's people name what they got by MSH-10, and it is found by that."""
    delivery = delivery_id(48_211, 3)
    assert own_id(delivery, NOW_MS).startswith("48211-3-")
    assert read_delivery_id(own_id(delivery, NOW_MS)) == read_delivery_id("48211-3") == delivery
    for text in ("48211-3-TDBRW", "48211-x-TDBRW4", "48211"):
        with pytest.raises(ValueError, match=r"48211"):
            read_delivery_id(text)


def test_on_trial_it_is_the_deliverys():
    """What isn't sent has no time."""
    assert own_id(delivery_id(7, 2), 0) == "7-2"


@pytest.mark.parametrize("delivery", [delivery_id(7, 2), delivery_id(99_999_999_999, 16_000)])
def test_other_bytes_have_another_id(delivery):
    """Never one that was given before, in the same second or after a clock was set back; and they are known again."""
    former = own_id(delivery, NOW_MS)
    given = {former, ""}
    for at_ms in (NOW_MS, NOW_MS - 5_000, NOW_MS + 1, NOW_MS + 60_000, NOW_MS):
        former = later_id(delivery, at_ms, former)
        assert former not in given
        assert former_id(delivery, former, "") == former
        given.add(former)
    assert later_id(delivery_id(7, 2), NOW_MS, "7-2") == own_id(delivery_id(7, 2), NOW_MS)


@pytest.mark.parametrize(
    ("control_id", "target", "former"),
    [
        ("7-2", "", "7-2"), ("7-2-TDBRW4", "", "7-2-TDBRW4"), ("", "7-2.hl7", "7-2"), ("MSG1", "", ""),
        ("17-2", "17-2.hl7", ""), ("7-21", "7-21.hl7", ""), ("7-2-M1", "", ""),
    ],
)  # fmt: skip
def test_former_ids(control_id, target, former):
    """Only its own ids, those of older versions too: never the sender's, or another delivery's."""
    assert former_id(delivery_id(7, 2), control_id, target) == former
