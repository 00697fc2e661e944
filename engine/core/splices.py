"""
The difference between the received bytes and the bytes sent, so that a delivery doesn't store them twice.

Layout of a stored difference: one flag byte, then splices; a splice is three varints (bytes kept since the
end of the previous one, bytes dropped, bytes put in) and the bytes put in. What follows the last splice is
kept. The flag says to what the splices apply: the bytes as received (0), or `base` of them (1: one CR after
each segment; 2: from cp1252 to UTF-8; both may be set).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

Splice = tuple[int, int, bytes]
"""(offset in the base, bytes dropped, bytes put in), in order, not overlapping."""

AS_RECEIVED: Final = 0


def pack(splices: Iterable[Splice], base: int = AS_RECEIVED) -> bytes:
    """Encode splices; `base` is the flag byte, 0..255."""
    out = bytearray((base,))
    append = out.append
    position = 0
    for offset, dropped, put in splices:
        for number in (offset - position, dropped, len(put)):
            while number > 0x7F:
                append(number & 0x7F | 0x80)
                number >>= 7
            append(number)
        out += put
        position = offset + dropped
    return bytes(out)


def apply(raw: bytes, packed: bytes, base_of: Callable[[bytes, int], bytes]) -> bytes:
    """
    Return the bytes to send.

    Args:
        raw: The message as received.
        packed: What `pack` returned.
        base_of: Gives the base for a flag byte other than 0 (parsers.base_of).
    """
    base = raw if packed[0] == AS_RECEIVED else base_of(raw, packed[0])
    view = memoryview(base)  # what is large is copied once
    parts: list[bytes | memoryview] = []
    position, index, end = 0, 1, len(packed)
    while index < end:
        kept, index = _read(packed, index)
        dropped, index = _read(packed, index)
        size, index = _read(packed, index)
        parts.append(view[position : position + kept])
        parts.append(packed[index : index + size])
        index += size
        position += kept + dropped
    parts.append(view[position:])
    return b"".join(parts)


def _read(data: bytes, index: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[index]
        index += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, index
        shift += 7
