"""What differs between a message's text and its segments as they stand: splices, and the bytes that they give."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.splices import Splice
from engine.parsers.hl7v2.continuation import Joints
from engine.parsers.hl7v2.lines import LARGE_BYTES
from engine.parsers.hl7v2.segments import ADDED, Segment


def spliced(text: bytes, splices: Sequence[Splice]) -> bytes:
    """Return a text with its differences applied; what is large is copied once."""
    kept = text if len(text) <= LARGE_BYTES else memoryview(text)
    parts: list[bytes | memoryview] = []
    position = 0
    for offset, dropped, put in splices:
        parts += (kept[position:offset], put)
        position = offset + dropped
    parts.append(kept[position:])
    return b"".join(parts)


def structural(
    text: bytes, starts: list[int], segments: Sequence[int | list[bytes] | Segment], joints: Joints | None = None
) -> list[Splice]:
    """
    Return the splices when segments were added or taken out, or were rejoined.

    Args:
        text: To which they apply.
        starts: Where each of its segments begins.
        segments: As the message has them now: received ones by their number, and segments; no lists.
        joints: Where the pieces of rejoined segments lie.
    """
    end = end_mark(text)
    result: list[Splice] = []
    reached, put = 0, b""  # lines already told; what waits to be put in before the next kept one
    for item in segments:
        assert not isinstance(item, list)
        origin = item if isinstance(item, int) else item.origin
        if isinstance(item, Segment) and origin == ADDED:
            put += item.line() + end
            continue
        if put or origin > reached:
            result.append((starts[reached], starts[origin] - starts[reached], put))
            put = b""
        reached = origin + 1
        if isinstance(item, Segment):
            result += item.splices(starts[origin]) if joints is None else joints.splices(item)
    start = starts[reached] if reached < len(starts) else len(text)
    if put and start == len(text) and not text.endswith((b"\r", b"\n")):
        put = end + put[: -len(end)]  # the last segment had no end: nor has the new last one
    if put or start < len(text):
        result.append((start, len(text) - start, put))
    return result


def end_mark(text: bytes) -> bytes:
    """Return the segment end that a text uses."""
    feed = text.find(b"\n")
    carriage = text.find(b"\r")
    if feed < 0 or 0 <= carriage < feed - 1:
        return b"\r"
    return b"\r\n" if 0 <= carriage < feed else b"\n"
