"""
Tests of routes as data: messages that are given, and what is expected to become of them.

They stand under `tests:` of a route, or in files named `*_test.yaml`; read by routes.casereading, run by the room
trials. The engine itself never reads them.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.parsers.paths import Path
    from engine.transforms.nodes import Mark
    from engine.transforms.step import Context

OUTCOMES = ("filtered", "unrouted", "rejected", "dead_letter", "waiting")
"""Endings that a test may expect of a message, beside deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One message that a test sends."""

    name: str
    """The file's name without its ending, unless said: how expectations speak of it."""
    source: str
    file: pathlib.Path | None = None
    """Where its bytes are; None: they are `text`."""
    text: str = ""
    """Lines of the message, as they stand in the YAML."""
    changes: tuple[tuple[Path, str], ...] = ()
    """`with:` written into the message before it is sent."""
    removed: tuple[Path, ...] = ()
    """`without:` taken out of it."""
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a path of delivered bytes must hold."""

    path: str
    by_variant: Mapping[str, Path]
    """The path, bound for each site and `untyped:` that the sources may bring."""
    wanted: tuple[str, ...]
    """All values that the path gives, in order; none: it must be absent."""
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A condition that delivered bytes must meet."""

    text: str
    holds: Callable[[Context], bool]
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a message or a delivery ends; what is empty isn't compared."""

    kind: str
    """One of OUTCOMES."""
    code: str = ""
    field: str = ""
    reason: str = ""
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What is expected of one delivery."""

    values: tuple[Values, ...] = ()
    claims: tuple[Claim, ...] = ()
    unchanged: tuple[tuple[Path, Mark], ...] = ()
    """Paths that must read as in the message received."""
    changed_only: tuple[Path, ...] | None = None
    """Nothing else may differ; None: not asked."""
    topic: str | None = None
    file_name: str | None = None
    body: str | None = None
    """The bytes as text, exactly."""
    json: Mapping[str, str] | None = None
    """Keys of a JSON body, and their values."""
    dead_letter: Outcome | None = None
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What is expected of one destination."""

    copies: tuple[Copy, ...] | None = None
    """The deliveries of the message, in order; None: any."""
    count: int | None = None
    """How many deliveries the message has there."""
    order: tuple[str, ...] | None = None
    """Names of all given messages that leave, in the order in which they do."""
    lanes: Mapping[str, int] = field(default_factory=dict)
    """By message: in how many lanes its delivery waits."""
    waits_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By message: those whose deliveries must have ended before its own may leave; none: it waits for nobody."""
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of one message."""

    outcome: Outcome | None = None
    site: str | None = None
    findings: tuple[str, ...] = ()
    """Findings and tags (`tag:urgent`) that must be among those of the message."""
    queues: Mapping[str, Queue] = field(default_factory=dict)
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test."""

    name: str
    route: str = ""
    """Only this route runs; empty: the whole configuration."""
    given: tuple[Given, ...]
    expected: Mapping[str, Expected]
    """By name of a given message."""
    mark: Mark
