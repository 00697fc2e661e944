"""
The systems that a configuration calls for.

A word of a source's name tells a laboratory (`lis_ght`) and a radiology (`cha-ris`); another MLLP source is the GAM of
its site, or a laboratory where hospitals share it. An HPRIM directory is a laboratory in town. A LIS or RIS of one
site sends for that hospital, a shared one for those that have none of their own.

Ports, sites and authorities come from the configuration; habits (charset, segment ends, events) are given
here, in the order of the file: the first hospital writes as CPage does, the second is old, the third recent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from engine.routes.configuration import Authority, Configuration, Site, Source

Clock = Callable[[], dt.datetime]
"""Local wall clock, without zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How one make of system writes."""

    application: str
    """MSH-3."""
    codec: str
    charset: str
    """MSH-18 as it is sent; what the codec really is may differ, as in life."""
    end: str
    structure: bool = True
    """MSH-9.3 is sent."""
    update: str = "A31"
    """Event of a change of identity; A08 where France's rule is not followed."""
    move_first: bool = False
    """A44 leaves before its A40."""
    archive: bool = False
    """PID-3 also carries an archive number (MR) and a third party's number."""
    first_number: int = 1_000_000
    number_width: int = 7


CPAGE: Final = Habits(
    application="CPAGE", codec="cp1252", charset="8859/1", end="\r\n", move_first=True, archive=True,
    first_number=900_000_000_000, number_width=12,
)  # fmt: skip
OLD: Final = Habits(application="HEXAGONE", codec="iso8859-15", charset="8859/15", end="\n", structure=False)
RECENT: Final = Habits(
    # The same numbers as the second hospital's, for other people: only the authority tells them apart.
    application="DOPASYS", codec="utf-8", charset="UNICODE UTF-8", end="\r", update="A08", first_number=1_000_007,
)  # fmt: skip
HABITS: Final = (CPAGE, OLD, RECENT)
LABORATORY: Final = frozenset({"lis", "sil", "sgl", "lab", "labo", "laboratoire", "laboratory", "bio", "biologie"})
"""Words in the name of a source whose system sends results."""
RADIOLOGY: Final = frozenset({"ris", "radio", "radiologie", "radiology", "imagerie"})


@dataclass(slots=True)
class Hospital:
    """One establishment with its GAM: how it numbers, spells and counts."""

    site: Site
    source: Source
    habits: Habits
    units: tuple[str, ...]
    """Codes of its functional units."""
    spelling: Callable[[Authority, str], str] = field(default=lambda authority, value: cx(authority, value))  # noqa: PLW0108  # defined below

    def ipp(self, person: int, copy: int = 0) -> str:
        """Number of a person here; `copy` 1: the same person registered twice by mistake."""
        number = self.habits.first_number + person + copy * 500_000
        return f"{number:0{self.habits.number_width}d}"

    def identifier(self, kind: str, value: str) -> str:
        """Write an identifier (`ipp`, `nda`, `visit`) as a CX, as this hospital spells its authority."""
        authority = self.site.authorities.get(kind)
        if authority is None:
            return f"{value}^^^{self.habits.application}^{_UNDECLARED[kind]}"
        return self.spelling(authority, value)


class Sequence:
    """Control ids of one system: unique in a run, and between runs by their tag."""

    def __init__(self, tag: str) -> None:
        """Begin at 1, after the tag."""
        self._tag = tag
        self.last = 0

    def next(self) -> str:
        """Return the next control id (MSH-10, at most 20 characters)."""
        self.last += 1
        return f"{self._tag}{self.last}"


@dataclass(slots=True)
class Systems:
    """What will send, and to which doors."""

    hospitals: list[Hospital]
    laboratories: dict[str, Source] = field(default_factory=dict)
    """By site; empty: the one that hospitals share."""
    radiologies: dict[str, Source] = field(default_factory=dict)
    town_laboratory: Source | None = None


def cx(authority: Authority, value: str) -> str:
    """Write an identifier with its authority's OID but a system's own name, as legacy systems do."""
    return f"{value}^^^{authority.hd1}&{authority.oid or authority.hd2}&{authority.hd3}^{authority.type}"


def cpage_spelling(authority: Authority, value: str) -> str:
    """CPage names itself, not the hospital, and flags OIDs of stays with `L`."""
    kind = "ISO" if authority.type == "PI" else "L"
    return f"{value}^^^CPAGE&{authority.oid or authority.hd2}&{kind}^{authority.type}"


def old_spelling(authority: Authority, value: str) -> str:
    """The OID alone, no name; `RI` instead of `PI` where the product predates PAM."""
    return f"{value}^^^&{authority.oid or authority.hd2}&ISO^{'RI' if authority.type == 'PI' else authority.type}"


_UNDECLARED: Final = {"ipp": "PI", "nda": "AN", "visit": "VN"}

SPELLINGS: Final = (cpage_spelling, old_spelling, cx)


def systems_of(configuration: Configuration, units: Callable[[str], tuple[str, ...]]) -> Systems:
    """
    Read from a configuration which systems send.

    Args:
        configuration: As loaded from routes.yaml.
        units: Gives the codes of a site's functional units.
    """
    systems = Systems(hospitals=[])
    for source in configuration.sources.values():
        words = set(re.split(r"[^a-z]+", source.name.lower()))
        if source.type == "mllp" and words & RADIOLOGY:
            systems.radiologies.setdefault(source.site, source)
        elif source.type == "mllp" and (words & LABORATORY or not source.site):
            systems.laboratories.setdefault(source.site, source)
        elif source.type == "mllp":
            rank = len(systems.hospitals) % len(HABITS)
            site = configuration.sites[source.site]
            systems.hospitals.append(Hospital(site, source, HABITS[rank], units(source.site), SPELLINGS[rank]))
        elif source.type == "directory" and source.format in ("hprim-sante", "auto"):
            systems.town_laboratory = systems.town_laboratory or source
    return systems
