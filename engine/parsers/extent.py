"""
Limits on what a message may ask of those who read it.

A field of millions of repetition or escape characters is legal by its size, and would hold up every other
message for seconds. Only segments that carry documents and texts may be long; nobody has 20,000 segments.
"""

from __future__ import annotations

from typing import Final

from engine.errors import ParseError
from engine.parsers.hl7v2.lines import extents

UNSUSPICIOUS_BYTES: Final = 256 * 1024
"""Smaller messages are not looked at."""
SEGMENT_BYTES_MAX: Final = 256 * 1024
SEGMENTS_MAX: Final = 20_000
HPRIM_LINES_MAX: Final = 100_000
"""A file of a day's results: several patients, lines of 220 characters."""

_LONG: Final = frozenset({b"OBX", b"NTE", b"TXA", b"DSP", b"ADD", b"RXO", b"EDU", b"C|", b"A|"})


def check_extent(raw: bytes, segments_max: int = SEGMENTS_MAX) -> None:
    """
    Refuse what no system sends and what would hold up the others.

    Args:
        raw: The bytes as received.
        segments_max: Lines that a message may have.

    Raises:
        ParseError: Too many segments, or one that carries no document is too long; names it.
    """
    if len(raw) < UNSUSPICIOUS_BYTES:
        return
    for count, (start, end) in enumerate(extents(raw)):
        if count >= segments_max:
            raise ParseError(f"more than {segments_max} segments: send them in several messages")
        if end - start > SEGMENT_BYTES_MAX:
            check_segment(raw[start : start + 3])


def check_segment(begin: bytes) -> None:
    """
    Refuse a segment of more than SEGMENT_BYTES_MAX unless it carries a document or a text.

    Args:
        begin: Its first three bytes.

    Raises:
        ParseError: It carries none; names it.
    """
    if begin not in _LONG and begin[:2] not in _LONG and not begin.startswith(b"Z"):
        shown = begin.decode("ascii", "replace") if begin.isalnum() else "a segment"
        raise ParseError(f"{shown} has more than {SEGMENT_BYTES_MAX // 1024} KB: only documents and texts may")


def check_lines(raw: bytes) -> None:
    """
    Refuse a file of letters with more than HPRIM_LINES_MAX lines; blank ones count, because each is text.

    Raises:
        ParseError: There are more.
    """
    if raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n") > HPRIM_LINES_MAX:
        raise ParseError(f"more than {HPRIM_LINES_MAX} lines: send the letters in several files")
