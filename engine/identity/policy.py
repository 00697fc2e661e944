"""
What a group decided about identities, and what a route does with a patient whom nobody knows.

Values of routes.yaml (`identity:`, `may_assert:`, `on_unknown:`), without any of its syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from engine.identity.numbers import NumberFormat

if TYPE_CHECKING:
    from engine.identity.authorities import Authority

GROUP: Final = "group"
"""Name by which `may_assert` means the group's own authority: the source is the registry."""
HOLD_MS: Final = 72 * 3600 * 1000
IDENTITY_TYPES: Final = frozenset({"ADT", "ADM"})
"""MSH-9.1 and H-6 of messages that are a source of identity; a result only refers to one."""


class Registry(StrEnum):
    """Who numbers the patients of the group."""

    OWN = "own"
    FOLLOW = "follow"
    """Another: its A31 fill the cross-reference, and hospitals are only looked up."""


class OnMerge(StrEnum):
    """What becomes of an A40 that joins two patients of the group."""

    REVIEW = "review"
    """Both stay usable; an identity officer decides."""
    EMIT = "emit"
    """They are joined, and an A40 with their federation identifiers is derived."""


class Unknown(StrEnum):
    """What is done with a message whose patient nobody knows."""

    MINT = "mint"
    """A new patient of the group."""
    HOLD = "hold"
    DEAD_LETTER = "dead_letter"
    PASS = "pass"  # noqa: S105 - a word of routes.yaml
    """It goes on without a federation identifier."""
    SEND = "send_to"
    """It goes to one destination, where a person looks: only as what follows a wait."""


@dataclass(frozen=True, slots=True)
class OnUnknown:
    """`on_unknown:` of a step."""

    action: Unknown
    hold_ms: int = HOLD_MS
    then: OnUnknown | None = None
    """After the wait; None: dead letter."""
    destination: str = ""
    """Of `send_to`."""

    @property
    def after_wait(self) -> OnUnknown:
        """What is done when the wait is over."""
        return self.then or DEAD_LETTER


MINT: Final = OnUnknown(Unknown.MINT)
DEAD_LETTER: Final = OnUnknown(Unknown.DEAD_LETTER)
PASS: Final = OnUnknown(Unknown.PASS)


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """The group's rules, for messages of one source."""

    registry: Registry = Registry.OWN
    contracts: frozenset[frozenset[str]] = frozenset()
    """Sites that trust each other's qualified INS, each with each; without a contract nothing is linked by it."""
    on_merge: OnMerge = OnMerge.REVIEW
    federation: Authority | None = None
    """Who gives the federation identifiers."""
    number: NumberFormat = field(default_factory=NumberFormat)
    may_assert: frozenset[str] = frozenset()
    """Sites for whose numbers the source may speak; empty: the site of the message."""

    def trusts(self, one: str, other: str) -> bool:
        """Whether a contract joins two sites (RNIV 1 v2.0, § 4.9: in writing, between the establishments)."""
        return one == other or any(one in contract and other in contract for contract in self.contracts)

    def allows(self, owner: str, site: str) -> bool:
        """
        Whether the source may speak of an authority.

        Args:
            owner: Site of the authority; empty: the group.
            site: Site of the message.
        """
        return (owner or GROUP) in self.may_assert if self.may_assert else owner == site
