r"""
The same fields in other delimiters: HPRIM's `|~^\&` inverts HL7's `|^~\&`, and neither is always used.

Where both use the same characters, a segment without escapes changes by one table of bytes; leaf by leaf otherwise.
"""

from __future__ import annotations

from typing import Final

from engine.parsers.hl7v2.delimiters import STANDARD, Delimiters
from engine.parsers.hl7v2.escapes import translate

NORM: Final = Delimiters(b"|", b"~^\\&", [b"~", b"^", b"\\", b"&", b""])
"""The delimiters of HPRIM Santé as the norm writes them."""


class Respelling:
    """From the delimiters of a message to others, which have every part and one byte each."""

    __slots__ = ("_care", "_new", "_old", "_table")

    def __init__(self, old: Delimiters, new: Delimiters) -> None:
        self._old = old
        self._new = new
        pairs = [
            (old.field, new.field), (old.component, new.component), (old.repetition, new.repetition),
            (old.subcomponent, new.subcomponent),
        ]  # fmt: skip
        pairs = [pair for pair in pairs if pair[0]]
        single = all(len(mark) == 1 for mark, _ in pairs)
        self._table = bytes.maketrans(*(b"".join(side) for side in zip(*pairs, strict=True))) if single else None
        known = {mark for mark, _ in pairs}
        care = {new.field, new.component, new.repetition, new.subcomponent, new.escape, old.escape} - known - {b""}
        self._care = tuple(care)
        """What must not stand in a segment that changes by the table."""

    def fields(self, line: bytes) -> list[bytes]:
        """
        Split a segment.

        Args:
            line: The segment in the old delimiters, without its end.

        Returns:
            Its fields in the new ones, its name first; each leaf means what it meant.
        """
        if self._table is not None:
            for mark in self._care:
                if line.find(mark) >= 0:
                    break
            else:
                return line.translate(self._table).split(self._new.field)
        return [self.field(data) for data in line.split(self._old.field)]

    def field(self, data: bytes) -> bytes:
        """Return one field in the new delimiters."""
        if not data or data.isalnum():
            return data
        old, new = self._old, self._new
        return new.repetition.join(
            [
                new.component.join(
                    [
                        new.subcomponent.join([translate(leaf, old, new) for leaf in old.subcomponents(component)])
                        for component in old.components(repetition)
                    ]
                )
                for repetition in old.repetitions(data)
            ]
        )


def to_standard(delimiters: Delimiters) -> Respelling:
    """Return the way from a message's delimiters to those that HL7 recommends."""
    return Respelling(delimiters, STANDARD)
