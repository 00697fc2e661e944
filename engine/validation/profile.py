"""
A profile: a version of HL7, and what a nation or a site wants beyond it or otherwise.

Profiles are values; `reading` makes them of YAML, `conformance` of XML, `shipped` names those that come along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.dictionary.entries import Part, Table
from engine.parsers.paths import Path

ANY_VERSION: Final = ""
"""The version of a profile that takes each message by its own MSH-12."""

Position = tuple[str, int, int, int]
"""Segment, field, component, subcomponent; 0: not so deep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What a profile says of one place; None: as before."""

    usage: str | None = None
    most: int | None = None
    least: int | None = None
    """Repetitions that a field must have where it isn't empty."""
    length: int | None = None
    type: str | None = None
    table: str | None = None
    codes: Mapping[str, str] | None = None
    """Values that are allowed, instead of a table's."""
    matches: Callable[[str], bool] | None = None
    words: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A test on the values of one path."""

    path: Path
    values: frozenset[str] | None = None
    """One of these stands there; None: anything does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Something that depends on the event or on other fields."""

    name: str
    severity: str
    sentence: str = ""
    """Instead of the sentence that says which path is missing or forbidden; holds no value."""
    types: frozenset[str] = frozenset()
    """MSH-9.1; empty: any."""
    events: frozenset[str] = frozenset()
    """MSH-9.2; empty: any."""
    where: tuple[Condition, ...] = ()
    """All of them hold, else the rule says nothing."""
    require: tuple[Path, ...] = ()
    """Fields, or segments, that must be there."""
    forbid: tuple[Path, ...] = ()
    expect: tuple[Condition, ...] = ()
    """Values that must stand there, where the field isn't empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What messages are compared with."""

    name: str
    label: str = ""
    version: str = ANY_VERSION
    extension: str = ""
    """Of the dictionary (PAM_FR), or empty."""
    severities: Mapping[str, str] = field(default_factory=dict)
    """By rule, where it isn't the built-in one."""
    overrides: Mapping[Position, Override] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    """Segments of the site's own, with their names in words; their fields are overrides."""
    fields: Mapping[str, Mapping[int, Part]] = field(default_factory=dict)
    """Fields that the dictionary doesn't have, by segment and number."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    structures: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    keys: frozenset[str] = frozenset()
    """Check digits that are looked at: `ins`, `finess`."""
    within: Mapping[str, Mapping[Position, Override]] = field(default_factory=dict)
    """Overrides for segments in one group only (`PATIENT_RESULT.PATIENT`), from a conformance profile."""
    event_of: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Structures of messages, where the profile says so: (MSH-9.1, MSH-9.2) to its name."""
