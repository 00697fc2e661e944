"""
How the authorities of all numbers but PID-3 are completed: of patients, stays, visits and movements.

Values are never touched. What is to be written is said as edits, which depend on nothing but the fields that they
replace: so they are worked out once for messages that say the same (identity.deciding.decision.Decision).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from engine.identity.spellings import NULL, text_of
from engine.transforms.normalise_authorities import written_field

if TYPE_CHECKING:
    from engine.identity.authorities import Recogniser
    from engine.identity.deciding.decision import Edit
    from engine.parsers.hl7v2.message import Message

_COMPLETED: Final = (
    (b"PID", ((18, "AN"), (21, ""))), (b"PV1", ((19, "VN"), (50, ""))),
    (b"MRG", ((1, ""), (3, "AN"), (5, "VN"), (6, ""))),
)  # fmt: skip
"""Fields of type CX whose authorities are completed, with CX-5 by PAM France where a message has none."""
MOVEMENT: Final = "movement"
"""Name of the authority under which a site numbers its movements (ZBE-1)."""
_MOVEMENTS: Final = ((b"ZBE", 1),)
_KEPT: Final = 1024
_LONGEST: Final = 256
"""Bytes above which a spelling isn't kept."""


def carry_out(message: Message, edits: Iterable[Edit]) -> None:
    """Write edits that were made for this message, or for one with the same fields."""
    for code, rank, number, data in edits:
        message.own(message.positions(code)[rank]).set_field(number, data)


class Completion:
    """Completes authorities in the messages of one site; remembers how they are spelt, never values."""

    __slots__ = ("_movements", "_recogniser")

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._movements: dict[tuple[bytes, bytes], bytes] = {}
        """Component separator, and what followed the number of a movement -> what follows it when it leaves."""

    def edits(self, message: Message) -> list[Edit]:
        """Return what completes the authorities of patients, stays and visits."""
        found: list[Edit] = []
        for code, fields in _COMPLETED:
            for rank, position in enumerate(message.positions(code)):
                segment = message.peek(position)
                for number, expected in fields:
                    data = segment.field(number)
                    if data and data != NULL:
                        written = written_field(data, self._recogniser.spellings(message.delimiters, expected))
                        if written is not None and written != data:
                            found.append((code, rank, number, written))
        return found

    def complete_movements(self, message: Message) -> None:
        """Complete ZBE-1, where another number stands in each message (EI: value, name, OID, kind)."""
        marks = message.delimiters
        if not marks.component:
            return
        for rank, data in enumerate(message.fields(_MOVEMENTS)):
            if not data or data == NULL:
                continue
            written = [self._movement(one, marks.component) for one in marks.repetitions(data)]
            field = marks.repetition.join(written) if marks.repetition else written[0]
            if field != data:
                carry_out(message, [(b"ZBE", rank, 1, field)])

    def _movement(self, repetition: bytes, mark: bytes) -> bytes:
        value, separator, rest = repetition.partition(mark)
        if not value or value == NULL:
            return repetition
        tail = separator + rest
        written = self._movements.get((mark, tail))
        if written is None:
            written = self._spelt(rest, tail, mark)
            if len(tail) <= _LONGEST:
                if len(self._movements) >= _KEPT:
                    self._movements.clear()
                self._movements[mark, tail] = written
        return value + written

    def _spelt(self, rest: bytes, tail: bytes, mark: bytes) -> bytes:
        """
        Write what follows the number of a movement.

        An EI has no type: by its OID it is any authority of the site, where all with that OID are spelt alike; without
        OID it is the site's `movement`, where it declares one.
        """
        parts = rest.split(mark)
        name, oid = (*parts, b"")[:2]
        own = self._recogniser.names.get(MOVEMENT)
        known: tuple[str, str, str] | None = None
        if oid.strip():
            known = self._by_oid(text_of(oid.strip()))
        elif own is not None and name.strip() in (b"", own.hd1.encode()):
            known = (own.hd1, own.hd2, own.hd3)
        if known is None:
            return tail
        return mark + mark.join([*(part.encode() for part in known), *parts[3:]])

    def _by_oid(self, oid: str) -> tuple[str, str, str] | None:
        """Return how the site spells an OID in the parts of an HD; None: it doesn't know it, or in several ways."""
        found = {(one.hd1, one.hd2, one.hd3) for one in self._recogniser.names.values() if one.oid == oid}
        return found.pop() if len(found) == 1 else None
