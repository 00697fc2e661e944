"""Who may connect to a source: its `allow:` list, and how many connections, in all and from one address."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from engine.routes.configuration import Source

_ADDRESSES_REMEMBERED: Final = 10_000


class Admission:
    """The connections of one source, by address."""

    def __init__(self, source: Source) -> None:
        """
        Begin with none.

        Args:
            source: `allow`, `max_connections`, `max_connections_per_peer`.
        """
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(text, strict=False) for text in source.allow]
        self._allowed: dict[str, bool] = {}
        self._most = source.max_connections
        self._most_of_one = source.max_connections_per_peer
        self._count = 0
        self._by_peer: Counter[str] = Counter()

    def refusal(self, peer: str) -> str:
        """
        Count one more connection, or say why there can't be.

        Args:
            peer: The address, without its port.

        Returns:
            Nothing, or `not_allowed`, `too_many_connections`, `too_many_of_one_peer`.
        """
        if not self._is_allowed(peer):
            return "not_allowed"
        if self._count >= self._most:
            return "too_many_connections"
        if self._by_peer[peer] >= self._most_of_one:
            return "too_many_of_one_peer"
        self._count += 1
        self._by_peer[peer] += 1
        return ""

    def left(self, peer: str) -> None:
        """Count one less of those that were counted."""
        self._count -= 1
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]

    def _is_allowed(self, peer: str) -> bool:
        if not self._networks:
            return True
        known = self._allowed.get(peer)
        if known is None:
            try:
                address = ip_address(peer.split("%", 1)[0])
            except ValueError:
                return False
            known = any(address in network for network in self._networks)
            if len(self._allowed) < _ADDRESSES_REMEMBERED:
                self._allowed[peer] = known
        return known
