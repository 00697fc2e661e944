"""One entry of the dictionary: a field, a component, a data type, a segment, a table, an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Part(NamedTuple):
    """A field of a segment, or a component of a data type."""

    number: int
    """From 1."""
    type: str
    """Its data type; empty when withdrawn, `varies` where another field says it (OBX-5)."""
    usage: str
    """R required, RE required if known, C conditional, O optional, B for old receivers, W withdrawn, X forbidden."""
    most: int
    """Repetitions at most; 0: any number. Components have one."""
    length: int
    """Characters at most, escapes and separators included; 0: not limited."""
    table: str
    """Number of its table (`0001`), or empty."""
    words: str
    """Its name in words, small letters."""


class Type(NamedTuple):
    """A data type; a simple one (ST, NM, DT…) has no components."""

    name: str
    words: str
    components: tuple[Part, ...]


class Segment(NamedTuple):
    """A segment."""

    name: str
    words: str
    fields: tuple[Part, ...]
    """Field n stands at n - 1."""


class Table(NamedTuple):
    """A table of codes."""

    number: str
    words: str
    open: bool
    """Its codes are examples: others are as good."""
    codes: Mapping[str, str]
    """Each code with its meaning, which may be empty."""


class Event(NamedTuple):
    """What a message type and a trigger event are."""

    structure: str
    """The message structure (MSH-9.3)."""
    words: str
