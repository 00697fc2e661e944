"""group.yaml with what a transcript says otherwise, and ports for its doors."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_PORTS: Final = range(10_000, 32_000)


def free_ports(names: list[str]) -> dict[str, int]:
    """
    Return a port for each name on which nobody listens.

    Below those that systems give to connections by themselves: none is taken between this look and the engine's start.
    """
    ports: dict[str, int] = {}
    for port in random.sample(_PORTS, 1000):
        if len(ports) == len(names):
            return ports
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            ports[names[len(ports)]] = port
    raise AssertionError("no free ports")


def routes_text(given: dict[str, str], ports: dict[str, int]) -> str:
    """Return group.yaml with what a transcript says otherwise."""
    own = given.get("registry", "own") == "own"
    unknown = {
        "hold": "{ hold: 72h, then: dead_letter }", "hold then desk": "{ hold: 72h, then: { send_to: to_desk } }",
        "dead_letter": "dead_letter", "pass": "pass", "mint": "mint",
    }[given.get("unknown results", "hold")]  # fmt: skip
    contracts = {"all": "  contracts: [[cha, chb, chc]]", "cha with chb": "  contracts: [[cha, chb]]", "none": ""}
    desk = given.get("desk gets", "nothing") == "identities"
    values = {
        "registry": given.get("registry", "own"),
        "own": f'  number: {{ prefix: "G", width: 6, check: mod97 }}\n  on_merge: {given.get("on_merge", "review")}'
        if own else "",
        "contracts": contracts[given.get("contracts", "all")],
        "adt_unknown": "mint" if own else "pass",
        "unknown": unknown,
        "unknown_orders": "{ hold: 72h, then: dead_letter }",
        "connections": given.get("connections", "1"),
        "lane": given.get("dead letters", "park"),
        "identities_to_desk": "      - to_desk" if desk else "",
        **{name: str(port) for name, port in ports.items()},
    }  # fmt: skip
    text = (_HERE / "group.yaml").read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text
