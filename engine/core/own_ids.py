"""
The id under which a delivery leaves: its own, and of the time at which it was made.

A data directory that is put back from a backup gives its places, and so its deliveries' ids, a second time. A receiver
that knows repetitions by MSH-10 would answer `AA` to the second message of that number and drop it. The second at which
the delivery was made never comes again, so the two together don't repeat; nothing is remembered for it, and nobody has
to do anything after a restore. What is sent again keeps its id: its bytes are stored. What is made anew keeps it only
where the bytes are the same: one id never stands for two contents (docs/decisions/0022).

MSH-10 has 20 characters (HL7 v2.5 § 2.14.9.10).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.core.messages import STAMP_CHARACTERS, show_delivery_id

if TYPE_CHECKING:
    from engine.core.messages import Delivery

MAX: Final = 20
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Former(NamedTuple):
    """What a delivery was before it is made anew."""

    own_id: str
    """Under which it was made; empty: it had none of its own."""
    data: bytes
    target: str


def former(delivery: Delivery, data: bytes) -> Former:
    """
    Say what a delivery was.

    Args:
        delivery: Its row.
        data: Its bytes; empty: it has none.
    """
    return Former(former_id(delivery.id, delivery.control_id, delivery.target), data, delivery.target)


def own_id(delivery: int, at_ms: int) -> str:
    """
    Make the id under which a delivery leaves: `48211-0-TDBRW4`.

    Args:
        delivery: Its id.
        at_ms: When it is made; 0: on trial, and then it is `48211-0`.

    Returns:
        At most 20 characters: where the delivery's id leaves no room for the time, both are written shorter.
    """
    if not at_ms:
        return show_delivery_id(delivery)
    # Six digits of the seconds: 69 years.
    stamp = _written(at_ms // 1000 % len(_DIGITS) ** STAMP_CHARACTERS).rjust(STAMP_CHARACTERS, "0")
    whole = f"{show_delivery_id(delivery)}-{stamp}"
    return whole if len(whole) <= MAX else f"{_written(delivery)}-{stamp}"


def former_id(delivery: int, control_id: str, target: str) -> str:
    """
    Find the id under which a delivery was made before, in what is kept of it.

    Args:
        delivery: Its id.
        control_id: MSH-10 as it was sent.
        target: Name of its file.

    Returns:
        The id, that of an older version too (`48211-0`); empty: it had none of its own.
    """
    stamp = f"-[{_DIGITS}]{{{STAMP_CHARACTERS}}}"
    forms = f"{show_delivery_id(delivery)}(?:{stamp})?|{_written(delivery)}{stamp}"
    form = re.compile(f"(?<![0-9A-Za-z])(?:{forms})(?![0-9A-Za-z])")
    found = form.fullmatch(control_id) or form.search(target)
    return found[0] if found else ""


def later_id(delivery: int, at_ms: int, former_id: str) -> str:
    """
    Make an id for other bytes than those that were made under a former one: never that one, whatever the clock says.

    Args:
        delivery: Its id.
        at_ms: When it is made.
        former_id: The former one, empty or of an older version too.
    """
    stamp = former_id.rpartition("-")[2]
    if len(stamp) == STAMP_CHARACTERS:  # an ordinal is shorter
        at_ms = max(at_ms, (int(stamp, len(_DIGITS)) + 1) * 1000)
    return own_id(delivery, at_ms)


def _written(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
