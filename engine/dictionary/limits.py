"""How far a path may reach in any version: what lint asks, which doesn't know the version of a message."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple

from engine.dictionary.dictionary import VARIES
from engine.dictionary.rows import HL7, PAM_FR_FOLDER, all_rows
from engine.dictionary.versions import DEFAULT, VERSIONS, bit_of

LATER: Final[Mapping[str, int]] = {
    "MSH": 28, "NTE": 9, "OBR": 55, "OBX": 33, "ORC": 38, "PD1": 23, "SAC": 54, "SPM": 35, "TXA": 28,
}  # fmt: skip
"""Last fields that HL7 2.9 added, beyond the last version of the data files."""

_LISTS: Final = frozenset({"CX", "XPN", "XAD", "XTN"})
"""Identifiers, names, addresses, phones (and their forerunners, which stand in the same fields)."""


class LastField(NamedTuple):
    """The last field that a segment has in any version."""

    number: int
    words: str
    """`PID-40 since HL7 2.7, PID-39 in 2.5`."""


class _Reach:
    """What all versions together say of one segment."""

    __slots__ = ("counts", "types")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Fields, by version."""
        self.types: dict[int, set[str]] = {}
        """Data types of each field."""


@cache
def last_field(segment: str) -> LastField | None:
    """
    Return the last field of a segment.

    Returns:
        None for a segment that the dictionary doesn't have (HPRIM, Z segments of partners): nothing limits it.
    """
    known = _segments().get(segment)
    if known is None:
        return None
    since, number = "2.9", LATER.get(segment, 0)
    if not number:
        number = max(known.counts.values())
        since = next(version for version in VERSIONS if known.counts.get(version) == number)
    usual = known.counts.get(DEFAULT, number)
    last = f"{segment}-{number}"
    return LastField(number, last if usual == number else f"{last} since HL7 {since}, {segment}-{usual} in {DEFAULT}")


def knows_segment(segment: str) -> bool:
    """Tell whether some version of HL7 or PAM France has a segment, or a partner may: those that begin with Z."""
    return segment.startswith("Z") or segment in _segments()


def segments() -> Iterable[str]:
    """Return the names of all segments that some version has."""
    return _segments().keys()


@functools.lru_cache(maxsize=1024)
def last_component(segment: str, field: int) -> int:
    """
    Return the last component that a field has in any version.

    Returns:
        0 where nothing limits it: a type that another field says (OBX-5), or an unknown field.
    """
    known = _segments().get(segment)
    types = known.types.get(field, ()) if known is not None else ()
    if not types or VARIES in types:
        return 0
    sizes = _sizes()
    return max(sizes.get(type_, 1) for type_ in types)


def is_unordered(segment: str, field: int) -> bool:
    """Tell whether a field holds identifiers, names, addresses or phones, which senders repeat in any order."""
    known = _segments().get(segment)
    return known is not None and not _LISTS.isdisjoint(known.types.get(field, ()))


@cache
def _segments() -> Mapping[str, _Reach]:
    segments: dict[str, _Reach] = {}
    for folder in (HL7, PAM_FR_FOLDER):
        for columns, bits in all_rows(folder, "fields"):
            known = segments.setdefault(columns[0], _Reach())
            number = int(columns[1])
            if columns[2]:
                known.types.setdefault(number, set()).add(columns[2])
            for version in VERSIONS:
                if bits & bit_of(version):
                    known.counts[version] = max(known.counts.get(version, 0), number)
    return segments


@cache
def _sizes() -> Mapping[str, int]:
    """Count the components of each data type, in the version that has most."""
    sizes: dict[str, int] = {}
    for columns, _ in all_rows(HL7, "components"):
        sizes[columns[0]] = max(sizes.get(columns[0], 1), int(columns[1]))
    return sizes
