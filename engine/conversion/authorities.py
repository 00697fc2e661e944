"""
Who sent and who receives: H-4, H-9 `code~name` and MSH-3 to MSH-6; the laboratory as authority of its own numbers.

A code of nine letters and digits that begins with two digits, or with 2A or 2B, is a FINESS.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from engine.conversion.segments import given, join, part

_FINESS: Final = re.compile(rb"(?:\d\d|2[ABab])\d{7}")


class System(NamedTuple):
    """A sender or receiver, in HL7's delimiters."""

    code: bytes
    name: bytes

    @classmethod
    def of_hprim(cls, field: bytes) -> System:
        """Read H-4 or H-9."""
        return cls(given(part(field, 1)), given(part(field, 2)))

    @classmethod
    def of_hl7(cls, application: bytes, facility: bytes) -> System:
        """Read MSH-3 and MSH-4, or MSH-5 and MSH-6."""
        code, name, application = given(part(facility, 2)), given(part(facility, 1)), given(part(application, 1))
        if code:
            return cls(code, name or application)
        if application == name:
            return cls(name, b"")
        return cls(name, application) if application else cls(b"", name)

    @property
    def application(self) -> bytes:
        """MSH-3 or MSH-5."""
        return self.code

    @property
    def facility(self) -> bytes:
        """MSH-4 or MSH-6: an HD, `LABO^133002782^N`."""
        if self.code and self.name:
            return join(self.name, self.code, self._kind)
        return self.code or self.name

    @property
    def assigner(self) -> bytes:
        """CX-4 of numbers that this system gave: the same HD, its parts as subcomponents."""
        return self.facility.replace(b"^", b"&")

    @property
    def field(self) -> bytes:
        """H-4 or H-9."""
        return join(self.code, self.name)

    @property
    def _kind(self) -> bytes:
        """HD-3: N a FINESS (of a place; HPRIM doesn't say which kind), L a code of somebody's own."""
        return b"N" if _FINESS.fullmatch(self.code) else b"L"
