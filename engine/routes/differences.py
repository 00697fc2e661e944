"""What changes from one configuration to another, by name: pure, and the same for `plan`, `apply` and a start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.routes.configuration import Configuration, Order

KINDS: Final = ("identity", "sites", "sources", "destinations", "routes", "keys", "tables", "lists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The declarations of one kind that differ, each list in the order of its file."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: Mapping[str, str]
    """Former name -> name (`renamed_from:`); such a declaration is in no other list."""

    @property
    def count(self) -> int:
        """How many declarations differ."""
        return len(self.added) + len(self.removed) + len(self.changed) + len(self.renamed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What another configuration changes."""

    parts: Mapping[str, Part]
    """By kind (`KINDS`)."""
    reordered: tuple[str, ...]
    """Destinations that stay and order their deliveries otherwise, for all routes or for one."""
    texts: bool
    """Whether any file differs, though it may say the same."""

    @property
    def count(self) -> int:
        """How many declarations differ."""
        return sum(part.count for part in self.parts.values())

    @property
    def touched(self) -> tuple[str, ...]:
        """Names of destinations whose queue is concerned: gone, renamed, changed or ordered otherwise."""
        part = self.parts["destinations"]
        return tuple(dict.fromkeys((*part.removed, *part.renamed, *part.changed, *self.reordered)))


def differences(before: Configuration, after: Configuration) -> Differences:
    """Compare two configurations."""
    was, now = _declared(before), _declared(after)
    parts = {kind: _part(was[kind], now[kind]) for kind in KINDS}
    orders_before, orders_after = _orders(before), _orders(after)
    renamed = {name: former for former, name in parts["destinations"].renamed.items()}
    reordered = tuple(
        name
        for name in after.destinations
        if (former := renamed.get(name, name)) in orders_before and orders_before[former] != orders_after[name]
    )
    return Differences(parts=parts, reordered=reordered, texts=before.hash != after.hash)


def _declared(configuration: Configuration) -> dict[str, Mapping[str, Any]]:
    return {
        "identity": {} if configuration.identity is None else {"identity": configuration.identity},
        "sites": configuration.sites,
        "sources": configuration.sources,
        "destinations": configuration.destinations,
        "routes": {route.name: route for route in configuration.routes},
        "keys": configuration.keys,
        "tables": configuration.table_digests,
        "lists": configuration.lists,
    }


def _part(was: Mapping[str, Any], now: Mapping[str, Any]) -> Part:
    renamed = {
        former: name
        for name, one in now.items()
        if (former := getattr(one, "renamed_from", "")) in was and former not in now and name not in was
    }
    gone, come = set(renamed), set(renamed.values())
    return Part(
        added=tuple(name for name in now if name not in was and name not in come),
        removed=tuple(name for name in was if name not in now and name not in gone),
        changed=tuple(name for name in now if name in was and was[name] != now[name]),
        renamed=renamed,
    )


def _orders(configuration: Configuration) -> dict[str, frozenset[tuple[str, Order, tuple[str, ...]]]]:
    """Return by destination the orders of its deliveries: its own, those that routes give it, and what keys say."""

    def said(route: str, order: Order) -> tuple[str, Order, tuple[str, ...]]:
        return route, order, tuple(configuration.keys[name].digest for name in order.keys)

    orders = {name: {said("", one.order)} for name, one in configuration.destinations.items()}
    for route in configuration.routes:
        for exit_ in route.to:
            if exit_.order is not None:
                orders[exit_.destination].add(said(route.name, exit_.order))
    return {name: frozenset(found) for name, found in orders.items()}
