"""Ids and states as people read and write them."""

from __future__ import annotations

import pytest

from engine.core.lifecycle import DeliveryState
from engine.errors import OperationRefused
from engine.operations.rows import (
    delivery_row,
    lane_name,
    message_row,
    place_in,
    read_delivery,
    read_lane,
    read_place,
    word,
)


def test_ids_are_read_as_written() -> None:
    """A delivery's id names its message too."""
    assert read_place("48211") == read_place("48211-3") == 48_211
    assert read_delivery("48211-3") == 48_211 << 16 | 3


@pytest.mark.parametrize("text", ["", "x", "-1", "48211_0", " 1"])
def test_what_is_no_id_is_usage(text: str) -> None:
    """Exit code 2 with an example."""
    with pytest.raises(OperationRefused, match="write it like 48211") as refused:
        read_place(text)
    assert refused.value.exit_code == 2
    with pytest.raises(OperationRefused, match="write it like 48211-0"):
        read_delivery(text)


def test_rows_are_shown_with_words_and_without_answers() -> None:
    """Stored numbers become words; the receiver's answer, which may quote the patient, is left out."""
    row = {"delivery": 7 << 16 | 1, "place": 7, "state": 2, "kind": 0, "flags": 5, "lanes": [-1],
           "history": [{"number": 1, "answer": "MSA|AE|1|ZUBROWKA"}]}  # fmt: skip
    shown = delivery_row(row)
    assert (shown["id"], shown["message"], shown["state"], shown["kind"]) == ("7-1", "7", "dead", "bytes")
    assert shown["flags"] == ["possible duplicate", "identity event"]
    assert (shown["lanes"], shown["history"]) == (["f" * 16], [{"number": 1}])
    assert message_row({"place": 7, "state": "routed"}) == {"id": "7", "state": "routed"}
    linked = message_row({"place": 7, "state": "routed", "linked_to": 7})
    assert linked == {"id": "7", "state": "routed", "linked_to": 0, "alone": True}
    assert message_row({"place": 7, "state": "joined", "linked_to": 8})["linked_to"] == 8
    assert place_in({"place": 7}) == 7


def test_names_of_files_are_masked() -> None:
    """Some senders make them of the patient's name; a usual ending stays."""
    row = {"place": 7, "state": "routed", "name": "ZUBROWKA_19770419.hpr"}
    assert message_row(row)["name"] == "xxxxxxxx_99999999.hpr"
    assert message_row(row, revealed=True)["name"] == "ZUBROWKA_19770419.hpr"
    assert message_row(row | {"name": "1.ZUBROWKA"})["name"] == "9.xxxxxxxx"
    shown = delivery_row({"delivery": 7 << 16, "state": 0, "target": "dpi/ZUBROWKA"})
    assert shown["target"] == "xxx/xxxxxxxx"


def test_words() -> None:
    """A word stays, a number gets its name, nothing stays nothing."""
    assert [word(DeliveryState, value) for value in ("DEAD", 2, DeliveryState.DEAD, None)] == ["dead"] * 3 + [""]
    assert lane_name("abc") == "abc"
    assert [read_lane(lane_name(lane)) for lane in (77, -1, -(2**63))] == [77, -1, -(2**63)]
    with pytest.raises(OperationRefused, match="is no lane"):
        read_lane("77")
