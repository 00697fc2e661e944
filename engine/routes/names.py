"""What a configuration declares, while it is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from engine.identity.authorities import Authorities
from engine.routes.configuration import IdentitySection, Site
from engine.routes.templates import Templates
from engine.transforms.nodes import Word
from engine.transforms.tables import Table

Secrets = Callable[[str], str | None]
"""Gives a secret by its name."""


@dataclass(slots=True)
class Names:
    """What a configuration declares, and where it asks for values from outside."""

    environment: Mapping[str, str]
    secrets: Secrets
    asked: dict[str, str | None] = field(default_factory=dict)
    """What was asked of the environment, and its answers."""
    sites: dict[str, Site] = field(default_factory=dict)
    identity: IdentitySection | None = None
    """What stands under `identity:`."""
    sources: Collection[str] = ()
    """Names of the sources."""
    authorities: Authorities = field(default_factory=Authorities)
    lists: dict[str, frozenset[str]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    key_names: set[str] = field(default_factory=set)
    read_file: Callable[[Word], tuple[str, str] | None] = lambda _: None
    """Reads a file beside routes.yaml; None: what is wrong was reported."""
    templates: Templates = field(default_factory=Templates)
    """Templates, and named runs of steps."""
    refused_tables: set[str] = field(default_factory=set)
    """Tables that are declared and can't be used: that was reported, and needs to be told once only."""
    used_tables: set[str] = field(default_factory=set)
