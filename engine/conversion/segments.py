r"""
Fields as lists of bytes in HL7's own delimiters `|^~\&`, and segments made of them.

Both directions work on such lists, whatever the delimiters of the message were (conversion.respelling).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.parsers.hl7v2.delimiters import STANDARD
from engine.parsers.hl7v2.escapes import escape_all, unescape

COMPONENT: Final = b"^"
REPETITION: Final = b"~"
NULL: Final = b'""'
"""An order to delete what is known, in both standards: no value, so nothing may be decided by it."""

Fields = list[bytes]
"""A segment's fields, its name first; `get` reads beyond the end."""


def get(fields: Fields, number: int) -> bytes:
    """Return one field, b"" when the segment is shorter."""
    return fields[number] if number < len(fields) else b""


def given(data: bytes) -> bytes:
    """Return a value, b"" for a null: of what decides something, where a null is nothing."""
    return b"" if data == NULL else data


def part(data: bytes, number: int) -> bytes:
    """Return a component of the first repetition, from 1."""
    parts = data.partition(REPETITION)[0].split(COMPONENT)
    return parts[number - 1] if number <= len(parts) else b""


def parts(data: bytes, count: int) -> list[bytes]:
    """Return the components of one repetition, at least `count` of them."""
    found = data.split(COMPONENT)
    return found if len(found) >= count else found + [b""] * (count - len(found))


def join(*components: bytes) -> bytes:
    """Return a repetition; empty components at its end are left out."""
    return COMPONENT.join(components).rstrip(COMPONENT)


def repetitions(data: bytes) -> list[bytes]:
    """Return the repetitions that aren't empty."""
    return [one for one in data.split(REPETITION) if one]


def leaf(text: str) -> bytes:
    """Return a text as one leaf."""
    return escape_all(text.encode(), STANDARD)


def text_of(data: bytes) -> str:
    """Return one leaf as text."""
    return unescape(data, STANDARD).decode("utf-8", "replace")


def segment(name: bytes, fields: Mapping[int, bytes]) -> bytes:
    """Return a segment with these fields, without its end; empty ones at its end are left out."""
    filled = [number for number, data in fields.items() if data]
    if not filled:
        return name
    return b"|".join([name, *(fields.get(number, b"") for number in range(1, max(filled) + 1))])
