"""Versions of HL7 v2 that the dictionary knows, and which one MSH-12 means (table 0104)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

VERSIONS: Final = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2")
"""In order; the data files name them."""
DEFAULT: Final = "2.5"
"""What a message is read as when MSH-12 says nothing: the version of PAM France."""

_NUMBER: Final = re.compile(r"\s*(2(?:\.\d{1,2}){1,2})")


class Meant(NamedTuple):
    """The version of the dictionary for a message, and whether MSH-12 named just that one."""

    version: str
    exact: bool


def version_of(text: str) -> Meant:
    """
    Find the version that MSH-12 means.

    Args:
        text: MSH-12 or its first component: `2.5`, `2.5^FRA^2.11`, `2.9`.

    Returns:
        The version named, or the last one before it that is known (2.7.1 -> 2.7, 2.9 -> 2.8.2); DEFAULT where
        the text is no version at all.
    """
    found = _NUMBER.match(text)
    if found is None:
        return Meant(DEFAULT, False)
    if found[1] in _RANKS:
        return Meant(found[1], found[1] == text.strip().partition("^")[0].strip())
    wanted = _numbers(found[1])
    before = [version for version in VERSIONS if _numbers(version) <= wanted]
    return Meant(before[-1] if before else VERSIONS[0], False)


def bits_of(spans: str) -> int:
    """
    Read a column `versions` of the data files.

    Args:
        spans: `2.1-2.3,2.5`: versions and spans of versions, by comma.

    Returns:
        One bit a version, the first version's lowest.
    """
    bits = 0
    for span in spans.split(","):
        first, _, last = span.partition("-")
        low, high = _RANKS[first], _RANKS[last or first]
        bits |= ((1 << (high - low + 1)) - 1) << low
    return bits


def bit_of(version: str) -> int:
    """Return the bit of one version."""
    return 1 << _RANKS[version]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


_RANKS: Final = {version: rank for rank, version in enumerate(VERSIONS)}
