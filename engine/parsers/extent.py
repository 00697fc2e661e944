"""
Limits on what a message may ask of those who read it.

A field of millions of repetition or escape characters is legal by its size, and would hold up every other
message for seconds. Only segments that carry documents and texts may be long; nobody has 20,000 segments.
"""

from __future__ import annotations

import re
from typing import Final

from engine.errors import ParseError

UNSUSPICIOUS_BYTES: Final = 256 * 1024
"""Smaller messages are not looked at."""
SEGMENT_BYTES_MAX: Final = 256 * 1024
SEGMENTS_MAX: Final = 20_000

_LONG: Final = frozenset({b"OBX", b"NTE", b"TXA", b"DSP", b"ADD", b"RXO", b"EDU", b"C|", b"A|"})
_ENDS: Final = re.compile(rb"[\r\n]+")


def check_extent(raw: bytes) -> None:
    """
    Refuse what no system sends and what would hold up the others.

    Raises:
        ParseError: Too many segments, or one that carries no document is too long; names it.
    """
    if len(raw) < UNSUSPICIOUS_BYTES:
        return
    count = 0
    position, size = 0, len(raw)
    while position < size:
        end = _ENDS.search(raw, position)
        stop = end.start() if end is not None else size
        count += 1
        if count > SEGMENTS_MAX:
            raise ParseError(f"more than {SEGMENTS_MAX} segments: send them in several messages")
        if stop - position > SEGMENT_BYTES_MAX:
            name = raw[position : position + 3]
            if name not in _LONG and name[:2] not in _LONG and not name.startswith(b"Z"):
                shown = name.decode("ascii", "replace") if name.isalnum() else "a segment"
                raise ParseError(f"{shown} has more than {SEGMENT_BYTES_MAX // 1024} KB: only documents and texts may")
        position = end.end() if end is not None else size
