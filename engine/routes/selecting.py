"""Which repetitions of an identifier a path means: `[@ipp]`, `[@ins]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.identity.spellings import INS_ARC

if TYPE_CHECKING:
    from engine.identity.authorities import Recogniser
    from engine.parsers.hl7v2.delimiters import Delimiters


def is_ins(field: bytes, delimiters: Delimiters) -> list[int]:
    """Return the ranks of the repetitions of a CX that are an INS, whatever its kind."""
    mark = INS_ARC.encode()
    return [
        rank
        for rank, repetition in enumerate(delimiters.repetitions(field))
        if mark in b"".join(delimiters.components(repetition)[3:4])
    ]


def of_authority(recogniser: Recogniser, name: str) -> Callable[[bytes, Delimiters], list[int]]:
    """Return what finds the repetitions of a CX that have a declared authority."""
    wanted = recogniser.names[name]
    wanted_key = wanted.key

    def recognise(field: bytes, delimiters: Delimiters) -> list[int]:
        return [
            rank
            for rank, (_, spelling) in enumerate(recogniser.spellings(delimiters).identifiers(field))
            if spelling.authority is wanted or (spelling.authority is not None and spelling.authority.key == wanted_key)
        ]

    return recognise
