"""
One message that awaits its acknowledgement on one MLLP connection (HL7 v2.5 § 2.9.2).

An acknowledgement that comes late shifts all that follow it: each would be taken for the answer to the next
message. So a block that answers one of the last messages is dropped, and one that answers nothing known
makes the connection suspect: its owner closes it after this exchange.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

_REMEMBERED: Final = 8


class Reception(Enum):
    """What a received block is to the exchange."""

    ANSWER = "answer"
    """It answers the message under way."""
    SUSPECT = "suspect"
    """It ends the exchange, but doesn't name its message: don't use the connection again."""
    LATE = "late"
    """It answers an earlier message: dropped."""
    UNASKED = "unasked"
    """Nothing was awaited: dropped."""


def acknowledged_control_id(block: bytes) -> bytes | None:
    """
    Return MSA-2 of an acknowledgement without parsing it, or None when there is no MSA.

    The field separator is read from the MSA segment itself (its fourth byte).
    """
    start = 0 if block.startswith(b"MSA") else -1
    for end in (b"\rMSA", b"\nMSA"):
        if start < 0:
            found = block.find(end)
            start = found + 1 if found >= 0 else -1
    if start < 0 or len(block) <= start + 3:
        return None
    separator = block[start + 3 : start + 4]
    line = block[start : start + 400].split(b"\r", 1)[0].split(b"\n", 1)[0]
    fields = line.split(separator, 3)
    return fields[2].strip() if len(fields) > 2 else b""


class Exchange:
    """The exchanges of one connection, one after the other."""

    __slots__ = ("_awaited", "_earlier", "_match")

    def __init__(self, *, match_control_id: bool) -> None:
        """
        Begin with nothing under way.

        Args:
            match_control_id: MSA-2 must be the control id sent; off for receivers that leave it empty.
        """
        self._match = match_control_id
        self._awaited: bytes | None = None
        self._earlier: deque[bytes] = deque(maxlen=_REMEMBERED)

    @property
    def under_way(self) -> bool:
        """A message awaits its acknowledgement."""
        return self._awaited is not None

    def sent(self, control_id: bytes) -> None:
        """Note that a message left; empty when it has no control id."""
        self._awaited = control_id

    def received(self, block: bytes) -> Reception:
        """Tell what a block is; ANSWER and SUSPECT end the exchange."""
        awaited = self._awaited
        if awaited is None:
            return Reception.UNASKED
        if not self._match or not awaited:
            self._awaited = None
            return Reception.ANSWER
        named = acknowledged_control_id(block)
        if named != awaited and named and named in self._earlier:
            return Reception.LATE
        self._awaited = None
        if named == awaited:
            self._earlier.append(awaited)
            return Reception.ANSWER
        return Reception.SUSPECT
