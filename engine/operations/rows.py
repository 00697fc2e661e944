"""Rows of the store as operators read them: ids written as people write them, states as words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from engine.core.lifecycle import DeliveryState, MessageState
from engine.core.messages import (
    DeliveryFlag,
    DeliveryKind,
    part_of,
    place_of,
    read_delivery_id,
    show_delivery_id,
    show_lane,
)
from engine.errors import OperationRefused
from engine.operations.masking import mask_name

_FLAGS = {
    DeliveryFlag.POSSIBLE_DUPLICATE: "possible duplicate",
    DeliveryFlag.PASSED_FAULT: "passed a fault of its lane",
    DeliveryFlag.IDENTITY_EVENT: "identity event",
    DeliveryFlag.RESULT: "result",
}


_PARTED = {
    DeliveryState.PENDING: "its patients were parted: to be made anew",
    DeliveryState.DELIVERED: "left as it was made when its patients were parted",
}


_ANOTHER_SENT = "may have arrived first as it was made before its patients were parted: tell its receiver"
PARTED_WORDS = frozenset({*_PARTED.values(), _ANOTHER_SENT})


def word(kind: type[IntEnum], value: Any) -> str:
    """Return the name of a stored number in lower case; a word stays as it is."""
    if isinstance(value, str):
        return value.lower()
    return kind(value).name.lower() if value is not None else ""


def delivery_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """
    Show one delivery, its id under `id`.

    `history` comes without the answers, which may quote the message; `target` (a topic or a file name, made of
    values) masked.
    """
    shown = {key: value for key, value in row.items() if key not in ("delivery", "place")}
    number = int(row["delivery"])
    flags = int(row.get("flags") or 0)
    shown |= {
        "id": show_delivery_id(number),
        "message": str(place_of(number)),
        "kind": word(DeliveryKind, row.get("kind", 0)),
        "state": word(DeliveryState, row["state"]),
        "flags": [words for flag, words in _FLAGS.items() if flags & flag],
        "lanes": [lane_name(lane) for lane in row.get("lanes", ())],
    }
    if flags & DeliveryFlag.PARTED:
        shown["flags"] += [words for state, words in _PARTED.items() if word(DeliveryState, state) == shown["state"]]
    if flags & DeliveryFlag.ANOTHER_SENT:
        shown["flags"].append(_ANOTHER_SENT)
    rank, count = part_of(flags)
    if count > 1:
        shown["part"] = f"{rank} of {count}"
    if row.get("target"):
        shown["target"] = mask_name(str(row["target"]))
    if "history" in row:
        shown["history"] = [{key: value for key, value in one.items() if key != "answer"} for one in row["history"]]
    return shown


def message_row(row: Mapping[str, Any], *, revealed: bool = False) -> dict[str, Any]:
    """
    Show one message, its id under `id`; the name of its file masked unless revealed.

    `alone`, where it is so: a part of a longer message that goes on without the others.
    """
    shown = {key: value for key, value in row.items() if key != "place"}
    if row.get("linked_to") == row["place"]:
        shown |= {"linked_to": 0, "alone": True}
    if row.get("name") and not revealed:
        shown["name"] = mask_name(str(row["name"]))
    return {"id": str(row["place"])} | shown | {"state": word(MessageState, row["state"])}


def place_in(row: Mapping[str, Any]) -> int:
    """Return the place of a message's row."""
    return int(row["place"])


def lane_name(lane: int | str) -> str:
    """Write a lane key, a signed 64-bit hash, as 16 hexadecimal digits."""
    return lane if isinstance(lane, str) else show_lane(lane)


def is_lane(text: str) -> bool:
    """Whether a text looks like what `lane_name` writes."""
    return len(text) == 16 and set(text.lower()) <= set("0123456789abcdef")


def read_lane(text: str) -> int:
    """
    Read what `lane_name` wrote.

    Raises:
        OperationRefused: The text is no lane key (usage).
    """
    if not is_lane(text):
        raise OperationRefused(f"'{text}' is no lane; `passerelle queue lanes` shows them", exit_code=2)
    return int.from_bytes(bytes.fromhex(text), "big", signed=True)


def read_place(text: str) -> int:
    """
    Read the id of a message, `48211`; that of a delivery, `48211-0`, names its message.

    Raises:
        OperationRefused: The text is no id (usage).
    """
    first = text.partition("-")[0]
    if not first.isdecimal():
        raise OperationRefused(f"'{text}' is no id of a message; write it like 48211", exit_code=2)
    return int(first)


def read_delivery(text: str) -> int:
    """
    Read the id of a delivery, `48211-0`.

    Raises:
        OperationRefused: The text is no id of a delivery (usage).
    """
    try:
        return read_delivery_id(text)
    except ValueError:
        raise OperationRefused(f"'{text}' is no id of a delivery; write it like 48211-0", exit_code=2) from None
